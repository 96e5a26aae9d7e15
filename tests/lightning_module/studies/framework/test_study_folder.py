"""Studies in folders of one's own: written by `study new`, and run, judged and reported as a user does it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lightning_module.cli import main
from lightning_module.studies import STUDIES, Result
from lightning_module.studies.framework.listing.new_study import FILES, write_study

TESTS = Path(__file__).parents[3]
PAGE = (TESTS.parent / "docs" / "how-to" / "own-study.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        "lightning_module.studies.framework.records.environment.cores", lambda: 1
    )  # other processes take long to start


@pytest.fixture
def run(capsys):
    """Runs a command; returns its exit status and what it printed on both."""

    def command(*arguments):
        try:
            status = main(["study", *map(str, arguments)])
        except SystemExit as stop:
            status = stop.code
        return status, *capsys.readouterr()

    return command


SMALL = """
from lightning_module.studies import Config, Study, grid
from .claims import CLAIMS

def run_cell(config, cell):
    return [{"seed": seed, "number": NUMBER} for seed in range(config.seeds)]

STUDY = Study(
    name="small", question="?", presets={"quick": Config(seeds=2)}, cells=grid(), run_cell=run_cell, claims=CLAIMS
)
"""
CLAIM = """
from lightning_module.studies import Claim, value
CLAIMS = [Claim(name="claim NUMBER", text="It is.", finding=value("number") > 0)]
"""


def small(folder, number=1, *, init=True):
    """A folder with a study that trains nothing."""
    folder.mkdir(parents=True)
    (folder / "study.py").write_text(SMALL.replace("NUMBER", str(number)))
    (folder / "claims.py").write_text(CLAIM.replace("NUMBER", str(number)))
    if init:
        (folder / "__init__.py").touch()
    return folder


def test_new_run_plot_verify_report(run):
    status, out, _ = run("new", "my_study")
    assert status == 0
    *written, last = out.splitlines()
    assert written == [f"my_study/{file}" for file in FILES]
    command = last.partition("mnist1d study ")[2].split()
    assert command == ["run", "my_study/", "--preset", "smoke"]
    status, out, _ = run(*command)
    assert status == 0
    assert "Does a CNN lead over an MLP" in out
    place = Path("outputs/studies/my-study-smoke")
    assert f"everything is in {place}/" in out
    result = Result.load(place)
    assert (result.study, result.preset, result.config) == ("my-study", "smoke", {"seeds": 2, "steps": 40})
    assert len(result.rows) == 2 * 2 * 2

    figure = (place / "figure.png").read_bytes()
    (place / "figure.png").unlink()
    assert run("plot", "my_study", "--preset", "smoke")[0] == 0
    assert (place / "figure.png").read_bytes() == figure

    status, out, _ = run("verify", "my_study/", "--preset", "smoke", "--recompute", "1")
    assert status == 0
    assert "2 of 2 data sets are made anew" in out
    assert "not verified" not in out
    assert "DIFFERS" not in out

    assert run("report", "--studies", "my_study/")[0] == 0
    text = Path("report/report.md").read_text(encoding="utf-8")
    assert "](report/my-study.md)" in text
    assert "| **translation**: " in Path("report/report/my-study.md").read_text(encoding="utf-8")
    assert "translation" in Path("report/report/verdicts.md").read_text(encoding="utf-8")
    assert "**0 hold, 0 fail and 0 are inconclusive**" in text  # of the published statements, which it has none of
    assert run("report")[0] == 0
    assert "| **translation**: " not in Path("report/report/my-study.md").read_text(encoding="utf-8")


def test_a_rule_that_is_another_than_before_the_run_is_seen(run):
    small(Path("before/mine"))
    small(Path("after/mine"))
    assert run("run", "before/mine", "--folder", "result")[0] == 0
    assert run("verify", "after/mine", "--folder", "result")[0] == 0
    small(Path("later/mine"))
    claims = Path("later/mine/claims.py")
    claims.write_text(claims.read_text().replace("> 0", "> 0.5"))
    status, out, _ = run("verify", "later/mine", "--folder", "result")
    assert status == 1
    assert "DIFFERS       the claims" in out


def test_it_is_of_the_size_of_the_readmes_example():
    folder = Path("my_study")
    lines = [line for file in write_study(folder) for line in file.read_text().splitlines() if line.strip()]
    assert len(lines) < 90
    assert max(map(len, lines)) <= 120
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert "template" not in "".join(lines)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my-study", "name='my-study' must be lower-case letters, digits and underscores"),
        ("my-study", "'my_study'?"),
        ("My Study", "'my_study'?"),
        ("7_digits", "'digits'?"),
        ("größe", "'gr_e'?"),
        ("class", "no word of Python's"),
        ("", "name='' must not be empty"),
        (".", "name='' must be"),
        ("..", "name='..' must be"),
        ("a.py", "'a_py'?"),
        ("json", "is that of a Python module, whose place it would take"),
        ("torch", "is that of a Python module"),
        ("nowhere/mine", "folder='nowhere' does not exist; make it first"),
        *[(name.replace("-", "_"), "is that of a packaged study, see mnist1d study list") for name in STUDIES],
    ],
)
def test_names_that_cannot_be(run, name, message):
    status, out, error = run("new", name)
    assert (status, out) == (2, "")
    assert message in error
    assert len(error.splitlines()) == 1
    assert os.listdir() == []


def test_what_is_there_is_left_alone(run):
    Path("kept").mkdir()
    Path("file").write_text("mine")
    Path("link").symlink_to("nowhere")
    for name in ("kept", "kept/", "file", "link"):
        status, _, error = run("new", name)
        assert status == 2
        assert f"name={name.rstrip('/')!r} is there already, and is left as it is" in error
    assert list(Path("kept").iterdir()) == []
    assert Path("file").read_text() == "mine"
    assert sorted(os.listdir()) == ["file", "kept", "link"]


def test_of_two_at_once_one_wins(monkeypatch):
    from lightning_module.studies.framework.listing import new_study

    def late(package):
        if not Path("mine").exists():
            Path("mine").mkdir()
            Path("mine/study.py").write_text("of the other")
        return files(package)

    files = new_study.files
    monkeypatch.setattr(new_study, "files", late)
    with pytest.raises(ValueError, match="is there already"):
        write_study(Path("mine"))
    assert Path("mine/study.py").read_text() == "of the other"
    assert os.listdir() == ["mine"]


def test_an_error_while_writing_leaves_nothing(monkeypatch):
    from lightning_module.studies.framework.listing import new_study

    monkeypatch.setattr(new_study, "FILES", (*FILES, "lacking.py"))
    with pytest.raises(FileNotFoundError):
        write_study(Path("mine"))
    assert os.listdir() == []


def test_killed_at_any_change_of_files_it_is_whole_or_not_there(tmp_path):
    """Killed just before each; the next command sweeps away what is left and writes it whole."""
    work = tmp_path / "work"
    work.mkdir()
    environment = {**os.environ, "SAID": str(tmp_path / "said"), "PYTHONPATH": str(TESTS.parent)}
    command = [sys.executable, str(TESTS / "killed.py"), "lightning_module.commands.study"]
    framework = "lightning_module.studies.framework"
    command += [f"{framework}.listing.new_study", "lightning_module.stopping"]
    # What a new study and the look at its claims import, which each command would import again.
    command += [f"{framework}.listing.template.study", f"{framework}.linter"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=work, env=environment, **pipes) as process:

        def new(event=None):
            wanted = {"arguments": ["study", "new", "mine"], "event": event, "after": None, "group": False}
            process.stdin.write(json.dumps(wanted) + "\n")
            process.stdin.flush()
            status, _, changes, _ = json.loads(process.stdout.readline())
            return status, changes

        def content():
            return {path.name: path.read_bytes() for path in (work / "mine").glob("*")}

        status, changes = new()
        assert status == 0
        whole = content()
        assert set(whole) == set(FILES)
        assert changes > len(FILES)
        left = 0
        for event in range(1, changes + 1):
            for path in (work / "mine").iterdir():
                path.unlink()
            (work / "mine").rmdir()
            assert new(event)[0] == -9
            assert content() in ({}, whole)
            left += len(os.listdir(work)) - (work / "mine").exists()
            if not (work / "mine").exists():
                assert new()[0] == 0
            assert content() == whole
            assert os.listdir(work) == ["mine"]
        assert left  # some kills did leave an unfinished folder, under a name of its own
        process.stdin.close()


def test_folders_of_one_name_have_their_own_modules(run):
    one, two = small(Path("one/mine"), 1), small(Path("two/mine"), 2)
    first, second = STUDIES.find(f"{one}/"), STUDIES.find(str(two))
    assert [claim.name for claim in first.claims] == ["claim 1"]
    assert [claim.name for claim in second.claims] == ["claim 2"]
    assert STUDIES.find(str(one)) is first
    assert str(two.parent.resolve()) not in sys.path
    for folder, number in ((one, 1), (two, 2)):
        assert run("run", f"{folder}/", "--folder", f"result{number}")[0] == 0
        assert set(Result.load(f"result{number}").rows["number"]) == {number}


def test_processes_of_a_folder_of_the_same_name_as_another(run):
    """Each worker finds the folder's own modules, and the numbers, whose class is the folder's own as well."""
    write_study(Path("mine"))
    Path("other").mkdir()
    write_study(Path("other/mine"))
    study = Path("other/mine/study.py")
    study.write_text(study.read_text().replace("steps: int = 400", "steps: int = 400\n    added: int = 7"))
    assert STUDIES.find("mine/").config("smoke").record() == {"seeds": 2, "steps": 40}
    status, *_ = run("run", "other/mine", "--preset", "smoke", "--workers", "2", "--set", "seeds=3", "--folder", "r")
    assert status == 0
    result = Result.load("r")
    assert result.config == {"seeds": 3, "steps": 40, "added": 7}
    alone = run("run", "other/mine", "--preset", "smoke", "--set", "seeds=3", "--folder", "alone")
    assert alone[0] == 0
    assert result == Result.load("alone")


def test_other_ways_to_name_a_folder(monkeypatch):
    without = small(Path("without_init"), init=False)
    assert STUDIES.find(str(without)).name == "small"
    whole = small(Path("whole"))
    study = STUDIES.find("whole")
    assert STUDIES.find("whole/study.py") is study
    assert STUDIES.find(str(whole.resolve())) is study
    monkeypatch.chdir(whole)
    assert STUDIES.find(".") is study


def test_a_packaged_study_comes_before_a_folder_of_its_name():
    small(Path("priors"))
    assert STUDIES.find("priors") is STUDIES["priors"]
    assert STUDIES.find("priors/").name == "small"


@pytest.mark.parametrize("line", ["from claims import CLAIMS", "from mine.claims import CLAIMS"])
def test_imports_that_are_not_relative_are_refused(run, line):
    folder = small(Path("mine"))
    study = folder / "study.py"
    study.write_text(study.read_text().replace("from .claims import CLAIMS", line))
    status, _, error = run("run", "mine/")
    assert status == 2
    missing = line.split()[1].partition(".")[0]
    assert f"must import each other by `from .claims import ...`, with a dot, and not from {missing!r}" in error


def test_other_modules_that_are_lacking_are_no_such_case():
    folder = small(Path("mine"))
    (folder / "claims.py").write_text("import nobody_has_this")
    with pytest.raises(ModuleNotFoundError, match="nobody_has_this"):
        STUDIES.find("mine/")


def test_folders_that_are_no_study(run):
    message = "name='nowhere' must be a folder that exists; mnist1d study new nowhere writes one"
    assert message in run("run", "nowhere/")[2]
    Path("empty").mkdir()
    assert "must have a study.py; mnist1d study new NAME" in run("run", "empty")[2]
    Path("empty/study.py").touch()
    assert "has no STUDY" in run("verify", "empty")[2]
    small(Path("my-study"))
    message = "name='my-study' must be letters, digits and underscores, as the folder is imported; 'my_study'?"
    assert message in run("run", "my-study/")[2]


def test_a_folder_whose_init_fails_is_read_again_when_it_is_mended():
    folder = small(Path("mine"))
    (folder / "__init__.py").write_text("raise RuntimeError")
    with pytest.raises(RuntimeError):
        STUDIES.find("mine")
    (folder / "__init__.py").write_text("")
    assert STUDIES.find("mine").name == "small"


def test_one_is_written_where_no_study_can_be_run(python):
    blocked = "import sys; sys.modules['scipy'] = None"
    code = f"{blocked}\nfrom lightning_module.cli import main; main(['study', 'new', 'mine'])"
    written = python(code)
    assert "mine/study.py" in written
    assert "its claims are not looked at: scipy is needed here" in written


def test_the_documentation_shows_it():
    assert "\nmnist1d study new my_study\nmnist1d study run my_study/ --preset smoke\n" in PAGE

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import load_dataset

from lightning_module.commands import data
from lightning_module.commands.data import main
from mnist1d_hf import DATA_VERSION, MNIST1D, RECIPES, Recipe, as_numpy, make_mnist1d
from mnist1d_hf.bayes import bayes_limits
from mnist1d_hf.cache import golden
from mnist1d_hf.generator.recipe import FIELD_NAMES

# As typed behind the field's option, and what is then in the recipe.
TYPED = {
    "num_samples": ("400", 400),
    "train_split": ("0.5", 0.5),
    "template_len": ("14", 14),
    "padding": ("[20, 30]", (20, 30)),
    "scale_coeff": ("1e-1", 0.1),
    "max_translation": ("7", 7),
    "corr_noise_scale": ("1", 1.0),
    "iid_noise_scale": (".1", 0.1),
    "shear_scale": ("0", 0.0),
    "shuffle_seq": ("true", True),
    "final_seq_length": ("55", 55),
    "seed": ("4294967295", 2**32 - 1),
    "flip_seq": ("True", True),
    "label_noise": ("0.3", 0.3),
    "label_noise_seed": ("5", 5),
    "stream": ("fast", "fast"),
    "latents": ("true", True),
}


@pytest.fixture
def run(cache, capsys):
    """Runs a command with an empty cache; returns its exit status and what it printed on both."""

    def command(*arguments):
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # of the parser
            status = stop.code
        return status, *capsys.readouterr()

    return command


def test_list_names_every_config_with_its_sizes(run):
    status, out, _ = run("list")
    assert status == 0
    rows = {line.split()[0]: line.split()[1:3] for line in out.splitlines()[1:]}
    for name, named in RECIPES.items():
        sizes = named.recipe.split_sizes(named.stream)
        assert rows[name] == [f"{sizes['train']:,}", f"{sizes['test']:,}"]
        assert named.why[:30] in out


def lines_of(out):
    return {line[:18].strip(): line[18:].strip() for line in out.splitlines()}


def test_info_tells_numbers_digests_and_whether_it_is_built(run):
    status, out, _ = run("info")
    lines = lines_of(out)
    assert status == 0
    assert {field: lines[field] for field in FIELD_NAMES} == {
        field: str(getattr(Recipe(), field)) for field in FIELD_NAMES
    }
    assert (lines["config"], lines["version"], lines["stream"]) == ("default", DATA_VERSION, "reference")
    assert (lines["train"], lines["test"], lines["columns"]) == ("4,000 examples", "1,000 examples", "x, y")
    assert lines["SHA-256 train.x"] == golden.committed()["default"]["train"]["x"]
    assert lines["built"] == "not yet"
    run("build", "default")
    assert lines_of(run("info", "default")[1])["built"] == MNIST1D().cache_dir


def test_info_of_a_variant_has_its_numbers_and_no_digests_of_the_config(run):
    _, out, _ = run("info", "default", "--seed", "1", "--latents", "true")
    lines = lines_of(out)
    assert lines["config"] == "default-latents=True,seed=1"
    assert lines["columns"] == "x, y, padding, scale, shift, shear"
    assert "SHA-256" not in out


def test_every_keyword_has_an_option():
    assert TYPED.keys() == {*FIELD_NAMES, "stream", "latents"}


@pytest.mark.parametrize("keyword", TYPED)
def test_every_keyword_is_typed_with_dashes_or_underscores(run, keyword):
    typed, value = TYPED[keyword]
    lines = []
    for option in {f"--{keyword}", f"--{keyword.replace('_', '-')}"}:
        status, out, err = run("info", "default", option, typed)
        assert (status, err) == (0, "")
        lines.append(lines_of(out))
    assert all(found == lines[0] for found in lines)
    assert lines[0]["config"] == MNIST1D(**{keyword: value}).config_id != "default"


def test_build_prints_the_folder_and_a_line_that_loads_it(run, cache, monkeypatch):
    status, out, _ = run("build", "no-shift", "--num-samples=100", "--padding=[20,30]", "--shuffle-seq=true")
    folder, line = out.splitlines()[-2:]
    assert status == 0
    assert Path(folder, "mnist1d-train.arrow").is_file()
    assert Path(folder).is_relative_to(cache)
    imports = "import mnist1d_hf; from datasets import load_dataset; "
    match = re.fullmatch(imports + r'load_dataset\("mnist1d", "no-shift", (.*)\)', line)
    keywords = eval(f"dict({match[1]})")  # noqa: S307  # the line that users paste
    monkeypatch.setattr(MNIST1D, "_make_reference", lambda self: pytest.fail("it is built again"))
    train = load_dataset("mnist1d", "no-shift", split="train", **keywords)
    made = make_mnist1d("no-shift", num_samples=100, padding=(20, 30), shuffle_seq=True)
    np.testing.assert_array_equal(as_numpy(train)["x"], made.train.x.astype(np.float32))


def test_build_again_takes_what_is_there_unless_forced(run):
    folder = Path(run("build", "train-1k")[1].splitlines()[-2])
    first = (folder / "manifest.json").stat()
    run("build", "train-1k")
    assert (folder / "manifest.json").stat().st_mtime_ns == first.st_mtime_ns
    assert run("build", "train-1k", "--force")[0] == 0
    assert (folder / "manifest.json").stat().st_mtime_ns > first.st_mtime_ns


def test_build_with_processes(run):
    status, out, _ = run("build", "large", "--num-samples", "120000", "--num-proc", "2")
    assert status == 0
    assert len(list(Path(out.splitlines()[-2]).glob("mnist1d-train-*-of-00002.arrow"))) == 2


def test_export_lists_the_files_and_a_line_that_loads_them(run, tmp_path):
    status, out, _ = run("export", tmp_path / "out", "--config", "train-1k", "latents")
    assert status == 0
    listed = {line.split()[1]: int(line.split()[0].replace(",", "")) for line in out.splitlines()[:-1]}
    assert listed == {str(path): path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert out.splitlines()[-1] == f'load_dataset("{tmp_path / "out"}", "train-1k")'
    assert run("export", tmp_path / "out", "--config", "train-1k")[0] == 2
    assert run("export", tmp_path / "out", "--config", "train-1k", "--overwrite")[0] == 0
    assert not (tmp_path / "out" / "latents").exists()


def test_export_takes_the_options_of_build_and_names_the_variant(run, tmp_path):
    short = ["--padding", "[4,8]", "--final-seq-length", "8", "--num-samples", "201000", "--train-split", "0.995"]
    status, out, _ = run("export", tmp_path / "long", *short, "--stream", "fast", "--rows-per-shard", "100000")
    assert status == 0
    assert out.splitlines()[-1] == f'load_dataset("{tmp_path / "long"}", "default-variant")'
    names = {path.name for path in (tmp_path / "long/default-variant").iterdir()}
    assert names == {"shards.json", "test-00000-of-00001.parquet", *(f"train-0000{i}-of-00002.parquet" for i in (0, 1))}
    assert run("export", tmp_path / "own", "--config", "train-1k", "--seed", "1")[0] == 0
    assert [path.name for path in (tmp_path / "own").iterdir() if path.is_dir()] == ["train-1k-variant"]
    named = ["--config", "train-1k", "--new-config", "mine", "--base", "no-shift", "--num-samples", "100"]
    assert run("export", tmp_path / "both", *named)[0] == 0
    assert {path.name for path in (tmp_path / "both").iterdir() if path.is_dir()} == {"train-1k", "mine"}


def test_install_builds_what_is_named_or_the_default(run, cache):
    assert run("install")[0] == 0
    status, out, _ = run("install", "train-1k", "no-shear")
    assert status == 0
    assert 'load_dataset("mnist1d", "train-1k") now works without importing' in out
    assert {path.parts[-3] for path in cache.glob("mnist1d/*/*/*") if path.is_dir()} == {
        "default",
        "train-1k",
        "no-shear",
    }


def test_verify_is_0_when_all_is_well_and_1_when_a_byte_has_changed(run):
    nothing = "Nothing is in the cache yet, so nothing is verified: mnist1d data build default"
    assert run("verify") == (3, f"{nothing}\n0 ok, 0 damaged, 0 not verified\n", "")
    run("install", "train-1k", "no-shear")
    status, out, _ = run("verify")
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()] == [
        ["ok", "default", DATA_VERSION],  # what the bare name means; it is built with the others
        ["ok", "no-shear", DATA_VERSION],
        ["ok", "train-1k", DATA_VERSION],
        ["3", "ok,", "0"],
    ]
    folder = Path(out.splitlines()[2].split()[3])
    content = bytearray((folder / "mnist1d-train.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "mnist1d-train.arrow").write_bytes(content)
    status, out, _ = run("verify")
    assert status == 1
    assert f"DAMAGED      train-1k {DATA_VERSION} {folder}\n" in out
    assert out.splitlines()[-1] == "2 ok, 1 damaged, 0 not verified"
    assert "split 'train', column 'x': the values are not those that were built" in out
    assert "remedy: delete that folder" in out
    shutil.rmtree(folder)  # as the remedy says
    train = load_dataset("mnist1d", "train-1k", split="train")
    np.testing.assert_array_equal(as_numpy(train)["x"], make_mnist1d("train-1k").train.x.astype(np.float32))
    assert run("verify")[0] == 0


WRONG = [
    ("info defualt", r"^error: there is no config 'defualt'; did you mean 'default'\?"),
    ("build default --iid-noise-scale=-0.1", r"^error: --iid-noise-scale=-0\.1 must be a number from 0"),
    ("build default --padding [60,36]", r"^error: --padding=\(60, 36\) must be .* swap them\?"),
    ("build default --num-samples 2000000", r"^error: --num-samples=2000000 .* use --stream='fast'"),
    ("build large --num-samples 1000 --num-proc 0", r"^error: --num-proc=0 must be at least 1"),
    ("install default nope", r"^error: there is no config 'nope'"),
    ("export somewhere --config nope", r"^error: there is no config 'nope'"),
    (
        "export somewhere --config train-1k train-2k --seed 1",
        r"^error: numbers belong to one config; name what is made",
    ),
    ("export somewhere --base train-1k --seed 1", r"^error: --base=train-1k needs a name .*--new-config=NAME"),
    (
        "export somewhere --new-config default --seed 1",
        r"^error: --new-config='default' is the name of a config of this",
    ),
    ("export somewhere --rows-per-shard 5", r"^error: --rows-per-shard=5 must be from 100000"),
    ("export somewhere --rows-per-shard 100000", r"^error: --rows-per-shard=100000 is for the fast stream.*--stream="),
    ("export somewhere --address auto", r"^error: --address='auto' must be left out with .*local"),
    ("export somewhere --num-proc 0", r"^error: --num-proc=0 must be at least 1"),
    ("build default --num-samples many", r"^error: .*samples(.|\n)*many"),
    ("build default --num-samples 10.5", r"^error: .*samples(.|\n)*10\.5"),
    ("build default --latents perhaps", r"^error: .*latents(.|\n)*perhaps"),
    ("build default --stream quick", r"^error: .*stream(.|\n)*quick"),
    ("build default --iid-noise 0.1", r"^error: .*--iid-noise"),  # no guessing at names
    ("build default --no-such-option 1", r"^error: .*--no-such-option"),
    ("animate --out somewhere/a.mp4", r"^error: --out='somewhere/a.mp4' must end in .gif .*, or in .png or .pdf"),
    ("animate --out somewhere/a", r"^error: --out='somewhere/a' must end in .gif"),
    ("animate --out somewhere/a.png --fps 5", r"^error: --out='somewhere/a.png' is a still picture, which has neither"),
    ("animate --out somewhere/a.gif --fps 51", r"^error: --fps=51 must be from 1 to 50"),
    ("animate --out somewhere/a.gif --duration 1", r"^error: --duration=1 must be from 9 seconds"),
    ("animate --out somewhere/a.gif --index 999", r"^error: --index=999 must be from 0 to \d+: train has"),
    ("animate nope --out somewhere/a.gif", r"^error: there is no config 'nope'"),
    ("frobnicate", r"^error: .*frobnicate"),
]


@pytest.mark.parametrize(("typed", "message"), WRONG)
def test_what_is_wrong_ends_with_2_and_an_error_line_and_nothing_written(run, cache, monkeypatch, typed, message):
    cache.parent.joinpath("here").mkdir()
    monkeypatch.chdir(cache.parent / "here")
    status, out, err = run(*typed.split())
    assert (status, out) == (2, "")
    assert re.search(message, err, re.MULTILINE), err
    assert "Traceback" not in err
    assert not list(cache.rglob("*.arrow"))
    assert not Path("somewhere").exists()


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError("too much")])
def test_a_build_that_fails_on_the_way_is_an_error_line(run, cache, monkeypatch, error):
    def full(*_, **__):
        raise error
        yield

    monkeypatch.setattr(data.MNIST1D, "_generate_tables", full)
    status, _, err = run("build", "train-1k")
    assert status == 2
    assert err.startswith("error: ")
    assert str(error) in err
    assert not list(cache.rglob("*.arrow"))


def test_a_cache_that_is_a_file_is_an_error_line_that_names_it(run, cache):
    cache.touch()
    status, _, err = run("build", "train-1k")
    assert status == 2
    assert str(cache) in err


@pytest.mark.parametrize("command", ["list", "info", "build", "export", "verify", "install", "animate"])
def test_every_command_explains_itself_and_every_option(run, command):
    status, out, err = run(command, "--help")
    assert (status, err) == (0, "")
    assert (getattr(data, "list_configs" if command == "list" else command).__doc__ or "?")[:20] in out
    if command in {"info", "build", "animate", "export"}:
        text = " ".join(out.split())
        assert all(f"--{keyword}" in text for keyword in TYPED)
        assert "Standard deviation of the noise on every point" in text


def test_no_command_imports_torch(python, tmp_path):
    code = """
import sys
from lightning_module.commands.data import main
codes = [main(arguments) for arguments in (
    ["list"], ["info"], ["build", "train-1k"], ["export", sys.argv[1], "--config", "train-1k"], ["verify"], ["install"]
)]
heavy = {"torch", "pytorch_lightning", "lightning", "scipy", "matplotlib"} & sys.modules.keys()
print(codes, sorted(heavy))
"""
    assert python(code, tmp_path / "out").splitlines()[-1] == "[0, 0, 0, 0, 0, 0] []"


def test_animate_writes_what_the_suffix_says(run, tmp_path):
    for name, start in {"a.gif": b"GIF89a", "a.png": b"\x89PNG", "a.PDF": b"%PDF"}.items():
        path = tmp_path / "new" / name
        quick = ["--fps", "1", "--duration", "12"] if name == "a.gif" else []
        status, out, _ = run("animate", "shuffled", "--seed", "1", "--num-samples", "300", "--out", path, *quick)
        assert (status, out.split()) == (0, [f"{path.stat().st_size:,}", str(path)])
        assert path.read_bytes().startswith(start)
    assert len(list((tmp_path / "new").iterdir())) == 3


def test_animate_draws_the_variant_and_the_example_asked_for(run, tmp_path):
    def drawn(*arguments):
        run("animate", *arguments, "--num-samples", "300", "--out", tmp_path / "a.png")
        return (tmp_path / "a.png").read_bytes()

    pictures = [drawn(), drawn("--index", "1"), drawn("no-shift"), drawn("--dark")]
    assert len(set(pictures)) == 4


def test_an_animation_that_fails_on_the_way_leaves_what_was_there(run, tmp_path, monkeypatch):
    (tmp_path / "a.gif").write_text("old")
    monkeypatch.setattr(data.animation, "save_animation", lambda *_: (_ for _ in ()).throw(OSError("full")))
    status, _, err = run("animate", "--out", tmp_path / "a.gif")
    assert (status, err) == (2, "error: full\n")
    assert [path.read_text() for path in tmp_path.glob("*.gif*")] == ["old"]


def test_animate_without_matplotlib_says_how_to_get_it(run, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    status, _, err = run("animate")
    assert status == 2
    assert 'pip install "mnist1d-hf[plot]"' in err


def test_limits_are_those_of_the_variant_whatever_the_number_of_workers(run):
    typed = (
        "limits",
        "high-noise",
        "--iid-noise-scale",
        "0.2",
        "--padding",
        "[40, 42]",
        "--max-translation=4",
        "--n=100",
    )
    status, out, _ = run(*typed)
    assert status == 0
    assert run(*typed, "--workers", "2")[1] == out
    recipe = RECIPES["high-noise"].recipe.replace(iid_noise_scale=0.2, padding=(40, 42), max_translation=4)
    found = bayes_limits(recipe, n=100)
    assert re.search(rf"Bayes accuracy +{100 * found.accuracy.mean:.2f} ± {100 * found.accuracy.error:.2f} %", out)
    assert re.search(rf"Bayes loss +{re.escape(str(found.entropy))} nats", out)


def test_limits_of_noisy_labels_are_lower(run):
    typed = ("limits", "label-noise", "--padding", "[40, 42]", "--max-translation=4", "--n=100")
    assert "Bayes accuracy  86.5" in run(*typed, "--labels", "noisy")[1]  # 0.85 + 0.015
    assert "Bayes accuracy  100.0" in run(*typed)[1]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("no-noise", "iid-noise-scale.*no probability density"),
        ("--n 1", "--n=1 must be at least 2"),
        ("--workers 0", "--workers=0 must be at least 1"),
        ("--labels dirty", "--labels"),
        ("--padding [0,3000] --max-translation 4000", "tables of .* GB"),
    ],
)
def test_limits_that_cannot_be_computed_are_an_error_in_a_line(run, typed, message):
    status, out, error = run("limits", *typed.split())
    assert (status, out) == (2, "")
    said = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert re.search(message, said[0])

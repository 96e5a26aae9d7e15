"""The notebooks: one for each study, executed, current, small, without a trace of the machine; and each really runs."""

import importlib.util
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from blocks import CORES, on_one_core
from IPython.core.interactiveshell import InteractiveShell

from lightning_module.studies import STUDIES

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
LARGEST = 300_000  # bytes
TRACES = re.compile(
    r"/(?:home|root|tmp|work|usr|opt|Users|private|var)/|[A-Z]:\\\\Users|site-packages|\b0x[0-9a-f]{6,}"
)


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = _load()
NAMES = TOOL.names()


def executed(name: str) -> Any:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def texts(notebook: Any) -> str:
    """All that a notebook shows but its pictures."""
    shown = []
    for output in outputs(notebook):
        shown += [
            output.get("text", ""),
            *(text for kind, text in output.get("data", {}).items() if "image" not in kind),
        ]
    return "\n".join(shown)


def test_each_study_with_a_result_has_a_source_and_a_notebook() -> None:
    assert set(TOOL.sources()) <= set(STUDIES)
    results = sorted(folder.name for folder in (FOLDER.parent / "results").iterdir())
    assert results == TOOL.names(), "write docs/notebooks/NAME.py for each result, and run make notebooks"
    assert sorted(file.stem for file in FOLDER.glob("*.ipynb")) == TOOL.names()


@pytest.mark.parametrize("name", NAMES)
class TestExecuted:
    def test_is_a_notebook(self, name: str) -> None:
        nbformat.validate(executed(name))

    def test_is_current(self, name: str) -> None:
        assert TOOL.is_current(name), f"{name}.ipynb is not what its source or the committed result is: make notebooks"

    def test_was_executed_from_the_first_cell_to_the_last_without_errors(self, name: str) -> None:
        notebook = executed(name)
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
        kinds = {output.output_type for output in outputs(notebook)}
        assert "error" not in kinds
        assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]

    def test_shows_the_figure_and_the_verdicts_of_the_committed_result(self, name: str) -> None:
        assert executed(name).metadata.mnist1d_result == TOOL.result_sha256(name) is not None
        drawn = [cell for cell in executed(name).cells if re.search(r"study\.figures\[.*\]\(paper\)", cell.source)]
        assert drawn
        assert all(any("image/png" in output.get("data", {}) for output in cell.outputs) for cell in drawn)
        assert any("finding" in str(output.get("data", {}).get("text/html")) for output in outputs(executed(name)))

    def test_is_small_and_nothing_of_the_machine_is_in_it(self, name: str) -> None:
        assert (FOLDER / f"{name}.ipynb").stat().st_size < LARGEST
        notebook = executed(name)
        assert set(notebook.metadata) == {"kernelspec", "language_info", "mnist1d_result"}
        assert not any(cell.metadata for cell in notebook.cells)
        assert not TRACES.search(texts(notebook))

    def test_has_pictures(self, name: str) -> None:
        assert sum("image/png" in output.get("data", {}) for output in outputs(executed(name))) >= 2

    def test_is_written_for_its_study(self, name: str) -> None:
        source = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        assert f'STUDIES["{name}"]' in source
        assert 'PRESET = "smoke"' in source
        assert "**The source**" in source
        assert "**Change it.**" in source


# How long the experiments train, as numbers of their own or within a call.
LONG = re.compile(r"^((?:OUTER_STEPS|STEPS|EPOCHS) = |N, STEPS = \d+, |.*\bsteps=)(\d+)\b", re.MULTILINE)


def shorter(name: str) -> Any:
    """The source with experiments of a tenth of the steps, whose numbers nobody looks at."""
    notebook = TOOL.source(name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = LONG.sub(lambda found: f"{found[1]}{max(2, int(found[2]) // 10)}", cell.source)
    return notebook


def test_most_experiments_are_shortened() -> None:
    changed = {name for name in NAMES if shorter(name) != TOOL.source(name)}
    assert set(NAMES) - changed == {"dataset"}  # which trains nothing
    cells = [cell.source for cell in shorter("pooling").cells]
    assert any(source.startswith("STEPS = 50\n") for source in cells)


@pytest.fixture(scope="module")
def runs() -> Iterator[dict[str, Future[Any]]]:
    """All sources with short experiments, executed two at a time where there are two cores, each on one of them."""
    with ThreadPoolExecutor(min(2, len(CORES)), initializer=on_one_core) as pool:
        started = {name: pool.submit(TOOL.execute, name, shorter(name)) for name in NAMES}
        yield started
        for future in started.values():
            future.cancel()


@pytest.mark.parametrize("name", NAMES)
def test_source_runs(name: str, runs: dict[str, Future[Any]]) -> None:
    assert_runs_as_committed(name, runs[name].result())


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_source_runs_at_its_own_length(name: str) -> None:
    assert_runs_as_committed(name, TOOL.execute(name))


def assert_runs_as_committed(name: str, notebook: Any) -> None:
    nbformat.validate(notebook)
    assert not [output for output in outputs(notebook) if output.get("name") == "stderr"]
    committed = executed(name)
    kinds = [[sorted(output.get("data", output)) for output in outputs(each)] for each in (notebook, committed)]
    assert kinds[0] == kinds[1]  # the same kinds of output, whatever the machine's numbers


def test_a_notebook_of_another_result_is_not_current(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(TOOL, "RESULTS", tmp_path)
    assert TOOL.result_sha256("learning-rate") is None
    assert not TOOL.is_current("learning-rate")  # whose result is committed


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder with one notebook, whose source may be edited; returns the source."""
    for file in ("pooling.py", "pooling.ipynb"):
        shutil.copy(FOLDER / file, tmp_path)
    monkeypatch.setattr(TOOL, "FOLDER", tmp_path)
    return tmp_path / "pooling.py"


def test_new_text_keeps_the_outputs(copied: Path) -> None:
    text = copied.read_text(encoding="utf-8")
    copied.write_text(text.replace("# ## Try it", "# ## Now you", 1), encoding="utf-8")
    assert not TOOL.is_current("pooling")
    TOOL.main([])
    assert TOOL.is_current("pooling")
    made = TOOL.executed("pooling")
    assert any("## Now you" in cell.source for cell in made.cells)
    assert outputs(made) == outputs(executed("pooling"))


def test_new_code_needs_an_execution(copied: Path) -> None:
    text = copied.read_text(encoding="utf-8")
    copied.write_text(text.replace("STEPS = ", "STEPS = 1 + ", 1), encoding="utf-8")
    assert not TOOL.is_current("pooling")
    assert TOOL.with_new_text("pooling") is None


@pytest.mark.parametrize("repository", ["", "https://example.org/owner/mnist1d-hf"])
def test_the_first_cell_installs_the_package_where_it_is_missing(
    repository: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    clone = tmp_path / "a clone"
    (clone / "lightning_module").mkdir(parents=True)
    (clone / "docs").mkdir()
    monkeypatch.chdir(clone / "docs")
    asked: list[str] = []
    shell = InteractiveShell()
    shell.register_magic_function(asked.append, magic_name="pip")

    def run() -> Any:
        return shell.run_cell(TOOL.install_cell(repository, "main"))

    assert run().success
    assert asked == []  # it is here
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    assert run().success
    assert asked == [
        f'install --quiet "{f"mnist1d-hf[studies] @ git+{repository}@main" if repository else f"{clone}[studies]"}"'
    ]
    monkeypatch.chdir(tmp_path)
    if repository:
        assert run().success
    else:
        assert "pip install" in str(run().error_in_exec)


def test_each_notebook_begins_with_that_cell() -> None:
    for name in NAMES:
        assert next(cell for cell in executed(name).cells if cell.cell_type == "code").source == TOOL.install_cell()

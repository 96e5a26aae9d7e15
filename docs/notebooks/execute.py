"""The notebooks, made and executed: `python docs/notebooks/execute.py [NAME ...]`, or `make notebooks`.

NAME.py is what is edited, a script in jupytext's percent format. NAME.ipynb is the same executed, and is what readers
open. Without names only those are executed that are not current: whose source, or whose committed result in
docs/results/NAME, is another one than at their execution. Where only text has changed, outputs stay. A study that has
no committed result yet has no notebook either.

Executed twice, a source gives the same file on the same machine with the same libraries: nothing of the machine, the
time or the folder is in it.
"""

import base64
import hashlib
import io
import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image
from traitlets.config import Config

sys.path.append(str(Path(__file__).resolve().parents[1]))  # of `repository`
from repository import BRANCH, REPOSITORY

FOLDER = Path(__file__).resolve().parent
RESULTS = FOLDER.parent / "results"
TIMEOUT = 600  # seconds for a cell
NO_WIDGETS = "ignore:IProgress not found"  # tqdm's advice to install widgets, which no committed notebook can show

# Pictures as wide as a page, with as many colours as a diagram needs.
WIDEST = 900  # pixels
COLOURS = 200

# The first cell of code in each notebook, once the project is published, and before.
INSTALL = """\
# Installs the package where it is missing, as on Colab.
import importlib.util

if importlib.util.find_spec("lightning_module") is None:
    %pip install --quiet "mnist1d-hf[studies] @ git+{repository}@{branch}"
"""
INSTALL_CLONE = """\
# Installs the package where it is missing, from the clone that this notebook is in.
import importlib.util
from pathlib import Path

if importlib.util.find_spec("lightning_module") is None:
    clone = next((folder for folder in Path.cwd().resolve().parents if (folder / "lightning_module").is_dir()), None)
    if clone is None:
        raise ModuleNotFoundError('needs mnist1d-hf: in the folder of its clone, python -m pip install ".[studies]"')
    %pip install --quiet "{clone}[studies]"
"""

METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def names() -> list[str]:
    """Returns the notebooks that there are, by their sources: those of studies with a committed result."""
    return [name for name in sources() if result_sha256(name) is not None]


def sources() -> list[str]:
    """Returns the names of all sources, also of those that wait for a result."""
    return sorted(file.stem for file in FOLDER.glob("*.py") if file.name != Path(__file__).name)


def source(name: str) -> Any:
    """Returns the notebook that a source stands for, without outputs."""
    notebook = jupytext.read(FOLDER / f"{name}.py", fmt="py:percent")
    notebook.cells.insert(1, nbformat.v4.new_code_cell(install_cell()))
    for i, cell in enumerate(notebook.cells):
        cell.metadata, cell.id = {}, f"cell-{i}"
    # By which is seen later whether another result has been committed.
    notebook.metadata = {**METADATA, "mnist1d_result": result_sha256(name)}
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def install_cell(repository: str = REPOSITORY, branch: str = BRANCH) -> str:
    """Returns a cell that installs the package where it is missing, so that a notebook runs wherever it is opened."""
    text = INSTALL.format(repository=repository, branch=branch) if repository else INSTALL_CLONE
    return text.strip()


def result_sha256(name: str) -> str | None:
    """Returns the digest of a study's committed result, which has the digests of its other files in it."""
    file = RESULTS / name / "result.json"
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def is_current(name: str) -> bool:
    """Returns whether the executed notebook has the cells of its source, and shows the result that is committed."""
    made, wanted = executed(name), source(name)
    return _cells(made) == _cells(wanted) and _made_from(made) == _made_from(wanted)


def executed(name: str) -> Any:
    """Returns the executed notebook; an empty one if there is none."""
    file = FOLDER / f"{name}.ipynb"
    return nbformat.read(file, as_version=4) if file.is_file() else nbformat.v4.new_notebook()


def with_new_text(name: str) -> Any | None:
    """Returns the executed notebook with the text of its source; None if it shows other code or another result."""
    made, wanted = executed(name), source(name)
    if _made_from(made) != _made_from(wanted):
        return None
    code = iter([cell for cell in made.cells if cell.cell_type == "code"])
    for cell in wanted.cells:
        if cell.cell_type == "code":
            old = next(code)
            cell.outputs, cell.execution_count = old.outputs, old.execution_count
    return wanted


def _cells(notebook: Any, *kinds: str) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source) for cell in notebook.cells if not kinds or cell.cell_type in kinds]


def _made_from(notebook: Any) -> Any:
    """Returns what decides the outputs: the code, and the committed result."""
    return _cells(notebook, "code"), notebook.metadata.get("mnist1d_result")


def execute(name: str, notebook: Any | None = None) -> Any:
    """Returns a notebook with its outputs.

    It runs in an empty folder, in which a study leaves what it keeps, with one thread and no network.

    Args:
        name: Of the notebook, and of the study.
        notebook: What is executed; its source if not given.

    Raises:
        nbclient.exceptions.CellExecutionError: If a cell raises an exception.
    """
    notebook = source(name) if notebook is None else notebook
    with TemporaryDirectory() as place:
        folder = Path(place, "notebooks")
        folder.mkdir()
        # Files in place of ports, which others on the machine cannot read and two kernels cannot both take.
        kernel = {"connection_file": f"{place}/kernel.json", **({"transport": "ipc"} if os.name == "posix" else {})}
        own = {
            "OMP_NUM_THREADS": "1",
            "HF_HUB_OFFLINE": "1",
            "IPYTHONDIR": place,
            "PYTHONWARNINGS": NO_WIDGETS,
        }
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT,
            kernel_name="python3",
            record_timing=False,
            config=Config(KernelManager=kernel),
            resources={"metadata": {"path": str(folder)}},
        )
        client.execute(env={**os.environ, **own})
    notebook.metadata["language_info"] = METADATA["language_info"]  # without this machine's version
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
                output.metadata = {}
    return notebook


def smaller(png: str) -> str:
    """Returns a picture, base64, at the size and with the colours that a page needs."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    if picture.width > WIDEST:
        picture = picture.resize((WIDEST, round(picture.height * WIDEST / picture.width)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


def main(arguments: list[str]) -> None:
    """Executes the notebooks of these names; or those that are not current, of which some have new text only."""
    for name in arguments or [name for name in names() if not is_current(name)]:
        notebook = (None if arguments else with_new_text(name)) or execute(name)
        nbformat.validate(notebook)
        nbformat.write(notebook, FOLDER / f"{name}.ipynb")
        print(f"{name}.ipynb")


if __name__ == "__main__":
    main(sys.argv[1:])

"""`write_study`: a folder with a small study that runs, to be made one's own."""

import keyword
import re
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from lightning_module.studies import STUDIES
from mnist1d_hf.staged_folder import new_folder

FILES: Final = ("__init__.py", "study.py", "claims.py", "figures.py", "protocol.md")
TEMPLATE: Final = "template"  # the package that is copied, and the name of its study
NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def write_study(folder: Path) -> list[Path]:
    """Returns the files of a new study, after writing them: all or none.

    Args:
        folder: What is made. Its name is that of the study, with underscores for hyphens.

    Raises:
        ValueError: If the name cannot be a study's, or something is there already.
    """
    name = _checked(folder)
    try:
        with new_folder(folder) as made:
            for file in FILES:
                text = files(f"{__package__}.{TEMPLATE}").joinpath(file).read_text(encoding="utf-8")
                text = text.replace(f'"{TEMPLATE}"', f'"{name}"').replace(f"{TEMPLATE}/", f"{folder.name}/")
                (made / file).write_text(text, encoding="utf-8", newline="\n")
    except FileExistsError as error:
        raise ValueError(_taken(folder)) from error
    return [folder / file for file in FILES]


def _checked(folder: Path) -> str:
    """Returns the name of the study for a folder that can be made."""
    name = folder.name
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        close = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_0123456789")
        hint = f"; {close!r}?" if NAME.fullmatch(close) and not keyword.iskeyword(close) else ""
        raise ValueError(
            f"name={name!r} must be lower-case letters, digits and underscores, begin with a letter and be no word "
            f"of Python's, as it is imported{hint}"
        )
    study = name.replace("_", "-")
    if study in STUDIES:
        raise ValueError(
            f"name={name!r} is that of a packaged study, see mnist1d study list; choose another, 'my_{name}'?"
        )
    if folder.exists() or folder.is_symlink():
        raise ValueError(_taken(folder))
    if not folder.parent.is_dir():
        raise ValueError(f"folder={str(folder.parent)!r} does not exist; make it first")
    if find_spec(name):  # in the folder that holds it, Python would find this one instead
        raise ValueError(
            f"name={name!r} is that of a Python module, whose place it would take; choose another, 'my_{name}'?"
        )
    return study


def _taken(folder: Path) -> str:
    return f"name={str(folder)!r} is there already, and is left as it is; choose another name, or delete it first"

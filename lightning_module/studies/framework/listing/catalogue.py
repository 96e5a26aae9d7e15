"""The studies that there are: those of this package, each imported when it is asked for, and those of one's own."""

import ast
import importlib
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.study_folder import STUDY, study_module

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study


class Catalogue(Mapping[str, "Study[Any]"]):
    """Studies by name. A name is known without an import; to ask for its study imports torch.

    Args:
        modules: The modules in `lightning_module.studies` by the name of their study, in the order of listings.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = dict(modules)

    def __getitem__(self, name: str) -> "Study[Any]":
        return _study_in(importlib.import_module(self._module(name)))

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)

    def summary(self, name: str) -> str:
        """Returns the first line of what a study says about itself, without importing it."""
        spec = find_spec(self._module(name))
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]

    def find(self, name: str) -> "Study[Any]":
        """Returns the study of a name, or the `STUDY` in a Python file or in the `study.py` of a folder.

        Raises:
            ValueError: If there is none.
        """
        if name.endswith(".py"):
            return study_in_file(Path(name))
        if name not in self and (Path(name).is_dir() or name.endswith(("/", os.sep))):
            return study_in_folder(Path(name))
        from mnist1d_hf.generator.recipe import nearest  # whose package loads pandas

        if name not in self:
            raise ValueError(
                f"study {name!r} is not known{nearest(name, self)}, or a file that ends in .py, or a folder"
            )
        return self[name]

    def _module(self, name: str) -> str:
        return f"lightning_module.studies.{self._modules[name]}"


def study_in_folder(folder: Path) -> "Study[Any]":
    """Returns the `STUDY` in the `study.py` of a folder, which is imported as a package.

    Raises:
        ValueError: If there is none, or the folder cannot be imported; see `study_module`.
    """
    return _study_in(study_module(folder))


def study_in_file(file: Path) -> "Study[Any]":
    """Returns the `STUDY` of a Python file, imported as a module, so that other processes can import it as well.

    Raises:
        ValueError: If there is no such file, no such name in it, or a module of its name is something else.
    """
    if not file.is_file():
        raise ValueError(f"file={str(file)!r} does not exist")
    if file.stem == STUDY and (file.parent / "__init__.py").is_file():
        return study_in_folder(file.parent)
    folder, before = str(file.resolve().parent), sys.path.copy()
    if folder not in sys.path:
        sys.path.insert(0, folder)  # which processes that are started by this one have as well
    try:
        module = importlib.import_module(file.stem)
        if Path(module.__file__ or "").resolve() != file.resolve():
            raise ValueError(f"file={str(file)!r}: there is a module {file.stem!r} already; give the file another name")
        return _study_in(module)
    except BaseException:
        sys.path[:] = before  # a refused `statistics.py` must not take the place of Python's own in those processes
        raise


def _study_in(module: Any) -> "Study[Any]":
    from lightning_module.studies.framework.study import Study

    study = getattr(module, "STUDY", None)
    if not isinstance(study, Study):
        raise ValueError(f"{module.__file__} has no STUDY; let it end in STUDY = Study(...)")
    return study

"""Studies in folders of somebody's own: each is a package, under a name that no other folder has, in every process."""

import hashlib
import importlib
import os
import sys
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

STUDY: Final = "study"  # the module in a folder that has the STUDY
_folders: dict[str, Path] = {}  # by the name of the package


def study_module(folder: Path) -> ModuleType:
    """Returns the module `study` of a folder, which imports its neighbours by `from .claims import CLAIMS`.

    Raises:
        ValueError: If there is no such folder or file, the folder has a name that nothing can be imported by, or an
            import is not relative.
    """
    place, given = Path(os.path.abspath(folder)), f"name={str(folder)!r}"
    if not place.is_dir():
        raise ValueError(f"{given} must be a folder that exists; mnist1d study new {place.name} writes one")
    if not (place / f"{STUDY}.py").is_file():
        raise ValueError(f"{given} must have a {STUDY}.py; mnist1d study new NAME writes a folder that has")
    if not place.name.isidentifier():
        close = "".join(c if c.isalnum() else "_" for c in place.name)
        raise ValueError(f"{given} must be letters, digits and underscores, as the folder is imported; {close!r}?")
    try:
        return importlib.import_module(f"{package_of(place)}.{STUDY}")
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        if missing != place.name and not (place / f"{missing}.py").is_file():
            raise
        raise ValueError(
            f"{given}: its modules must import each other by `from .claims import ...`, with a dot, and not from "
            f"{missing!r}: so each process finds those of this folder"
        ) from error


def package_of(folder: Path) -> str:
    """Returns the name of a folder's package, after making it importable in this process.

    Folders of the same name, and installed modules of that name, do not disturb each other. Nothing is added to
    `sys.path`, so that a `statistics.py` in the folder takes no one else's place either.
    """
    place = folder.resolve()
    name = f"{place.name}_{hashlib.sha256(os.fsencode(place)).hexdigest()[:12]}"
    if name not in sys.modules:
        importlib.invalidate_caches()  # the files may be younger than the last look into the folder
        module = module_from_spec(_spec(name, place))
        sys.modules[name] = module
        try:
            if module.__spec__ and module.__spec__.loader and module.__file__:
                module.__spec__.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    _folders[name] = place
    return name


def folder_of(module: str) -> Path | None:
    """Returns the folder that another process has to make importable before a module; None if it is any module."""
    return _folders.get(module.partition(".")[0])


def _spec(name: str, place: Path) -> ModuleSpec:
    file = place / "__init__.py"
    if file.is_file():
        found = spec_from_file_location(name, file, submodule_search_locations=[str(place)])
        if found is not None:
            return found
    spec = ModuleSpec(name, None, is_package=True)  # a folder without this file is a package as well
    spec.submodule_search_locations = [str(place)]
    return spec

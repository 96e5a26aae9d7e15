"""The name ``mnist1d`` for this package, in place of the reference's: all of it or nothing, never a mixture."""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Final

NAME: Final = "mnist1d"
_HOME: Final = "mnist1d_hf.compat"
_MODULES: Final = {
    NAME: _HOME,
    **{f"{NAME}.{module}": f"{_HOME}.{module}" for module in ("data", "transform", "utils")},
}


def install() -> None:
    """Lets ``import mnist1d`` and ``from mnist1d.data import ...`` mean this package, in this process, from now on.

    It does not matter if the reference is installed. Once more changes nothing; `uninstall` takes it back.

    Raises:
        ImportError: If the reference has been imported already: what was taken from it would stay in use.
    """
    if foreign := [name for name in sys.modules if _is_of_name(name) and not _is_ours(name)]:
        place = getattr(sys.modules[foreign[0]], "__file__", None) or "an unknown place"
        raise ImportError(
            f"{foreign[0]!r} has been imported from {place} already, and what was taken from it would be mixed with "
            "this package; call mnist1d_hf.compat.install() before the first `import mnist1d` (in a notebook: restart "
            "the kernel)",
            name=NAME,
        )
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    _take_the_names()


def uninstall() -> None:
    """Gives the name ``mnist1d`` back: the next import finds the reference, if it is installed."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Finder)]
    for name in [name for name in sys.modules if _is_of_name(name) and _is_ours(name)]:
        del sys.modules[name]


class _Finder:
    """A finder of the name and all below it, asked before any finder that knows of an installed reference."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Returns the spec of a module called ``mnist1d`` or below it; None for any other name.

        Raises:
            ModuleNotFoundError: If the reference has no module of this name, or we have none.
        """
        if not _is_of_name(fullname):
            return None
        if fullname in _MODULES:  # somebody has removed it from sys.modules
            return ModuleSpec(fullname, self)  # type: ignore[arg-type]  # duck-typed, as importlib allows
        raise ModuleNotFoundError(
            f"there is no {fullname!r}: `mnist1d` is mnist1d_hf.compat here, which has what the published package "
            "0.0.2.post1 has, the modules data, utils and transform. Networks and training are in lightning_module "
            "(Classifier, make_network)",
            name=fullname,
        )

    def create_module(self, spec: ModuleSpec) -> None:
        """Returns None: Python makes a module of its own, which `exec_module` replaces."""

    def exec_module(self, module: ModuleType) -> None:
        """Puts this package's module in place of the one being made."""
        _take_the_names()


def _take_the_names() -> None:
    for name, home in _MODULES.items():
        sys.modules[name] = sys.modules[home]


def _is_of_name(name: str) -> bool:
    return name == NAME or name.startswith(f"{NAME}.")


def _is_ours(name: str) -> bool:
    return name in _MODULES and sys.modules.get(name) is sys.modules.get(_MODULES[name])

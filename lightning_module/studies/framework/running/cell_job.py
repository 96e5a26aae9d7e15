"""`CellJob`: what another process, on any machine, needs to compute the cells of a run."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning_module.networks import registering_modules
from lightning_module.studies.framework.cells import Cell
from lightning_module.studies.framework.running.cell_files import CellContent
from lightning_module.studies.framework.running.journal import Journal
from lightning_module.studies.framework.study_folder import folder_of, package_of

if TYPE_CHECKING:
    from lightning_module.studies.framework.study import Study

Task = tuple[int, str]  # a cell by its index, and its name, which must be the same there
_opened: dict[tuple[str, str], tuple[Journal, list[Cell]]] = {}  # by folder and run


class Importable:
    """What makes the rest of a job importable in the process that loads it: it is loaded first.

    Args:
        folder: The study's, if it is somebody's own.
        modules: Those that register networks.
    """

    def __init__(self, folder: Path | None, modules: tuple[str, ...]) -> None:
        self.folder, self.modules = folder, modules

    def __reduce__(self) -> tuple[Any, ...]:
        return _importable, (None if self.folder is None else str(self.folder), self.modules)


def _importable(folder: str | None, modules: tuple[str, ...]) -> Importable:
    place = None if folder is None else Path(folder)
    if place is not None:
        package_of(place)
    for module in modules:
        importlib.import_module(module)
    return Importable(place, modules)


@dataclass(frozen=True)
class CellJob:
    """What computes any cell of a run, in any process. Its fields are loaded in their order.

    Attributes:
        importable: Comes first, so that the numbers can be loaded.
        place: The study's module, and its name there.
        config: Its numbers.
        preset: The name of the preset.
        folder: The folder of the run.
        head: What the run is, see `Journal.open`.
    """

    importable: Importable
    place: tuple[str, str]
    config: Any
    preset: str
    folder: str
    head: dict[str, Any]

    @classmethod
    def of(cls, journal: Journal, place: tuple[str, str]) -> "CellJob":
        """Returns the job of a run that is open."""
        importable = Importable(folder_of(place[0]), registering_modules())
        return cls(importable, place, journal.config, journal.preset, str(journal.folder.absolute()), journal.head)

    def __call__(self, task: Task) -> CellContent | None:
        """Computes a cell, and keeps what came of it in the run's folder; returns it where that is not to be seen."""
        journal, cells = self._open()
        index, name = task
        if index >= len(cells) or cells[index].name != name:
            raise ValueError(f"cell {index} of study {journal.study.name!r} is not {name!r} here: it has other code")
        return journal.compute(cells[index])

    def _open(self) -> tuple[Journal, list[Cell]]:
        key = self.folder, str(self.head)
        if key not in _opened:
            study = study_at(self.place)
            journal = Journal(study, self.config, self.preset, Path(self.folder))
            journal.join(self.head)
            _opened.clear()
            _opened[key] = journal, list(study.cells(self.config))
        return _opened[key]


def study_place(study: "Study[Any]") -> tuple[str, str]:
    """Returns the module and the name under which another process finds a study.

    Raises:
        ValueError: If it has none.
    """
    function = study.run_cell
    module = sys.modules.get(getattr(function, "__module__", ""))
    for name, found in vars(module).items() if module and module.__name__ != "__main__" else ():
        if found is study:
            return module.__name__, name  # type: ignore[union-attr]
    raise ValueError(
        f"workers must be 1 for study {study.name!r}: other processes cannot import it; "
        "put it into a module, beside its run_cell function"
    )


def study_at(place: tuple[str, str]) -> "Study[Any]":
    """Returns the study at a place."""
    module, name = place
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]

"""A cell computed once more on this machine with other rounding, as another processor would compute it.

The libraries below torch choose their instructions by the processor when they are loaded, and so the order in which
they add. Environment variables have them choose others, in a process of its own.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import torch

from lightning_module.networks import registering_modules
from lightning_module.studies.framework.cells import Cell, Config, Outcome
from lightning_module.studies.framework.running.cell_job import Importable, study_at, study_place
from lightning_module.studies.framework.running.journal import outcome_of
from lightning_module.studies.framework.study import Study
from lightning_module.studies.framework.study_folder import folder_of
from mnist1d_hf.engine.engine import TasksError, WorkerError
from mnist1d_hf.engine.local import LocalEngine

# By what torch uses of this processor. AVX2 is nearly as fast as the usual way, the plain one takes twice its time.
PLAIN: Final = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Nehalem",
}
AVX2: Final = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_CBWR": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
MIXED: Final = {"ATEN_CPU_CAPABILITY": "default"}  # torch's own sums only
WAYS: Final = {"AVX512": (AVX2, MIXED, PLAIN), "AVX2": (PLAIN, MIXED), "DEFAULT": (PLAIN,)}


def otherwise(study: Study[Any], config: Config, cell: Cell) -> Iterator[Outcome]:
    """Yields the outcome of a cell with other rounding, once for each way that there is; it takes the time of the cell.

    Nothing is yielded where it cannot be computed, as of a study that other processes cannot import.

    Args:
        study: The study.
        config: Its numbers, and where its data come from.
        cell: The cell.
    """
    try:
        place = study_place(study)
    except ValueError:
        return
    job = _Job(Importable(folder_of(place[0]), registering_modules()), place, config)
    for way in ways():
        try:
            for _, outcome in LocalEngine(environment=way).map(job, [cell.name]):
                yield outcome
        except (TasksError, WorkerError):
            return


def ways() -> list[dict[str, str]]:
    """Returns the variables of each way of rounding that this machine has beside its own.

    What somebody has set is left as it is: there are processors for which a library chooses wrong.
    """
    here = WAYS.get(torch.backends.cpu.get_cpu_capability(), (MIXED,))  # other names are of other processors than x86
    left = [{name: value for name, value in way.items() if name not in os.environ} for way in here]
    return [way for way in left if way]


@dataclass(frozen=True)
class _Job:
    """What computes any cell of a study, in another process. Its fields are loaded in their order, see `CellJob`."""

    importable: Importable
    place: tuple[str, str]
    config: Config

    def __call__(self, name: str) -> Outcome:
        study = study_at(self.place)
        (cell,) = (cell for cell in study.cells(self.config) if cell.name == name)
        return outcome_of(study, self.config, cell)

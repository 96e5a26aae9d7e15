"""``mnist1d study run``."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from lightning_module.commands.options import Option
from lightning_module.commands.study.options import PRESET, Address, Engine, Folder, Mnist, Name, Preset, changed
from lightning_module.commands.study.printing import print_error, print_line
from lightning_module.commands.study.verdicts import draw_figures, print_verdicts
from lightning_module.studies import STUDIES
from mnist1d_hf.extras import MissingExtraError

if TYPE_CHECKING:
    from lightning_module.studies.framework.cells import Config
    from lightning_module.studies.framework.study import Study
    from mnist1d_hf.engine.engine import Engine as Chosen


def run(
    name: Name,
    *,
    preset: Preset = PRESET,
    folder: Folder = None,
    workers: Annotated[int | None, "processes; one for each core if not given"] = None,
    restart: Annotated[bool, "begin anew, and delete what the folder holds of it"] = False,
    engine: Engine = "local",
    address: Address = None,
    no_wait: Annotated[bool, "compute what nobody else is computing in the folder, then leave"] = False,
    mnist: Mnist = None,
    changes: Annotated[
        list[str] | None, Option("numbers of the study: seeds=3 steps=500", name="--set", metavar="NAME=VALUE")
    ] = None,
) -> int:
    """Run a study; interrupted, the same command goes on."""
    from lightning_module.stopping import Stopped, stopping
    from lightning_module.studies.framework.records.environment import cores
    from mnist1d_hf.engine.choose import engine_of

    places: list[Path] = []  # known once the study is

    def words() -> str:
        return _words_of_a_stop(places[0] if places else None, restart=restart)

    try:
        with stopping(words):
            study = STUDIES.find(name)
            config = changed(study.config(preset), [*(changes or []), *([f"mnist={mnist}"] if mnist else [])])
            places.append(Path(folder) if folder else study.folder(config))
            if workers is None and engine == "local":
                workers = cores()
            chosen = engine_of(engine, workers=workers, address=address)
            return _run(study, config, places[0], chosen, restart=restart, wait=not no_wait)
    except Stopped as stopped:
        print_error(words())
        return stopped.status


def _run(study: "Study[Any]", config: "Config", place: Path, chosen: "Chosen", *, restart: bool, wait: bool) -> int:
    from lightning_module.studies.framework.running.failures import CellError, UnfinishedError
    from mnist1d_hf.engine.engine import WorkerError

    try:
        result = study.run(config, folder=place, progress=True, restart=restart, engine=chosen, wait=wait)
    except UnfinishedError as unfinished:
        print_line(f"{unfinished}")
        return 0
    except (CellError, WorkerError) as error:
        print_error(f"error: {error}")
        if isinstance(error, CellError):
            print_error(
                f"the same command{' without --restart' if restart else ''} goes on with what is missing; "
                f"{place / 'cells'}{os.sep}CELL.error.txt says where each failed"
            )
            if error.missing:
                raise MissingExtraError(error.missing) from error
        return 1
    print_verdicts(study, result)
    draw_figures(study, result, place)
    print_line(f"{_minutes(result.provenance['wall_seconds'])}; everything is in {place}{os.sep}")
    return 0


def _words_of_a_stop(place: Path | None, *, restart: bool) -> str:
    """Returns a text that says what is kept of a run that was ended, and how to go on."""
    done = sum(1 for _ in (place / "cells").glob("*.json")) if place else 0
    if place is None or not done:
        return "stopped before a cell was done; the same command begins again"
    begun = any((place / "cells").glob("*.scratch.npz"))
    return (
        f"stopped; {done} finished cell{'' if done == 1 else 's'}{', and how far others were,' if begun else ''} "
        f"{'is' if done == 1 and not begun else 'are'} kept in {place}{os.sep}; the same command"
        f"{' without --restart' if restart else ''} goes on"
    )


def _minutes(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"

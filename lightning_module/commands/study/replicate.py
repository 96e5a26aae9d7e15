"""``mnist1d study replicate``."""

from pathlib import Path
from typing import Annotated

from lightning_module.commands.options import Option
from lightning_module.commands.study.options import PRESET, Folder, Mnist, Name, Preset, Sources, changed, with_sources
from lightning_module.commands.study.printing import print_line
from lightning_module.commands.study.run import run
from lightning_module.studies import STUDIES

UNUSED = 50_000  # the first seed of a replication, if none is given; no result of this package comes near it


def replicate(
    name: Name,
    *,
    preset: Preset = PRESET,
    against: Annotated[
        str | None, Option("the folder of the result to compare with; the committed one if not given", metavar="FOLDER")
    ] = None,
    first_seed: Annotated[int, "the first seed; those before were used for something"] = UNUSED,
    folder: Folder = None,
    workers: Annotated[int | None, "processes; one for each core if not given"] = None,
    restart: Annotated[bool, "begin anew, and delete what the folder holds of it"] = False,
    mnist: Mnist = None,
    sources: Sources = None,
) -> int:
    """Run a study on seeds that nobody used, and say where it disagrees with a result. Exit status: 1 if it does."""
    from lightning_module.studies.framework.proof.committed import committed, committed_result
    from lightning_module.studies.framework.proof.replication import compare_verdicts
    from lightning_module.studies.framework.result import Result

    study = STUDIES.find(name)
    if against is None and study.name not in committed():
        raise ValueError(f"no result of study {study.name!r} comes with the package: name yours, --against FOLDER")
    there = Result.load(Path(against)) if against else committed_result(study.name)
    if there.study != study.name:
        raise ValueError(f"--against {against} holds a result of study {there.study!r}, not of {study.name!r}")
    config = with_sources(changed(study.config(preset), [f"first_seed={first_seed}"]), mnist, sources)
    place = Path(folder) if folder else Path(f"{study.folder(preset)}-from-{first_seed}")
    changes = [f"first_seed={first_seed}", *(sources or ())]
    if status := run(
        name, preset=preset, folder=str(place), workers=workers, restart=restart, mnist=mnist, changes=changes
    ):
        return status
    compared = compare_verdicts(study.judge(there), study.judge(Result.load(place)))
    other = against or "the committed result"
    seeds = f"seeds {config.seed_range[0]} to {config.seed_range[-1]}"
    print_line(f"compared with {other}, {there.preset}: {seeds}, and the same contrasts")
    for each in compared:
        if each.agreement in ("opposite", "apart"):
            print_line(f"{each.agreement}: there {each.there}; here {each.here}")
    count = {word: sum(each.agreement == word for each in compared) for word in dict.fromkeys(c[2] for c in compared)}
    print_line(", ".join(f"{number} {word}" for word, number in count.items()))
    return int(bool({"opposite", "apart"} & set(count)))

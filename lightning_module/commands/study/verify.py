"""``mnist1d study verify``."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from lightning_module.commands.options import Option
from lightning_module.commands.study.options import (
    PRESET,
    Folder,
    Mnist,
    Name,
    Preset,
    Sources,
    config_again,
    saved_result,
)
from lightning_module.commands.study.printing import EXIT, print_checks, print_line
from lightning_module.commands.study.verdicts import print_verdicts

if TYPE_CHECKING:
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

RECOMPUTE: Final = (
    "compute N cells again, chosen by chance, after saying how long they took: the same to the last bit where "
    "processor and versions are, elsewhere no further away than other rounding takes them on this machine"
)


def verify(
    name: Name,
    *,
    preset: Preset = PRESET,
    folder: Folder = None,
    recompute: Annotated[int, Option(RECOMPUTE, metavar="N")] = 0,
    mnist: Mnist = None,
    sources: Sources = None,
) -> int:
    """Check a result, and print its verdicts. Exit status: 0 ok, 1 something differs, 3 the rows are not verified."""
    from lightning_module.studies.framework.proof.checks import Check, overall
    from lightning_module.studies.framework.proof.verify import findings_of
    from lightning_module.studies.framework.records.result_head import DamagedResultError

    if recompute < 0:
        raise ValueError(f"--recompute {recompute} must be at least 1, or 0 for no cell")
    if (mnist or sources) and not recompute:
        raise ValueError("--mnist and --set say where data are that --recompute N needs, which is not there")
    try:
        study, result, place = saved_result(name, preset, folder)
    except DamagedResultError as error:
        return print_checks([Check("DIFFERS", str(error))])
    checks = findings_of(study, result, place)
    if overall(checks) != "DIFFERS":
        print_verdicts(study, result)
    status = print_checks(checks)
    if not recompute:
        print_checks([Check("not verified", "no cell was computed again; --recompute N does it with N of them")])
        return status
    if status == EXIT["DIFFERS"]:
        return status
    return max(status, _recompute(study, result, recompute, (mnist, sources)), key=list(EXIT.values()).index)


def _recompute(study: "Study[Any]", result: "Result", count: int, sources: tuple[str | None, list[str] | None]) -> int:
    """Computes cells again, after saying which and how long each took; returns the exit status."""
    from lightning_module.studies.framework.cells import ConfigError
    from lightning_module.studies.framework.proof.checks import Check
    from lightning_module.studies.framework.proof.recompute import recomputed, shuffled

    try:
        config = config_again(study, result, *sources)
    except ConfigError as error:
        return print_checks([Check("not verified", f"no cell is computed again: {error}", essential=True)])
    order = shuffled(study, config, result)
    chosen = order[:count]
    names = ", ".join(again.cell.name for again in chosen)
    print_line(f"computing {len(chosen)} of {len(order)} cells again, chosen by chance: {names}")
    print_line(
        f"when they were computed they took {sum(again.seconds for again in chosen):,.0f} seconds; on another "
        "processor or with other versions it is twice as much or more, to see what rounding does"
    )
    statuses = list[int]()
    for again in order:
        check = recomputed(study, config, result, again)
        if check is None:
            print_line(f"cell {again.cell.name} comes to nothing, here as in the result; another one is taken, if any")
            continue
        statuses.append(print_checks([check]))
        if len(statuses) == count:
            break
    if not statuses:
        return print_checks([Check("not verified", "no cell comes to anything that can be compared", essential=True)])
    return max(statuses, key=list(EXIT.values()).index)

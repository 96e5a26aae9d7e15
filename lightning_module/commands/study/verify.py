"""``mnist1d study verify``."""

from typing import TYPE_CHECKING, Annotated, Any, Final

from lightning_module.commands.options import Option
from lightning_module.commands.study.options import PRESET, Folder, Name, Preset, changed, saved_result
from lightning_module.commands.study.printing import EXIT, print_checks, print_line
from lightning_module.commands.study.verdicts import print_verdicts

if TYPE_CHECKING:
    from lightning_module.studies.framework.cells import Config
    from lightning_module.studies.framework.result import Result
    from lightning_module.studies.framework.study import Study

RECOMPUTE: Final = (
    "compute N cells again, chosen by chance, after saying how long they took: the same to the last bit where "
    "processor and versions are, elsewhere within what rounding explains, which is not verified"
)


def verify(
    name: Name,
    *,
    preset: Preset = PRESET,
    folder: Folder = None,
    recompute: Annotated[int, Option(RECOMPUTE, metavar="N")] = 0,
    mnist: Annotated[str | None, Option("the MNIST digits that --recompute needs", metavar="FILE.npz")] = None,
) -> int:
    """Check a result, and print its verdicts. Exit status: 0 ok, 1 something differs, 3 the rows are not verified."""
    from lightning_module.studies.framework.proof.checks import Check, overall
    from lightning_module.studies.framework.proof.verify import findings_of
    from lightning_module.studies.framework.records.result_head import DamagedResultError

    if recompute < 0:
        raise ValueError(f"--recompute {recompute} must be at least 1, or 0 for no cell")
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
    return max(status, _recompute(study, result, recompute, mnist), key=list(EXIT.values()).index)


def _recompute(study: "Study[Any]", result: "Result", count: int, mnist: str | None) -> int:
    """Computes cells again, after saying which and how long each took; returns the exit status."""
    from lightning_module.studies.framework.cells import ConfigError
    from lightning_module.studies.framework.proof.checks import Check
    from lightning_module.studies.framework.proof.recompute import choose, recomputed
    from lightning_module.studies.framework.proof.verify import config_of
    from lightning_module.studies.framework.records.json_files import as_json

    try:
        config = config_of(study, result)
    except ConfigError as error:
        return print_checks([Check("not verified", f"no cell is computed again: {error}", essential=True)])
    config = changed(config, [f"{field}={value}" for field, value in _data_sources(config, result, mnist).items()])
    record = as_json(config.record())
    if odd := [field for field in record if record[field] != result.config[field]]:
        what = f"no cell is computed again: the result was made with {odd[0]}={result.config[odd[0]]}, not with "
        what += f"{record[odd[0]]}; name the file with --mnist FILE.npz"
        return print_checks([Check("not verified", what, essential=True)])
    chosen = choose(study, config, result, count)
    names = ", ".join(again.cell.name for again in chosen)
    print_line(f"computing {len(chosen)} of {len(study.cells(config))} cells again, chosen by chance: {names}")
    print_line(f"when they were computed they took {sum(again.seconds for again in chosen):,.0f} seconds")
    statuses = [print_checks([recomputed(study, config, result, again)]) for again in chosen]
    return max(statuses, key=list(EXIT.values()).index)


def _data_sources(config: "Config", result: "Result", mnist: str | None) -> dict[str, Any]:
    """Returns where the data of a result come from, as far as that is no file."""
    from dataclasses import fields

    kept = {field.name: result.config[field.name] for field in fields(config) if not field.compare}
    flags = {name: str(value).lower() for name, value in kept.items() if isinstance(value, bool)}
    return flags | ({"mnist": mnist} if mnist else {})

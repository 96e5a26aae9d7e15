"""Whether a saved result is still what its study says: its parts, numbers, versions, rules, data, regression bands.

Each check has three answers, see `checks`. That the numbers were computed, and not written by somebody who knows how
the digests are made, only computing them again can show: see `recompute`.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import chain
from pathlib import Path
from typing import Any

from lightning_module.studies.framework.cells import Config, ConfigError
from lightning_module.studies.framework.data import is_same_data
from lightning_module.studies.framework.proof.checks import Check, same
from lightning_module.studies.framework.proof.committed import known_of, relation
from lightning_module.studies.framework.records.environment import versions
from lightning_module.studies.framework.records.json_files import as_json
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.sealing import seal_of, tables_of_cells
from lightning_module.studies.framework.study import Study

LISTED = 5  # names in a sentence
UNUSABLE = "its numbers are none that the study can be run with"
LARGEST = 10**6  # of the numbers of somebody's own run that its cells are made of here


def findings_of(study: Study[Any], result: Result, folder: Path | None = None) -> list[Check]:
    """Returns the checks of a saved result.

    Args:
        study: The study.
        result: Its result; that its files are those that `result.json` has digests of, `Result.load` has checked.
        folder: Where it is, to compare it with the committed ones; None if it is nowhere.
    """
    known = known_of(result)
    is_committed = relation(result, folder) if folder else "is another"
    checks = [
        _files(result, folder),
        *_committed(result, is_committed),
        _cells(study, result, essential=is_committed != "is"),
        _config(study, result),
        *_versions(result),
        _claims(study, result),
        *_data(result),
    ]
    if all(check.good for check in checks):
        checks += _bands(study, result, known=known.outside if known and is_committed == "is" else ())
    return checks


def _files(result: Result, folder: Path | None) -> Check:
    """Returns whether a folder holds the tables and arrays of a result and no others, which might be taken for its."""
    known = {f"{name}.csv" for name in result.tables} | ({"arrays.npz"} if result.arrays else set())
    here = {path.name for path in folder.iterdir() if path.suffix in (".csv", ".npz")} if folder else known
    return same(
        here <= known,
        "the files are those that were saved",
        f"not of this result, and beside it: {_first_names(sorted(here - known))}; move them elsewhere",
    )


def config_of(study: Study[Any], result: Result) -> Config:
    """Returns the numbers that a result was made with, but not where its data came from.

    Raises:
        ConfigError: If they cannot be had.
    """
    if result.preset in study.presets:
        known: Config = study.config(result.preset).recorded(result.config)
        return known
    preset = next(iter(study.presets.values()), None)
    if preset is None or any(number > LARGEST for number in _integers(result.config)):
        raise ConfigError(UNUSABLE)
    try:
        preset = preset.recorded(result.config)
        said = preset.record().keys() | result.config.keys()  # a later number is said where it is not its default
        names = [field.name for field in fields(preset) if field.compare and field.name in said]
        found: Config = replace(preset, **{name: _tuples(result.config[name]) for name in names})
        record = as_json(found.record())
    except ConfigError:
        raise
    except (ValueError, TypeError, LookupError, AttributeError, OSError) as error:
        raise ConfigError(UNUSABLE) from error
    if any(record.get(name) != result.config[name] for name in names):
        raise ConfigError(UNUSABLE)
    return found


def _committed(result: Result, is_committed: str) -> Iterator[Check]:
    if is_committed == "is":
        yield Check("ok", "it is the committed result of this study and preset, by its digest")
    elif is_committed == "claims to be":
        finished = result.provenance["finished"]
        yield Check("DIFFERS", f"it says that it is the committed result, finished {finished}, and was changed since")


def _cells(study: Study[Any], result: Result, *, essential: bool) -> Check:
    """Returns whether the rows, arrays and data are those that the cells computed, no fewer and no more."""
    if not result.cells:
        words = "what each cell came to: results of versions up to 0.1.0 do not say it"
        return Check("not verified", words, essential=essential)
    names, wanted, unknown = [cell.name for cell in result.cells], None, ""
    try:
        wanted = [cell.name for cell in study.cells(config_of(study, result))]
    except ConfigError as error:
        unknown = str(error)
    if wanted is not None and names != wanted:
        odd = sorted(set(names) ^ set(wanted)) or ["their order"]
        return Check("DIFFERS", f"it has not the cells of these numbers: {_first_names(odd)}")
    arrays = list(chain.from_iterable(cell.arrays for cell in result.cells))
    labels = set(chain.from_iterable(cell.data for cell in result.cells))
    if sorted(arrays) != sorted(result.arrays) or labels != set(result.data):
        odd = sorted((set(arrays) ^ set(result.arrays)) | (labels ^ set(result.data))) or ["an array of two cells"]
        return Check("DIFFERS", f"its arrays and data are not those of its cells: {_first_names(odd)}")
    tables = {name: sum(cell.rows.get(name, 0) for cell in result.cells) for name in _tables(result)}
    if odd := sorted(n for n, count in tables.items() if n not in result.tables or len(result.tables[n]) != count):
        return Check("DIFFERS", f"its tables have not the rows of its cells: {_first_names(odd)}")
    parts = zip(result.cells, tables_of_cells(result), strict=True)
    differ = [cell.name for cell, part in parts if seal_of(result, cell, part) != cell.sha256]
    good = f"rows, arrays and data are those that its {len(result.cells)} cells came to, by their digests"
    bad = f"{len(differ)} of {len(result.cells)} cells came to something else, or with other numbers or versions: "
    if unknown and not differ:
        return Check("not verified", f"{good}; whether it has all cells is not known: {unknown}", essential=essential)
    return same(not differ, good, bad + _first_names(differ))


def _tables(result: Result) -> set[str]:
    return set(result.tables) | set(chain.from_iterable(cell.rows for cell in result.cells))


def _config(study: Study[Any], result: Result) -> Check:
    if result.preset == "custom":
        return Check("not verified", "the numbers are somebody's own, and no preset's to be compared with")
    if result.preset not in study.presets:
        return Check("DIFFERS", f"the study has no preset {result.preset!r}, but {', '.join(study.presets)}")
    try:
        preset = study.presets[result.preset].recorded(result.config)
    except ConfigError as error:
        return Check(
            "not verified", f"whether the numbers are those of preset {result.preset}: {error}", essential=True
        )
    expected = as_json(preset.record())
    if odd := sorted(expected.keys() ^ result.config.keys()):
        return Check("DIFFERS", f"its numbers are not those of the study: {_first_names(odd)}")
    free = {field.name for field in fields(preset) if not field.compare}  # where data come from
    odd = [name for name in expected if name not in free and expected[name] != result.config[name]]
    listed = _first_names([f"{name} is {result.config[name]!r:.60}, and {expected[name]!r:.60} there" for name in odd])
    return same(not odd, f"the numbers are those of preset {result.preset}", f"not preset {result.preset}: {listed}")


def _versions(result: Result) -> Iterator[Check]:
    here = versions()
    if odd := sorted(here.keys() ^ result.versions.keys()):
        yield Check("DIFFERS", f"its versions are not of the libraries that decide the numbers: {_first_names(odd)}")
        return
    if odd := [
        f"{name} {result.versions[name]}, here {here[name]}" for name in here if here[name] != result.versions[name]
    ]:
        yield Check("not verified", f"it was made with other versions than are here: {_first_names(odd)}")
    else:
        yield Check("ok", "the versions are those that are here")


def _claims(study: Study[Any], result: Result) -> Check:
    return same(
        study.claims_sha256_of(result.preset) == result.claims_sha256,
        "the claims' rules are those from before the run",
        "the claims' rules were changed after the run began: run the study again",
    )


def _data(result: Result) -> Iterator[Check]:
    """Yields whether the data are made anew as they were; those that several labels have in common, once."""
    distinct: dict[str, tuple[str, Any]] = {}
    for label, what in result.data.items():
        distinct.setdefault(repr(what), (label, what))
    found = {label: is_same_data(what) for label, what in distinct.values()}
    differ = [label for label, answer in found.items() if answer is False]
    left = [label for label, answer in found.items() if answer is None]
    words = f"{len(found) - len(left)} of {len(found)} data sets are made anew and compared with their digests"
    if differ:
        yield Check("DIFFERS", f"{words}; others than they were: {_first_names(differ)}")
    elif len(left) < len(found):
        yield Check("ok", words)
    if left:
        rest = f"{len(left)} of {len(found)} data sets, which are not ours, of another version or too large"
        yield Check("not verified", f"{rest}: {_first_names(left)}")
    if not found:
        yield Check("not verified", "data: it says of no data set what it is")


def _bands(study: Study[Any], result: Result, *, known: tuple[str, ...]) -> Iterator[Check]:
    try:
        measured = list(study.measured(result))
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        yield Check("DIFFERS", f"the bands cannot be computed from its tables: {type(error).__name__}: {error}")
        return
    for band, mean in measured:
        words = f"band {band.name}: {mean:.4g}, and was {band.low:g} to {band.high:g}"
        inside = band.low <= mean <= band.high
        if not inside and band.name in known:
            yield Check("ok", f"{words}; outside, as it was when this result was committed")
        else:
            yield same(inside, words, words)


def _integers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        yield len(value)
        for entry in value:
            yield from _integers(entry)
    elif isinstance(value, int | float):
        yield value


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _first_names(names: list[str]) -> str:
    rest = len(names) - LISTED
    return ", ".join(names[:LISTED]) + (f" and {rest} more" if rest > 0 else "")

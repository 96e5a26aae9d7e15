"""Whether a saved result is still what its study says: the rules of its claims, its data, its regression bands."""

from typing import Any, NamedTuple

from lightning_module.studies.base import Study
from lightning_module.studies.data import is_same_data
from lightning_module.studies.result import Result


class Check(NamedTuple):
    """Something that was compared."""

    good: bool
    what: str


def findings_of(study: Study[Any], result: Result) -> list[Check]:
    """Returns what a saved result was checked for; that its files belong together, `Result.load` has checked."""
    return [
        Check(True, "the files are those that were saved"),
        _claims(study, result),
        _data(result),
        *_bands(study, result),
    ]


def _claims(study: Study[Any], result: Result) -> Check:
    if study.claims_sha256 == result.claims_sha256:
        return Check(True, "the claims' rules are those from before the run")
    return Check(False, "the claims' rules were changed after the run began: run the study again")


def _data(result: Result) -> Check:
    """Returns whether the data are made anew as they were; those that several labels have in common, once."""
    distinct = {repr(what): (label, what) for label, what in result.data.items()}
    same = {label: is_same_data(what) for label, what in distinct.values()}
    differ = [label for label, found in same.items() if found is False]
    checked = sum(found is not None for found in same.values())
    words = f"{checked} of {len(same)} data sets are made anew and compared with their digests"
    return Check(not differ, words + (f"; others than they were: {', '.join(differ)}" if differ else ""))


def _bands(study: Study[Any], result: Result) -> list[Check]:
    return [
        Check(band.low <= mean <= band.high, f"band {band.name}: {mean:.4g}, and was {band.low:g} to {band.high:g}")
        for band, mean in study.measured(result)
    ]

"""The verdicts of all studies, as they were kept, and those that somebody asks for."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata
from importlib.resources import files
from typing import Any, Final

FILE: Final = "findings.json"
ALL: Final = "all"
VERDICTS: Final = {
    "holds": "✓ holds",
    "fails": "✗ fails",
    "inconclusive": "? inconclusive",
    "not tested": "○ not tested",
}


@dataclass(frozen=True)
class Claim:
    """A claim with its verdict.

    Attributes:
        study: Title of the study.
        page: The study's page of the site, without an ending.
        again: Whether it was run to decide amendments, and stands with its old rule in the study's other entry.
        told: Everything else by name, see `renew.row`.
    """

    study: str
    page: str
    again: bool
    told: dict[str, Any]

    @property
    def is_statement(self) -> bool:
        """Returns whether a source states it: it is no printed number alone and no question of our own."""
        return bool(self.told["kind"] == "statement")


@cache
def studies() -> dict[str, str]:
    """Returns the question of each study by its title."""
    return {each["study"]: each["question"] for each in _kept()}


@cache
def claims() -> tuple[Claim, ...]:
    """Returns all claims in the order of the report."""
    return tuple(Claim(each["study"], each["page"], each["again"], told) for each in _kept() for told in each["claims"])


def chosen(study: str = ALL, verdict: str = ALL, *, statements: bool = True) -> list[Claim]:
    """Returns the claims of a study with a verdict.

    Args:
        study: Title of a study, or "all": each claim once, those that were run again by their first rule.
        verdict: A key of `VERDICTS`, or "all".
        statements: Whether only statements of the sources are wanted.

    Raises:
        ValueError: If there is no such study or verdict.
    """
    for name, value, known in (("study", study, studies()), ("verdict", verdict, VERDICTS)):
        if value not in (ALL, *known):
            raise ValueError(f"{name}={value!r} must be one of {', '.join((ALL, *known))}")
    return [
        claim
        for claim in claims()
        if (claim.study == study or (study == ALL and not claim.again))
        and verdict in (ALL, claim.told["finding"])
        and (claim.is_statement or not statements)
    ]


def counted(found: Iterable[Claim]) -> str:
    """Returns how many claims have which verdict, in words."""
    numbers = Counter(claim.told["finding"] for claim in found)
    told = [f"{numbers[name]} {VERDICTS[name]}" for name in VERDICTS if numbers[name]]
    return ", ".join(told) or "none"


@cache
def site() -> str:
    """Returns where the site is published, as the package says; empty until it is."""
    try:
        urls: Sequence[str] = metadata("mnist1d-hf").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    found = dict(url.split(", ", 1) for url in urls if ", " in url)
    return found.get("Documentation", "").rstrip("/")


@cache
def _kept() -> list[dict[str, Any]]:
    text = files("lightning_module.explorer.findings").joinpath(FILE).read_text(encoding="utf-8")
    kept: list[dict[str, Any]] = json.loads(text)
    return kept

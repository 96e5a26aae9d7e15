"""Amendments: rules beside rules that turned out wrong, so that nothing is changed in silence after its result.

The claims of a study stay as they were before its first run, and so does their digest. An amendment has the whole claim
as it should have been, when and why it was written, and what was known by then. Its verdict comes from the tables of
the committed result, where what it says could not be chosen to please; else from a preset of its own, with seeds that
nobody has used and a number of them that is fixed with the rule. Old and new verdict are shown side by side.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from lightning_module.studies.framework.claims import Claim, Verdict, judge
from lightning_module.studies.framework.quantities import Tables

ADDED: Final = "a question that was added later"
OTHER_SETTING: Final = "inconclusive for the source's setting"  # begins the reason of a claim that is tested in another
SMOKE: Final = "-smoke"  # at the end of the name of a preset that is to decide nothing, but to be tried
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, kw_only=True)
class Amendment:
    """A rule beside an old one.

    Attributes:
        claim: The claim as it is now, by the name of the old one.
        date: When it was written, as 2026-11-28.
        reason: What was wrong.
        known: What was known of the results when it was written.
        decided_by: The preset whose run decides; nothing if the committed result's tables do.

    Raises:
        ValueError: If it does not say when, why, or what was known.
    """

    claim: Claim
    date: str
    reason: str
    known: str
    decided_by: str = ""

    def __post_init__(self) -> None:
        if not _DATE.fullmatch(self.date):
            raise ValueError(f"amendment of {self.claim.name!r}: date={self.date!r} must be a date such as 2026-11-28")
        for name in ("reason", "known"):
            if not getattr(self, name).strip():
                raise ValueError(
                    f"amendment of {self.claim.name!r}: {name}='' must say it; nothing is amended silently"
                )


@dataclass(frozen=True)
class Amended:
    """An amendment with its verdicts, a row of the table of amendments.

    Attributes:
        amendment: The amendment.
        old: The verdict by the old rule.
        new: The verdict by the new one; None until its preset was run.
    """

    amendment: Amendment
    old: Verdict
    new: Verdict | None

    @property
    def state(self) -> Literal["same", "changed", "to be run"]:
        """Returns whether the finding is another one now."""
        if self.new is None:
            return "to be run"
        return "same" if self.new.finding == self.old.finding else "changed"


def with_amendments(claims: Sequence[Claim], amendments: Sequence[Amendment]) -> list[Claim]:
    """Returns the claims with those in place of the old ones that were amended, and then questions that were added.

    Raises:
        ValueError: If there is no claim of an amendment's name, or the amendment takes away what it is tested by.
    """
    new = {each.claim.name: each.claim for each in amendments}
    names = {claim.name for claim in claims}
    if unknown := [name for name, claim in new.items() if name not in names and not claim.exploratory]:
        raise ValueError(
            f"amendment of {min(unknown)!r}: the study has no claim of this name; only a question may be added, "
            "exploratory=True"
        )
    for claim in claims:
        if claim.name in new and new[claim.name].exploratory > claim.exploratory:
            raise ValueError(f"amendment of {claim.name!r} must be no more exploratory than the claim that it amends")
    return [*(new.get(claim.name, claim) for claim in claims), *(new[name] for name in new if name not in names)]


def of_preset(amendments: Sequence[Amendment], preset: str) -> list[Claim]:
    """Returns the amended claims that a preset, or the one that it is a trial of, is to decide.

    Args:
        amendments: All of a study.
        preset: Its name.
    """
    name = preset.removesuffix(SMOKE)
    return [each.claim for each in amendments if each.decided_by and each.decided_by == name]


def amended(
    claims: Sequence[Claim],
    amendments: Sequence[Amendment],
    tables: Tables,
    runs: Mapping[str, Tables],
    judged: Sequence[Verdict] | None = None,
) -> list[Amended]:
    """Returns each amendment with its verdicts.

    An amended claim is corrected for being one of several together with all claims that are decided by the same tables.

    Args:
        claims: The claims as they were.
        amendments: The amendments.
        tables: Of the committed result.
        runs: The tables of the presets that decide, as far as they were run.
        judged: The verdicts by the old rules, where they are known: some take half a minute.
    """
    before = judge(claims, tables) if judged is None else judged
    old = {each.claim.name: Verdict(each.claim, "not tested", "none published", reason=ADDED) for each in amendments}
    old |= {verdict.claim.name: verdict for verdict in before}
    now = [each for each in amendments if not each.decided_by]
    new = {(verdict.claim.name, ""): verdict for verdict in judge(with_amendments(claims, now), tables)}
    for preset, of_run in runs.items():
        new |= {(v.claim.name, preset): v for v in judge(of_preset(amendments, preset), of_run)}
    return [Amended(each, old[each.claim.name], new.get((each.claim.name, each.decided_by))) for each in amendments]

"""`verdict_table`: the verdicts on a result's claims in words, as a table for a notebook."""

from typing import TYPE_CHECKING, Any

from lightning_module.studies.framework.claims import Claim, Verdict
from lightning_module.studies.framework.result import Result
from lightning_module.studies.framework.study import Study
from lightning_module.studies.verdict_text import finding_words, interval_words, needed, number, number_words

if TYPE_CHECKING:
    import pandas as pd


def verdict_table(study: Study[Any], result: Result) -> "pd.DataFrame":
    """Returns a row for each claim of a study, by the claim's name, all columns texts.

    | column | what it is |
    |---|---|
    | kind | "statement" of a source, printed "number" without one, or "question" of our own |
    | statement | what the claim says |
    | finding | whether it holds |
    | contrast | what decides that, each part with its 95 % interval |
    | needed | where each part has to lie |
    | n | independent runs |
    | published | the published number |
    | ours | the mean, and where one more run would come out 95 times out of 100 |
    | number | whether the published number is inside |
    | source | where the claim is made |

    Args:
        study: The study.
        result: A result of it, of any preset.
    """
    import pandas as pd

    verdicts = study.judge(result)
    rows = [{"kind": kind(verdict.claim), **in_words(verdict)} for verdict in verdicts]
    return pd.DataFrame(rows, index=pd.Index([verdict.claim.name for verdict in verdicts], name="claim"))


def kind(claim: Claim) -> str:
    """Returns "question" for our own, "number" for a printed number without a statement, else "statement"."""
    return "question" if claim.exploratory else "number" if claim.is_number else "statement"


def in_words(verdict: Verdict) -> dict[str, str]:
    """Returns the columns of `verdict_table` but the kind."""
    claim, parts = verdict.claim, verdict.parts
    units = dict.fromkeys([verdict.units, *(part.units for part in parts)])
    return {
        "statement": claim.text,
        "finding": finding_words(verdict),
        "contrast": "; ".join(interval_words(part.interval, units=part.units) for part in parts) or "-",
        "needed": "; ".join(needed(part.finding) for part in parts) or "-",
        "n": " / ".join(str(count) for count in units if count) or "-",
        "published": number(claim.number.published) if claim.number else "-",
        "ours": interval_words(verdict.prediction, units=verdict.units) if verdict.prediction else "-",
        "number": number_words(verdict),
        "source": claim.source,
    }

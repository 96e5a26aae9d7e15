"""What is written by hand beside a result, with its numbers from the verdicts: its answer, and first-page remarks.

In `answer.md` of a result's folder `{claim}` stands for the estimate of a claim's first contrast with its 95 %
interval, `{claim[1]}` for that of the second, `{claim:points}` for one in points of 100, `{claim:factor}` for 10 to its
power, and `{claim:word}` for the finding. So no number is copied, and none is out of date.

What changes how the other studies are read is said on the first page: that is in `front.md`, in the same way.
"""

import math
from collections.abc import Callable
from typing import Final

from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.words import interval_words

FILE: Final = "answer.md"
FRONT: Final = "front.md"
SCALES: Final[dict[str, Callable[[float], float]]] = {
    "": lambda value: value,
    "points": lambda value: 100 * value,
    "factor": lambda value: math.pow(10, value),
}


def answer(entry: Entry, name: str = FILE) -> str:
    """Returns the answer beside an entry's result, as a list in Markdown; nothing if there is none.

    Args:
        entry: The study with its result.
        name: Of the file.

    Raises:
        ValueError: If it names a claim or a contrast that there is none of.
    """
    if entry.folder is None or not (file := entry.folder / name).is_file():
        return ""
    findings = {verdict.claim.name: _Finding(verdict) for verdict in entry.verdicts if verdict.parts}
    try:
        sentences = file.read_text(encoding="utf-8").strip().format_map(findings).splitlines()
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"{file} has {error}; write {{claim}}, {{claim[1]}}, {{claim:points}}, {{claim:factor}} or "
            f"{{claim:word}}, for a claim with a finding: {', '.join(findings) or 'there is none'}"
        ) from error
    return "\n".join(f"- {sentence}" for sentence in sentences)


class _Finding:
    def __init__(self, verdict: Verdict, contrast: int = 0) -> None:
        self._verdict, self._contrast = verdict, contrast

    def __getitem__(self, contrast: int) -> "_Finding":
        return _Finding(self._verdict, contrast)

    def __format__(self, how: str) -> str:
        if how == "word":
            return self._verdict.finding
        _, interval, units, _ = self._verdict.parts[self._contrast]
        estimate, _, rest = interval_words(Interval(*map(SCALES[how], interval)), units=units).partition(" ")
        return " ".join([estimate, *["points"] * (how == "points"), *[rest] * (units > 0)])

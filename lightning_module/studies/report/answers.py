"""What is written by hand beside a result, with its numbers from the verdicts: its answer, and first-page remarks.

In `answer.md` of a result's folder a name in braces stands for a number:

| written | what it becomes |
|---|---|
| `{claim}` | the estimate of a claim's first contrast with its 95 % interval |
| `{claim[1]}` | that of its second contrast |
| `{claim:points}`, `{claim:factor}` | in points of 100; 10 to its power |
| `{claim:count}` | of a share of runs: "7 of 10" |
| `{claim:word}` | the finding |
| `{amended/claim}` | by the amended rule; "to be run" until the run that decides it is there |
| `{study/claim}`, `{study/amended/claim}` | the same of another study |

So no number is copied, and none is out of date. What changes how the other studies are read is said on the first page:
that is in `front.md`, in the same way.
"""

import math
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from lightning_module.studies.framework.claims import Verdict
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.report.entries import Entry
from lightning_module.studies.report.words import interval_words

FILE: Final = "answer.md"
FRONT: Final = "front.md"
AMENDED: Final = "amended"
TO_BE_RUN: Final = "to be run"
SCALES: Final[dict[str, Callable[[float], float]]] = {
    "": lambda value: value,
    "points": lambda value: 100 * value,
    "factor": lambda value: math.pow(10, value),
}


def answer(entry: Entry, found: Sequence[Entry] = (), name: str = FILE) -> str:
    """Returns the answer beside an entry's result, as a list in Markdown; nothing if there is none.

    Args:
        entry: The study with its result.
        found: All entries of the report, whose findings may be named too.
        name: Of the file.

    Raises:
        ValueError: If it names a claim or a contrast that there is none of.
    """
    if entry.folder is None or not (file := entry.folder / name).is_file():
        return ""
    findings = _Findings(entry, found)
    try:
        sentences = _Text().vformat(file.read_text(encoding="utf-8").strip(), (), findings).splitlines()
    except (LookupError, ValueError) as error:
        raise ValueError(
            f"{file} has {error}; write {{claim}}, {{claim[1]}}, {{claim:points}}, {{claim:factor}}, {{claim:count}}, "
            f"{{claim:word}}, {{amended/claim}} or {{study/claim}}, for a claim with a finding: "
            f"{', '.join(findings) or 'there is none'}"
        ) from error
    return "\n".join(f"- {sentence}" for sentence in sentences)


class _Text(string.Formatter):
    """How braces are read: a name may have a dot in it, as "iid-0.05" has, and stands for no attribute."""

    def get_field(self, field_name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        """Returns what a field stands for."""
        name, _, contrast = field_name.removesuffix("]").partition("[")
        return (kwargs[name][int(contrast)] if contrast else kwargs[name]), name


class _Findings(Mapping[str, "_Finding"]):
    """The findings that an answer may name, by the name that it has there."""

    def __init__(self, entry: Entry, found: Sequence[Entry]) -> None:
        self._of = dict(_named(entry, ""))
        own = entry.study.name if entry.study else ""
        for other in found:
            # What decides amendments has no name of its own: it is among the amendments of its study.
            if other.study is not None and other.study.name != own and not other.decides_amendments:
                self._of |= dict(_named(other, f"{other.study.name}/"))

    def __getitem__(self, name: str) -> "_Finding":
        return self._of[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._of if "/" not in name or name.startswith(f"{AMENDED}/"))

    def __len__(self) -> int:
        return len(self._of)


def _named(entry: Entry, before: str) -> Iterator[tuple[str, "_Finding"]]:
    """Yields the findings of an entry and of its amendments, by their names with something before."""
    for verdict in entry.verdicts:
        if verdict.parts:
            yield before + verdict.claim.name, _Finding(verdict)
    for name, amended in entry.amended.items():
        if amended.new is None or amended.new.parts:
            yield f"{before}{AMENDED}/{name}", _Finding(amended.new)


class _Finding:
    def __init__(self, verdict: Verdict | None, contrast: int = 0) -> None:
        self._verdict, self._contrast = verdict, contrast

    def __getitem__(self, contrast: int) -> "_Finding":
        return _Finding(self._verdict, contrast)

    def __format__(self, how: str) -> str:
        if self._verdict is None:
            return TO_BE_RUN
        if how == "word":
            return self._verdict.finding
        part = self._verdict.parts[self._contrast]
        interval, units = part.interval, part.units
        if how == "count":
            return f"{round(interval.estimate * units)} of {units}"
        estimate, _, rest = interval_words(Interval(*map(SCALES[how], interval)), units=units).partition(" ")
        return " ".join([estimate, *["points"] * (how == "points"), *[rest] * (units > 0)])

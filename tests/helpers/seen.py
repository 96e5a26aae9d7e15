"""What must not be seen on a terminal, and what must: each check takes lines and returns complaints, or nothing.

Cut numbers, words and headers are found by comparison, not by a list of what can go wrong: whatever is seen in a narrow
terminal must be a word of what the same command writes into a pipe, where nothing has to fit.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

BAR = re.compile(
    r"(?P<done>\d[\d,]*)/(?P<total>\d[\d,]*)"
    r"(?: - (?P<speed>[\d,.]+) (?P<unit>steps/s|s/step))?"
    r"(?: - (?P<left>[\d:]+) left)?(?: - in [\d:]+)?(?= - |$)"
)
NEVER = {
    "a traceback": re.compile(r"Traceback \(most recent call last\)|^\s*File \".*\", line \d+|^KeyboardInterrupt"),
    "the bar that Lightning has by itself": re.compile(r"\bEpoch \d+|\bit/s\b|/-\d|\bv_num\b|Sanity Checking"),
    "a number that is none": re.compile(r"\b(nan|inf)\b"),
}
NOT_OURS = {"a message of another program's author": re.compile(r"FLOPs|litlogger|💡|UserWarning|FutureWarning")}
# What is another at each run, and may be written with another number of digits: times, speeds, losses, names of files.
CHANGES = re.compile(
    r"[\d,.]+ (?:steps/s|s/step)|\d+:\d\d(?::\d\d)?|(?<=in )[\d,.]+ (?:s|min)|(?<=train )\d\S*|\S*quiz-\d\S*"
    r"|(?<=version_)\d+"
)
# What only a terminal shows: our own words about that, and the bar of datasets, which comes once and is cut by itself.
OMITTED = re.compile(r"^\(a wider terminal also shows: .*?\)$|^Generating \w+ split: .*?$", re.MULTILINE | re.DOTALL)
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")  # all but the tabulator and the end of a line
DRAWN = re.compile("[━╸╺\u2800-\u28ff]+")  # bars, and signals in braille, which are larger where there is room
WORD = re.compile(r"[\w.,%±]+")
MOST_OFF = 3.0  # a speed and the one that was seen may differ by this factor: a bar says the one of late
CLEAR = 1.5  # seconds between two sightings that a speed is taken from


class Sighting(NamedTuple):
    """A screen at a moment.

    Attributes:
        at: Seconds, from any moment on.
        lines: The lines, from the top, as wide as the terminal.
    """

    at: float
    lines: Sequence[str]


class Bar(NamedTuple):
    """What a progress bar says.

    Attributes:
        at: Seconds, from any moment on.
        done: Steps that are done.
        total: All steps.
        speed: Steps in a second; None if it is not said.
        left: Seconds; None if it is not said.
        line: The line itself.
    """

    at: float
    done: int
    total: int
    speed: float | None
    left: int | None
    line: str


def bars(screen: Sighting) -> list[Bar]:
    """Returns the progress bars on a screen."""
    found = []
    for line in screen.lines:
        match = BAR.search(line)
        if match is None or " - " not in line:
            continue
        speed = None if match["speed"] is None else float(match["speed"].replace(",", ""))
        if speed and match["unit"] == "s/step":
            speed = 1 / speed
        left = None
        if match["left"]:
            left = 0
            for part in match["left"].split(":"):
                left = 60 * left + int(part)
        done, total = (int(match[name].replace(",", "")) for name in ("done", "total"))
        found.append(Bar(screen.at, done, total, speed, left, line.strip()))
    return found


def never(lines: Iterable[str], *, ours: bool = True) -> list[str]:
    """Finds what nobody may see.

    Args:
        lines: What was seen.
        ours: Whether it is a command of the project, which says nothing that others have to say.
    """
    patterns = NEVER | (NOT_OURS if ours else {})
    return [f"{what}: {line!r}" for line in lines for what, pattern in patterns.items() if pattern.search(line)]


def untrue_bars(screens: Sequence[Sighting], totals: Sequence[int], *, wide: bool) -> list[str]:
    """Finds bars that are missing or not true.

    Args:
        screens: What was seen, in the order of time.
        totals: The steps of each training, one after another.
        wide: Whether the terminal has room for the speed.
    """
    seen = [bar for screen in screens for bar in bars(screen)[-1:]]
    found = [f"a bar of {bar.total} steps, and {totals} were asked for: {bar.line!r}" for bar in seen
             if bar.total not in totals][:1]  # fmt: skip
    for screen in screens:
        if len(bars(screen)) > len(totals):
            found.append(f"{len(bars(screen))} bars for {len(totals)} trainings: {[bar.line for bar in bars(screen)]}")
            break
    last = bars(screens[-1]) if screens else []
    if [bar.done for bar in last] != [bar.total for bar in last] or len(last) != len(totals):
        found.append(f"at the end {len(totals)} full bars are missing: {[bar.line for bar in last]}")
    moving = [bar for bar in seen if 0 < bar.done < bar.total]
    if not moving:
        found.append("no bar was seen to move")
    found += [f"no time left: {bar.line!r}" for bar in moving if bar.left is None][:1]
    if wide and moving and not any(bar.speed for bar in moving):
        found.append(f"no speed: {moving[-1].line!r}")
    return found + _untrue_speed(moving)


def _untrue_speed(moving: Sequence[Bar]) -> list[str]:
    """Compares the speed and the time left that bars say with those that their numbers of steps had."""
    for first, second in _pairs(moving):
        true = (second.done - first.done) / (second.at - first.at)
        if second.speed and not 1 / MOST_OFF <= second.speed / true <= MOST_OFF:
            return [f"{true:.0f} steps were done in a second: {second.line!r}"]
        if second.left is not None:
            expected = (second.total - second.done) / true
            if not expected / MOST_OFF - 2 <= second.left <= expected * MOST_OFF + 2:
                return [f"{expected:.0f} s were left: {second.line!r}"]
        return []
    return []


def _pairs(moving: Sequence[Bar]) -> Iterator[tuple[Bar, Bar]]:
    """Yields two sightings of the same training, with some time between them."""
    start = 0
    for place, bar in enumerate(moving):
        if place and bar.done < moving[place - 1].done:
            start = place  # the next training
        if bar.at - moving[start].at >= CLEAR and bar.done > moving[start].done:
            yield moving[start], bar


def words(text: str) -> set[str]:
    """Returns the words and numbers of a text, without those that are others at each run."""
    return set(re.sub(r"[-/\\]", " ", CHANGES.sub(" ", text)).split())


def cut(lines: Sequence[str], whole: str) -> list[str]:
    """Finds words, numbers and headers that are not in what the same command writes where there is room.

    Args:
        lines: What was seen; a line that the terminal has broken is one line.
        whole: What was written where there is room.
    """
    known = words(whole)
    shown = OMITTED.sub("", "\n".join(lines)).splitlines()
    return [
        f"cut, or not there in a wide terminal: {word!r} in {line.strip()!r}"
        for line in shown
        for word in sorted(words(BAR.sub(" ", line)) - known)
        if not DRAWN.fullmatch(word)
    ]


def broken(lines: Sequence[str], width: int) -> list[str]:
    """Finds words and numbers that the edge of the terminal has broken; a path may be, so that it can be copied.

    Args:
        lines: What was seen; a line that the terminal has broken is one line.
        width: Of the terminal.
    """
    found = []
    for line in lines:
        for edge in range(width, len(line), width):
            start = max(line.rfind(" ", 0, edge), 0)
            end = line.find(" ", edge)
            word = line[start : None if end < 0 else end].strip()
            fits = len(word) <= width  # a digest may not
            if fits and line[edge - 1] != " " and line[edge] != " " and WORD.fullmatch(word.strip("():;'\"")):
                found.append(f"broken by the edge: {word!r} in {line.strip()!r}")
    return found


def control_codes(piped: bytes) -> list[str]:
    """Finds what is for terminals only in what was written into a pipe."""
    return [f"a control code: {line!r}" for line in piped.split(b"\n") if CONTROL.search(line)][:3]


def after_stop(before: Sequence[str], lines: Sequence[str]) -> list[str]:
    """Finds what a command says after Ctrl-C beside one line.

    Args:
        before: What was seen when the key was pressed.
        lines: What was seen at the end.
    """
    old = {line.strip() for line in before}
    new = [line.replace("^C", "").strip() for line in lines]
    new = [line for line in new if line and line not in old and not BAR.search(line)]
    told = " ".join(new)
    if not told.startswith("stopped") or told.count("stopped") != 1:
        return [f"not one line that says 'stopped': {new}"]
    return []

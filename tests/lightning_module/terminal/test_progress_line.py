import io
import itertools

import pytest
from rich.console import Console

from lightning_module.terminal.progress import Part, ProgressLine, clock_words, count_words, joined, speed_words

PARTS = [
    Part("3,400/6,000"),
    Part("420 steps/s", 4),
    Part("0:14 left", 1),
    Part("train 0.012", 3),
    Part("val 93.1 %", 2),
]


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (80, "3,400/6,000 - 420 steps/s - 0:14 left - train 0.012 - val 93.1 %"),
        (60, "3,400/6,000 - 0:14 left - train 0.012 - val 93.1 %"),
        (40, "3,400/6,000 - 0:14 left - val 93.1 %"),
        (25, "3,400/6,000 - 0:14 left"),
        (12, "3,400/6,000"),
        (5, "3,400/6,000"),
    ],
)
def test_parts_go_by_their_rank(width, text):
    assert joined(PARTS, width) == text


def test_elsewhere_lines_come_at_intervals_that_grow():
    now, file = [0.0], io.StringIO()
    line = ProgressLine(Console(file=file, force_terminal=False), clock=lambda: now[0])
    line.start(0, 0.0, lambda: [Part("0")])
    said = []
    for second in range(1, 3601):
        now[0] = float(second)
        if line.is_due:
            line.tell(second, second / 3600, lambda: [Part(f"{now[0]:.0f}"), Part(f"{line.speed:.0f}/s")])
            said.append(second)
    line.finish(3600, 1.0, lambda: [Part("done")])
    assert file.getvalue().splitlines() == [*(f"{second} - 1/s" for second in said), "done"]
    assert said[:4] == [10, 20, 30, 40]
    gaps = [b - a for a, b in itertools.pairwise(said)]
    assert min(gaps) == 10
    assert max(gaps) == 300
    assert gaps == sorted(gaps)


def test_words():
    assert [clock_words(each) for each in (0, 14.2, 75, 3723)] == ["0:00", "0:14", "1:15", "1:02:03"]
    assert [speed_words(each, "steps") for each in (4200, 42.4, 4.25, 0.25)] == [
        "4,200 steps/s",
        "42 steps/s",
        "4.2 steps/s",
        "4.0 s/step",
    ]
    assert count_words(3400, 6000, "steps") == "3,400/6,000"
    assert count_words(3400, None, "steps") == "3,400 steps"

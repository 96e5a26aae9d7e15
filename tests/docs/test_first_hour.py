"""What `tests/first_hour.sh` must see and must not: each fault planted in a screen, and the screen without it."""

import io

import pytest
from first_hour import PAGES, blocks_of
from rich.console import Console
from rich.table import Table
from seen import Sighting, after_stop, broken, control_codes, cut, never, untrue_bars

from lightning_module.terminal.tables import Column
from lightning_module.terminal.tables import Table as Fitting

WHOLE = "study of the learning rate  0.026  93.3 % ± 0.7  ctl-inner-products"
ROWS = [
    Sighting(0.0, ["━━━━ 100/1,000 - 100 steps/s - 0:09 left"]),
    Sighting(2.0, ["━━━━ 300/1,000 - 100 steps/s - 0:07 left - train 0.1"]),
    Sighting(4.0, ["━━━━ 500/1,000 - 100 steps/s - 0:05 left - train 0.1 - val 60.0 %"]),
    Sighting(9.0, ["━━━━ 1,000/1,000 - 100 steps/s - in 0:10 - train 0.1 - val 60.0 %", "accuracy 60.0 %"]),
]


def printed(table: object, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


def squeezed(width: int) -> list[str]:
    """A table as rich makes it by itself, which cuts what has no room."""
    table = Table("finding", "contrast", "number of seeds", box=None)
    table.add_row("confirmed within the margin", "0.026 (0.011 to 0.041)", "10")
    return printed(table, width)


def test_a_table_that_cuts_a_number_or_a_header_is_seen() -> None:
    whole = "\n".join(squeezed(200))
    assert cut(squeezed(200), whole) == []
    assert any("…" in fault or "0.0" in fault for fault in cut(squeezed(30), whole))
    assert cut(["rate  0.02"], WHOLE)
    assert cut(["r  0.026"], WHOLE)
    for left_out in (["(a wider terminal also shows: n)"], ["(a wider terminal also shows: contrast (95 %),", "n)"]):
        assert cut([*left_out, "rate  0.026"], WHOLE) == []
        assert cut([*left_out, "rate  0.02"], WHOLE)


@pytest.mark.parametrize("width", [30, 40, 60])
def test_our_own_table_cuts_nothing(width: int) -> None:
    columns = [Column("finding", sentence=True), Column("contrast"), Column("number of seeds", right=True, rank=1)]
    table = Fitting(columns, [["confirmed within the margin", "0.026 (0.011 to 0.041)", "10"]])
    assert cut(printed(table, width), "\n".join(printed(table, 200))) == []


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 62/-2 ━━━━ 38/40 0:00:00 • 0:00:00 0.00it/s v_num: 0",
        "Traceback (most recent call last):",
        'val/acc                nan',
        "💡 Tip: For seamless cloud logging, install litlogger",
    ],
)  # fmt: skip
def test_what_must_never_be_seen(line: str) -> None:
    assert never(["Test accuracy of cnn after 500 steps: 80.0%", line])


def test_a_true_bar_is_well() -> None:
    assert untrue_bars(ROWS, [1000], wide=True) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1,000", "6,000", "were asked for"),
        (" - 0:05 left", "", "no time left"),
        (" - 100 steps/s", "", "no speed"),
        ("100 steps/s", "9,999 steps/s", "were done in a second"),
        ("0:05 left", "9:59 left", "were left"),
        ("━━━━ 1,000/1,000", "━━━━ 900/1,000", "full bars are missing"),
    ],
)
def test_a_bar_that_is_not_true_is_seen(old: str, new: str, said: str) -> None:
    screens = [Sighting(at, [line.replace(old, new) for line in lines]) for at, lines in ROWS]
    if said == "were left":
        screens = [Sighting(at, [line.replace("0:07 left", new) for line in lines]) for at, lines in screens]
    assert any(said in fault for fault in untrue_bars(screens, [1000], wide=True))


def test_a_bar_that_is_repeated_is_seen() -> None:
    screens = [*ROWS[:-1], Sighting(9.0, [*ROWS[0].lines, *ROWS[-1].lines])]
    assert any("bars for 1 trainings" in fault for fault in untrue_bars(screens, [1000], wide=True))


def test_what_the_edge_breaks_is_seen_but_for_paths() -> None:
    assert broken(["what is the accuracy of 93.26 % here"], 27)
    assert broken(["Checkpoint: outputs/version_0/last.ckpt"], 27) == []


def test_ctrl_c_is_answered_with_a_line() -> None:
    before = ["━━━ 300/1,000 - 0:07 left"]
    assert after_stop(before, [*before, "^C", "stopped at step 301; kept: last.ckpt; to go", "on, add it"]) == []
    assert after_stop(before, [*before, "^C", "Traceback (most recent call last):", "KeyboardInterrupt"])
    assert after_stop(before, before)


def test_control_codes_in_a_pipe_are_seen() -> None:
    assert control_codes(b"100/1,000\r200/1,000\n")
    assert control_codes(b"\x1b[1mbold\x1b[0m\n")
    assert control_codes("93 % \u2800 plain\n".encode()) == []


def test_the_pages_have_commands() -> None:
    """So that the walk cannot become one past nothing."""
    from blocks import ROOT

    for page in PAGES:
        assert {"console", "python"} <= {language for language, _ in blocks_of(ROOT / page)}

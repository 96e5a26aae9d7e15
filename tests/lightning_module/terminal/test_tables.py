"""Nothing that a table shows is cut, at any width; `python -m pytest -k tables` needs no terminal."""

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from lightning_module.terminal.tables import Column, Pairs, Table, show

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-%[]", min_size=1, max_size=12)
SENTENCE = st.lists(WORD, max_size=12).map(" ".join)


def drawn(table, width):
    """Returns what a terminal of a width shows, as lines."""
    file = io.StringIO()
    show(table, Console(file=file, width=width, force_terminal=True, no_color=True, legacy_windows=False))
    return [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue()).splitlines()]


@st.composite
def tables(draw):
    count = draw(st.integers(1, 6))
    sentence = draw(st.lists(st.booleans(), min_size=count, max_size=count))
    columns = [
        Column(f"head{place}", draw(st.booleans()), draw(st.integers(0, 3)), sentence[place]) for place in range(count)
    ]
    cell = [SENTENCE if each else st.one_of(WORD, st.just(""), st.just("0.026 (0.011 to 0.041)")) for each in sentence]
    return Table(columns, draw(st.lists(st.tuples(*cell), min_size=1, max_size=4)))


@given(tables(), st.integers(40, 160))
@settings(max_examples=150)
def test_every_cell_is_shown_whole_or_its_column_is_named_as_left_out(table, width):
    lines = drawn(table, width)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    gone = text.partition("(a wider terminal also shows: ")[2].replace("\n", " ").rstrip(")").split(", ")
    places = table.fitting(width)
    if places is None:
        assert gone == [""]
        places = range(len(table.columns))
    for place, column in enumerate(table.columns):
        assert (column.name in gone) == (place not in places)
        assert column.rank > 0 or place in places
        for row in table.rows if place in places else ():
            if column.sentence:
                assert set(row[place].split()) <= set(text.split())
            else:
                assert any(row[place] in line for line in lines)


@given(tables())
def test_a_wider_terminal_never_shows_less(table):
    shown = [table.fitting(width) for width in range(40, 200)]
    counts = [len(table.columns) if places is None else len(places) for places in shown]
    as_blocks = [places is None for places in shown]
    assert as_blocks == sorted(as_blocks, reverse=True)
    rest = counts[sum(as_blocks) :]
    assert rest == sorted(rest)
    assert table.fitting(table.natural_width) == list(range(len(table.columns)))


VERDICTS = Table(
    [
        Column("claim"),
        Column("finding"),
        Column("contrast (95 %)"),
        Column("has to be", rank=1),
        Column("n", right=True, rank=2),
    ],
    [
        ["cnn above mlp", "✓ holds", "0.026 (0.011 to 0.041)", "> 0.02", "10"],
        ["", "", "1.5 (1.0 to 2.0)", "> 1", "10"],
        ["shuffled", "? inconclusive", "-0.3 (-0.6 to 0.0)", "< 0", "9"],
    ],
)


@pytest.mark.parametrize(
    ("width", "columns"),
    [(80, "claim finding contrast (95 %) has to be n"), (60, "claim finding contrast (95 %)"), (50, None)],
)
def test_columns_go_by_their_rank_then_each_row_has_lines_of_its_own(width, columns):
    lines = drawn(VERDICTS, width)
    if columns is None:
        assert lines[0].split() == ["claim", "cnn", "above", "mlp"]
        assert lines[5:8] == ["contrast (95 %)  1.5 (1.0 to 2.0)", "has to be        > 1", "n                10"]
        assert lines[8] == ""
    else:
        assert " ".join(lines[0].split()) == columns
        assert (lines[-1] == "(a wider terminal also shows: has to be, n)") == (width == 60)


def test_a_row_that_only_goes_on_in_columns_without_room_leaves_no_empty_line():
    table = Table([Column("claim"), Column("contrast", rank=1)], [["where-it-ends", "0.051"], ["", "-0.122"]])
    assert drawn(table, 14) == ["claim", "where-it-ends", "(a wider", "terminal also", "shows:", "contrast)"]


def test_what_no_line_can_hold_is_left_to_the_terminal_so_that_it_can_be_copied():
    digest = "d53506bddd12d3b72c7153b1ae7f34807724b1dd078a7273809bf9d0792319f6"
    pairs = Pairs({"config": "default", "SHA-256 train.x": digest})
    assert drawn(pairs, 60) == ["config           default", "SHA-256 train.x", digest]
    assert drawn(pairs, 70) == ["config           default", "SHA-256 train.x", f"  {digest}"]
    assert drawn(pairs, 90) == ["config           default", f"SHA-256 train.x  {digest}"]


def test_a_pipe_has_one_line_for_each_row_unless_columns_says_how_wide_it_is(monkeypatch):
    table = Table([Column("config"), Column("for", sentence=True)], [["default", "word " * 40]])
    for columns, lines in [(None, 2), ("60", 5)]:
        if columns:
            monkeypatch.setenv("COLUMNS", columns)
        else:
            monkeypatch.delenv("COLUMNS", raising=False)
        file = io.StringIO()
        show(table, Console(file=file))
        assert file.getvalue().count("\n") == lines
        assert "\x1b" not in file.getvalue()


def test_what_stands_in_a_cell_is_no_markup():
    assert drawn(Table([Column("a")], [["[bold]x[/bold] :smile:"]]), 80)[1] == "[bold]x[/bold] :smile:"

"""Tables that fit: fewer columns in a narrow terminal, and where even those do not fit, lines for each row.

A number, a name or an interval is shown whole or not at all; only sentences go on in the next line, between words.
rich draws; this module decides what there is room for.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table as Grid
from rich.text import Text

GAP: Final = 2  # spaces between two columns
SENTENCE: Final = 24  # a column of sentences is no narrower, unless all of them are short


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its header.
        right: Whether its cells stand at the right edge, as numbers do.
        rank: What goes first where there is no room: the columns of the highest rank. Those of rank 0 never go.
        sentence: Whether its cells may go on in the next line, between words.
    """

    name: str
    right: bool = False
    rank: int = 0
    sentence: bool = False


@dataclass(frozen=True)
class Table:
    """A table that shows every cell whole, at any width.

    Attributes:
        columns: Its columns.
        rows: The cells of each row, as texts. A row whose first cell is empty goes on with the row above.
        header: Whether the columns' names stand above them.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[str]]
    header: bool = True

    @property
    def natural_width(self) -> int:
        """Returns the width in which no sentence goes on in the next line."""
        widths = [max(map(cell_len, self._cells(place)), default=0) for place in range(len(self.columns))]
        return sum(widths) + GAP * (len(widths) - 1)

    def fitting(self, width: int) -> list[int] | None:
        """Returns the places of the columns that are shown in a terminal of a width; None for lines for each row."""
        places = list(range(len(self.columns)))
        while self._least_width(places) > width:
            highest = max(self.columns[place].rank for place in places)
            if highest == 0:
                return None
            last = max(place for place in places if self.columns[place].rank == highest)
            places.remove(last)
        return places

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        places = self.fitting(options.max_width)
        if places is None:
            yield from self._blocks(options.max_width)
            return
        yield self._grid(places, options.max_width)
        gone = [column.name for place, column in enumerate(self.columns) if place not in places]
        if gone and self.header:
            yield Text(f"(a wider terminal also shows: {', '.join(gone)})")

    def _grid(self, places: Sequence[int], width: int) -> Grid:
        least = {place: self._least(place) for place in places}
        spare = width - sum(least.values()) - GAP * (len(places) - 1)
        grid = Grid(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=self.header)
        for place in places:
            column = self.columns[place]
            more = min(max(map(cell_len, self._cells(place)), default=0) - least[place], spare)
            spare -= more
            grid.add_column(
                Text(column.name),
                justify="right" if column.right else "left",
                width=least[place] + more,
                no_wrap=not column.sentence,
                overflow="fold",
            )
        for row in self.rows:
            if any(row[place] for place in places):  # a row may go on with the one above in a column that is not shown
                grid.add_row(*(Text(row[place]) for place in places))
        return grid

    def _blocks(self, width: int) -> Iterator[RenderableType]:
        """Yields each row as lines, a cell in each, with an empty line between rows."""
        names = [column.name for column in self.columns]
        for number, row in enumerate(self.rows):
            if number and row[0]:
                yield Text()
            yield block([(name, cell) for name, cell in zip(names, row, strict=True) if cell], names, width)

    def _cells(self, place: int) -> list[str]:
        header = [self.columns[place].name] if self.header else []
        return [*header, *(row[place] for row in self.rows)]

    def _least(self, place: int) -> int:
        """Returns the width that a column needs."""
        cells = self._cells(place)
        whole = max(map(cell_len, cells), default=0)
        if not self.columns[place].sentence:
            return whole
        return min(whole, max([SENTENCE, *(cell_len(word) for cell in cells for word in cell.split())]))

    def _least_width(self, places: Sequence[int]) -> int:
        return sum(map(self._least, places)) + GAP * (len(places) - 1)


@dataclass(frozen=True)
class Pairs:
    """Names with their values below each other, each value whole.

    Attributes:
        values: The values by their names.
    """

    values: Mapping[str, str]

    @property
    def natural_width(self) -> int:
        """Returns the width in which no value goes on in the next line."""
        return max(map(cell_len, self.values), default=0) + GAP + max(map(cell_len, self.values.values()), default=0)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield block(list(self.values.items()), list(self.values), options.max_width)


def block(pairs: Sequence[tuple[str, str]], names: Sequence[str], width: int) -> RenderableType:
    """Returns names and values below each other; a value with a word too long for its place gets lines of its own.

    Args:
        pairs: The names and the values.
        names: Those that decide where the values begin, the same for all blocks of a table.
        width: Of the terminal.
    """
    left = max(map(cell_len, names), default=0)
    lines: list[RenderableType] = []
    for name, value in pairs:
        longest = max(map(cell_len, value.split()), default=0)
        if longest <= width - left - GAP:
            grid = Grid(box=None, pad_edge=False, padding=(0, GAP, 0, 0), show_header=False)
            grid.add_column(width=left, no_wrap=True)
            grid.add_column(width=min(cell_len(value), width - left - GAP), overflow="fold")
            grid.add_row(Text(name), Text(value))
            lines.append(grid)
        else:
            # What no line can hold, a path or a digest, the terminal itself breaks: so it can be copied in one piece.
            indent = " " * (GAP if longest + GAP <= width else 0)
            lines += [Text(name), Text(f"{indent}{value}", no_wrap=True, overflow="ignore")]
    return Group(*lines)


def show(table: Table | Pairs, console: Console) -> None:
    """Prints a table as wide as the terminal; into a file or a pipe, unless `COLUMNS` is set, as wide as it is."""
    if console.is_terminal or "COLUMNS" in os.environ:
        console.print(table, highlight=False, crop=False)
    else:
        Console(file=console.file, width=max(console.width, table.natural_width)).print(table, highlight=False)

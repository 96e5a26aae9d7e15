"""The line that tells how far the shards of a config are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from lightning_module.terminal.progress import Part, ProgressLine, clock_words, count_words, speed_words


@contextmanager
def shards_line() -> Iterator[Callable[[int, int], None]]:
    """Yields what is told how many rows are done, and of how many; the line begins with the first word."""
    lines: list[ProgressLine] = []

    def tell(done: int, of: int) -> None:
        if not lines:
            lines.append(ProgressLine(ticking=True))
            lines[0].start(0, 0.0, lambda: [Part(f"{count_words(0, of, 'rows')} rows")])
        if lines[0].is_drawn or lines[0].is_due:
            lines[0].tell(done, done / of, partial(_parts, lines[0], done, of))

    try:
        yield tell
    finally:
        for line in lines:
            line.stop()


def _parts(line: ProgressLine, done: int, of: int) -> list[Part]:
    """Returns what the line says: rows, speed, and the time that is left."""
    parts = [Part(f"{count_words(done, of, 'rows')} rows")]
    if speed := line.speed:
        parts += [Part(speed_words(speed, "rows"), 1), Part(f"{clock_words((of - done) / speed)} left")]
    return parts

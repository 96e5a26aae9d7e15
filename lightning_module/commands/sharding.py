"""What commands that make shards have in common: their options, and the line that tells how far they are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Annotated

from lightning_module.commands.options import Option
from lightning_module.terminal.progress import Part, ProgressLine, clock_words, count_words, speed_words
from mnist1d_hf.engine.choose import EngineName, engine_of
from mnist1d_hf.engine.engine import Engine

RowsPerShard = Annotated[int | None, "most rows of a file of the fast stream, a multiple of 100,000; about 270 MB"]
EngineOption = Annotated[EngineName, "local: processes of this machine; ray: a Ray cluster, with the extra scale"]
Address = Annotated[
    str | None,
    Option("of the Ray cluster; auto for the one that this machine belongs to; without it one is begun here"),
]


def chosen_engine(engine: EngineName, num_proc: int | None, address: str | None) -> Engine | None:
    """Returns the engine that options ask for; None for processes of this machine.

    Raises:
        ValueError: If there is no such engine, or an address that it has no use for.
        MissingExtraError: If Ray is asked for and not installed.
    """
    return None if engine == "local" and address is None else engine_of(engine, workers=num_proc, address=address)


@contextmanager
def shards_line() -> Iterator[Callable[[int, int], None]]:
    """Yields what is told how many rows are done, and of how many; the line begins with the first word."""
    lines: list[ProgressLine] = []

    def tell(done: int, of: int) -> None:
        if not lines:
            lines.append(ProgressLine(ticking=True))
            lines[0].start(done, done / of, partial(_parts, lines[0], done, of))
        elif lines[0].is_drawn or lines[0].is_due:
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

"""A bar with the remaining time, for work in few pieces of minutes each."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from lightning_module.studies.framework.cells import Cell


@contextmanager
def bar(name: str, cells: Sequence[Cell], left: Sequence[Cell], *, shown: bool) -> Iterator[Callable[[Cell], None]]:
    """Gives a function to call for every finished cell, which moves a bar if it is to be shown.

    Args:
        name: Of the work.
        cells: All of it.
        left: What is left of it.
        shown: Whether there is a bar.
    """
    pending = {cell.name: cell for cell in left}
    done = sum(cell.cost for cell in cells) - sum(cell.cost for cell in left)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %  {task.fields[pieces]}"),
        TimeElapsedColumn(),
        Left(),
    )
    with Progress(*columns, disable=not shown) as progress:

        def pieces() -> str:
            return f"{len(cells) - len(pending)}/{len(cells)}"

        task = progress.add_task(name, total=sum(cell.cost for cell in cells), before=done, pieces=pieces())

        progress.update(task, completed=done)

        def advance(cell: Cell) -> None:
            if pending.pop(cell.name, None) is not None:
                progress.update(task, advance=cell.cost, pieces=pieces())

        yield advance


class Left(ProgressColumn):
    """The remaining time, by what was done since the start: rich's own forgets what is older than 30 seconds."""

    def render(self, task: Task) -> Text:
        """Returns the remaining time, once a piece is done."""
        done = task.completed - task.fields["before"]
        if done <= 0 or task.elapsed is None:
            return Text("left -:--:--")
        seconds = task.elapsed * (task.total or 0.0) / done - task.elapsed * task.completed / done
        return Text(f"left {timedelta(seconds=max(0, round(seconds)))}")

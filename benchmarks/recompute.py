"""Computes cells of the committed results again, and keeps what came of each.

    python benchmarks/recompute.py --cells 3

What `mnist1d study verify --recompute` does, for all results, over days and machines: it goes on until each result has
so many cells in benchmarks/recomputed.csv, which it writes after each one. Cells are chosen by chance among those that
took no longer than `--longest` seconds.
"""

import argparse
import csv
from pathlib import Path
from typing import Final, NamedTuple

from lightning_module.commands.study.options import config_again, saved_result
from lightning_module.studies.framework.cells import ConfigError
from lightning_module.studies.framework.proof.recompute import recomputed, shuffled
from lightning_module.studies.framework.records.environment import processor
from mnist1d_hf import __version__, atomic

KEPT: Final = Path(__file__).with_name("recomputed.csv")
RESULTS: Final = Path(__file__).parents[1] / "docs" / "results"


class Row(NamedTuple):
    """A cell that was computed again.

    Attributes:
        result: The folder of the result.
        finished: When the result was made.
        cell: The cell.
        version: The version that computed it again.
        processor: Where.
        answer: What came of it, see `Check`.
        same: Whether each number was the same to the last bit.
    """

    result: str
    finished: str
    cell: str
    version: str
    processor: str
    answer: str
    same: bool


def kept() -> list[Row]:
    """Returns the rows that are kept."""
    if not KEPT.exists():
        return []
    with KEPT.open(newline="", encoding="utf-8") as file:
        return [
            Row(
                row["result"],
                row["finished"],
                row["cell"],
                row["version"],
                row["processor"],
                row["answer"],
                row["same"] == "True",
            )
            for row in csv.DictReader(file)
        ]


def keep(rows: list[Row]) -> None:
    """Writes all rows, whole or not at all."""

    def write(part: Path) -> None:
        with part.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([Row._fields, *sorted(rows)])

    atomic.replace(KEPT, write)


def main() -> None:
    """Computes what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", nargs="*", help="folders in docs/results; all if none is given")
    parser.add_argument("--cells", type=int, default=3, help="of each result")
    parser.add_argument("--longest", type=float, default=float("inf"), help="seconds that a cell took at first")
    parser.add_argument("--mnist", help="the MNIST digits that some results were made with")
    parser.add_argument("--fashion", help="the folder of FashionMNIST that one result was made with")
    options = parser.parse_args()
    names = options.results or [str(file.parent.relative_to(RESULTS)) for file in sorted(RESULTS.rglob("result.json"))]
    for name in names:
        study, result, _ = saved_result(name.partition("/")[0], "paper", str(RESULTS / name))
        places = {"mnist": options.mnist, "fashion_mnist": options.fashion}
        needed = [f"{field}={path}" for field, path in places.items() if path and result.config.get(field)]
        try:
            config = config_again(study, result, sources=needed)
        except ConfigError as error:
            print(f"{name}: left out: {error}", flush=True)
            continue
        finished = str(result.provenance["finished"])
        done = {row.cell for row in kept() if (row.result, row.finished) == (name, finished)}
        for again in shuffled(study, config, result):
            if len(done) >= options.cells:
                break
            if again.seconds > options.longest or again.cell.name in done:
                continue
            check = recomputed(study, config, result, again)
            if check is None:  # comes to nothing, as in the result
                continue
            done.add(again.cell.name)
            same = "the same to the last bit" in check.what
            keep([*kept(), Row(name, finished, again.cell.name, __version__, processor(), check.answer, same)])
            print(f"{name}: {check.answer}: {check.what}", flush=True)


if __name__ == "__main__":
    main()

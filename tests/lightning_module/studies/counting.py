"""A study that trains nothing, and notes each cell that it computes; other processes can import it.

Environment variables say where it notes them, which cell fails, takes its time or has no data, and whether it says why.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lightning_module.studies import Band, Cell, Claim, Config, Finding, Number, Outcome, Study, value
from mnist1d_hf.extras import missing_extra

NOTES, FAILS, SLOW = "COUNTING_NOTES", "COUNTING_FAILS", "COUNTING_SLOW"
ABSENT, REASONS = "COUNTING_ABSENT", "COUNTING_REASONS"
STUBBORN, KILLED, LACKS = "COUNTING_STUBBORN", "COUNTING_KILLED", "COUNTING_LACKS"


@dataclass(frozen=True, kw_only=True)
class CountingConfig(Config):
    """Numbers.

    Args:
        seeds: Number of seeds.
        cells: Number of cells.
        scale: Of the numbers.
    """

    seeds: int = 3
    cells: int = 4
    scale: float = 1.0


def cells(config):
    return [Cell({"cell": i, "kind": "a/b"}, cost=1.0 + i) for i in range(config.cells)]


def run_cell(config, cell):
    if notes := os.environ.get(NOTES):
        with Path(notes).open("a") as file:
            file.write(f"{cell['cell']}\n")
    if str(cell["cell"]) in os.environ.get(ABSENT, ""):
        reason = {**cell.of, "reason": f"no answer at {time.time_ns()}"}
        return Outcome({"missing": [reason]} if os.environ.get(REASONS) else {})
    if os.environ.get(FAILS) == str(cell["cell"]):
        raise LookupError("no such thing")
    if os.environ.get(LACKS) == str(cell["cell"]):
        raise missing_extra(ModuleNotFoundError("No module named 'sklearn'", name="sklearn"))
    if os.environ.get(SLOW) == str(cell["cell"]):
        sleep_long()
    number, *noted = os.environ.get(KILLED, "-").split()
    if number == str(cell["cell"]) and not any(Path(note).exists() for note in noted):  # once, if that is noted
        for note in noted:
            Path(note).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    random = np.random.default_rng(cell["cell"])
    numbers = config.scale * random.normal(size=config.seeds)
    rows = [{**cell.of, "seed": seed, "number": number} for seed, number in enumerate(numbers)]
    note = [{"cell": cell["cell"], "text": "one, two\nthree" if cell["cell"] else None, "odd": bool(cell["cell"] % 2)}]
    arrays = {f"predictions-{cell['cell']}": random.integers(0, 10, 5).astype(np.uint8)}
    return Outcome({"rows": rows, "notes": note}, arrays, {f"set {cell['cell']}": {"version": f"1.0.{cell['cell']}"}})


def sleep_long():
    """Sleeps for a minute; if it is stubborn, whoever wants to interrupt it."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            time.sleep(60)
        except KeyboardInterrupt:
            if not os.environ.get(STUBBORN):
                raise


def draw(result):
    """Returns the numbers as points."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2, 2))
    figure.subplots().plot(result.rows["number"].to_numpy(), "o")
    return figure


FIRST = value("number", cell=0)

STUDY = Study(
    name="counting",
    question="Does it count?",
    presets={"smoke": CountingConfig(), "quick": CountingConfig(cells=6), "paper": CountingConfig(seeds=10)},
    cells=cells,
    run_cell=run_cell,
    claims=[
        Claim(name="small", text="The numbers are small.", source="here", finding=Finding(of=FIRST, below=100.0)),
        Claim(name="one", text="They are 1.", source="here", number=Number(of=FIRST, published=1.0)),
        Claim(name="never", text="They taste well.", source="here", not_tested="numbers have no taste"),
    ],
    figures={"figure": draw},
    of_the_moment={"missing": ("reason",)},
    bands=[
        Band(name="first", of=FIRST, low=-10, high=10),
        Band(name="hundredth", of=value("number", cell=100), low=0, high=0),
    ],
)

"""`Study`: cells of work in, a `Result` out; interrupted, it goes on where it was.

A study is its presets, the cells that its work falls into, a function that does one cell, its claims and its figures.
Cells know nothing of each other, and each is computed by one thread, so a result depends neither on the number of
processes that share the work nor on interruptions. A finished cell is a file, and is not computed again.
"""

import dataclasses
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

import numpy.typing as npt

from lightning_module.studies.claims import Claim, Verdict, claims_digest, judge
from lightning_module.studies.protocol import ProtocolText
from lightning_module.studies.quantities import NoRowsError, Quantity, Scalar
from lightning_module.studies.scratch import Scratch
from mnist1d_hf.recipe import nearest

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from lightning_module.studies.result import Result

Row = dict[str, Any]
C = TypeVar("C", bound="Config")


@dataclass(frozen=True, kw_only=True)
class Config:
    """The numbers of a study; each has its own, derived from this one.

    Args:
        seeds: Number of seeds, which are 0, 1, 2, ...
    """

    seeds: int = 5

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"seeds={self.seeds} must be at least 1; intervals need 2")

    def record(self) -> dict[str, Any]:
        """Returns the numbers as a result keeps them; a study whose numbers name files says what is in them instead."""
        return dataclasses.asdict(self)

    def recorded(self, record: Mapping[str, Any]) -> Self:
        """Returns these numbers as they were for a result; others only where they depend on what a program registers.

        Args:
            record: What the result keeps of its numbers.
        """
        return self


@dataclass(frozen=True)
class Cell:
    """A piece of work that is done or not.

    Args:
        of: What tells it from the others, such as `{"network": "cnn"}`.
        cost: Its share of the work, in any unit: for the remaining time.
        scratch: What it keeps of itself while it is computed: for work of many minutes, where each step needs the last.
    """

    of: Mapping[str, Scalar]
    cost: float = 1.0
    scratch: Scratch = field(default_factory=Scratch, compare=False, repr=False)

    def __getitem__(self, name: str) -> Any:
        return self.of[name]

    @property
    def name(self) -> str:
        """Returns a name that a file can have."""
        return ",".join(f"{name}={value}" for name, value in self.of.items()).replace("/", "_") or "all"


def grid(**columns: Sequence[Scalar]) -> Callable[[Config], list[Cell]]:
    """Returns the `cells` of a study that has one for each combination of values.

    Args:
        **columns: What a cell has, and the values, such as `network=("mlp", "cnn")`.
    """
    return lambda _: [Cell(dict(zip(columns, values, strict=True))) for values in product(*columns.values())]


@dataclass(frozen=True)
class Outcome:
    """What a cell came to.

    Args:
        tables: Rows by the name of their table; "rows" is the main one.
        arrays: Arrays by name, which no other cell uses.
        data: The data sets it used, see `describe`.
    """

    tables: Mapping[str, list[Row]]
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Band:
    """A regression check: where a number was before, and should still be. Never a finding.

    Args:
        name: What it is.
        of: The quantity; its mean over the units is compared.
        low: From here
        high: to here.
    """

    name: str
    of: Quantity
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Study(Generic[C]):
    """A question that is answered by training networks.

    Args:
        name: How it is called.
        question: What it asks, in a sentence.
        presets: Its numbers by size: "smoke" for seconds, "quick" for minutes, "paper" for the published protocol.
        cells: The work for a config, in pieces.
        run_cell: Does one piece, and returns its rows, or an `Outcome`. It decides everything by the config and the
            cell: no global random state, no result of another cell.
        claims: What is put to the test.
        figures: Functions that draw a result, by the name of the file; "figure" is the main one.
        bands: Regression checks.
        protocol: What was done, and where it departs from the source, in Markdown: a text or a `ProtocolFile`.
        measured_times: By table, the columns that are times, which no two runs share.
    """

    name: str
    question: str
    presets: Mapping[str, C]
    cells: Callable[[C], Sequence[Cell]]
    run_cell: Callable[[C, Cell], Outcome | list[Row]]
    claims: Sequence[Claim] = ()
    figures: Mapping[str, "Callable[[Result], Figure]"] = field(default_factory=dict)
    bands: Sequence[Band] = ()
    protocol: ProtocolText = ProtocolText()  # noqa: RUF009  # a descriptor: the default is what it returns, ""
    measured_times: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"claims of study {self.name!r}: {min(twice)!r} is the name of more than one")

    def config(self, preset: str, **changes: Any) -> C:
        """Returns the numbers of a preset, some of them changed.

        Raises:
            ValueError: If there is no such preset, or number.
        """
        if preset not in self.presets:
            raise ValueError(f"preset={preset!r} of study {self.name!r} is not known{nearest(preset, self.presets)}")
        known = [f.name for f in dataclasses.fields(self.presets[preset])]
        if unknown := changes.keys() - set(known):
            raise ValueError(f"study {self.name!r} has no number {min(unknown)!r}{nearest(min(unknown), known)}")
        return dataclasses.replace(self.presets[preset], **changes)

    def preset_of(self, config: "C | str") -> str:
        """Returns the name of the preset that has these numbers, or "custom"."""
        if isinstance(config, str):
            return config
        return next((name for name, preset in self.presets.items() if preset == config), "custom")

    def folder(self, config: "C | str") -> Path:
        """Returns where a run is kept if nothing else is said: `outputs/studies/NAME-PRESET`."""
        return Path("outputs", "studies", f"{self.name}-{self.preset_of(config)}")

    def run(
        self,
        config: "C | str" = "quick",
        *,
        folder: "str | os.PathLike[str] | None" = None,
        workers: int = 1,
        progress: bool = False,
        restart: bool = False,
    ) -> "Result":
        """Returns the result, after computing what of it the folder does not hold yet.

        Several processes, also on several machines, may run the same study in the same folder: they share the cells.

        Args:
            config: The numbers, or the name of a preset.
            folder: Where the cells and the result are kept; see `folder` for None.
            workers: Processes that share the cells. More than one needs a study that can be imported.
            progress: Whether to show a bar with the remaining time.
            restart: Whether to compute again what is there.

        Raises:
            ValueError: If the folder holds a run with other numbers.
            CellError: If `run_cell` raises an exception, which is its cause.
        """
        from lightning_module.studies.runner import run  # which imports torch

        return run(self, config, folder=folder, workers=workers, progress=progress, restart=restart)

    def judge(self, result: "Result") -> list[Verdict]:
        """Returns the two verdicts on each claim."""
        return judge(self.claims, result.tables)

    @property
    def claims_sha256(self) -> str:
        """Returns the digest of the claims, by which a rule that was changed after a run is seen."""
        return claims_digest(self.claims)

    def outside(self, result: "Result") -> Iterator[tuple[Band, float]]:
        """Yields the bands that a result is outside of, and where it is."""
        for band, mean in self.measured(result):
            if not band.low <= mean <= band.high:
                yield band, mean

    def measured(self, result: "Result") -> Iterator[tuple[Band, float]]:
        """Yields each band and where a result is; not those about rows it lacks, such as the published last step's."""
        for band in self.bands:
            try:
                yield band, float(band.of.per_unit(result.tables).mean())
            except NoRowsError:
                continue


def command_line() -> str:
    """Returns how this process was started, without the folders of this machine."""
    program, *arguments = sys.argv or [""]
    named = [re.sub(r"^([\w.-]+=|)/.*/", r"\1", argument) for argument in arguments]
    return shlex.join([program.rsplit("/", 1)[-1], *named])

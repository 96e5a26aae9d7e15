"""The work of a study in pieces: its configuration, its cells, and the outcome of each."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final, Self, TypeVar

import numpy.typing as npt

from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.quantities import Quantity, Scalar

Row = dict[str, Any]
LATER: Final = "later"  # in the metadata of a field
MOST_SEED: Final = 99_999
C = TypeVar("C", bound="Config")


class ConfigError(ValueError):
    """The numbers of a result are none that its study can be run with here; the message says why."""


def later(default: Any) -> Any:
    """Returns the field for a number that came after results were committed, of which none says what it was.

    Such a number is in a result only where it is not its default, which is what the code did before there was a number.

    Args:
        default: What those results were made with.
    """
    return field(default=default, metadata={LATER: True})


@dataclass(frozen=True, kw_only=True)
class Config:
    """The numbers of a study; each has its own, derived from this one.

    Attributes:
        seeds: Number of seeds, which are `first_seed`, `first_seed + 1`, ...
        first_seed: The first of them; another one for a run that shares nothing with those that were made before.
    """

    seeds: int = 5
    first_seed: int = later(0)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ValueError(f"seeds={self.seeds} must be at least 1; intervals need 2")
        if not 0 <= self.first_seed <= MOST_SEED:
            raise ValueError(
                f"first_seed={self.first_seed} must be in 0..{MOST_SEED}: from there on are the seeds of tunings"
            )

    @property
    def seed_range(self) -> range:
        """Returns the seeds."""
        return self.range_of(self.seeds)

    def range_of(self, count: int) -> range:
        """Returns so many seeds, for a part of a study that has another number of them."""
        return range(self.first_seed, self.first_seed + count)

    def record(self) -> dict[str, Any]:
        """Returns the numbers as a result keeps them; a study whose numbers name files says what is in them instead."""
        unsaid = {
            f.name for f in dataclasses.fields(self) if LATER in f.metadata and getattr(self, f.name) == f.default
        }
        return {name: number for name, number in dataclasses.asdict(self).items() if name not in unsaid}

    def recorded(self, record: Mapping[str, Any]) -> Self:
        """Returns these numbers as they were for a result; others only where they depend on what a program registers.

        Args:
            record: What the result keeps of its numbers.

        Raises:
            ConfigError: If this program registers less than the one that made the result.
        """
        return self


@dataclass(frozen=True)
class Cell:
    """A piece of a study's work, which is done as a whole or not at all.

    Attributes:
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
    """The rows, arrays and data that a cell has computed.

    Attributes:
        tables: Rows by the name of their table; "rows" is the main one.
        arrays: Arrays by name, which no other cell uses.
        data: The data sets it used, see `describe`.
    """

    tables: Mapping[str, list[Row]]
    arrays: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SharedTests:
    """Test examples on which all seeds of a study are scored.

    Attributes:
        where: What the columns of their rows hold, such as `{"on": "fresh test"}`.
        examples: How many there are, or the name of the study's number that says so.
    """

    where: Mapping[str, Scalar]
    examples: int | str


FRESH_TESTS: Final = SharedTests(where={"on": "fresh test"}, examples="tests")  # those of `fresh`


@dataclass(frozen=True, kw_only=True)
class Band:
    """A regression check: where a number was before, and should still be. Never a finding.

    Attributes:
        name: What it is.
        of: The quantity; its mean over the units is compared.
        low: From here
        high: to here.
        numbers: Of the study, those that it was measured with; of a result with others it says nothing.
    """

    name: str
    of: Quantity
    low: float
    high: float
    numbers: Mapping[str, Scalar] = field(default_factory=dict)

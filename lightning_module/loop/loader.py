"""Minibatches by indexing whole tensors: no worker processes, no collation, no row ever copied alone."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lightning_module.transform import Transform, TransformedMinibatches, transformed
from mnist1d_hf.checks import flag, shown, whole_number

SEEDS = (-(2**63), 2**63 - 1)  # what torch's generators take


class Execution(NamedTuple):
    """Consecutive minibatches, one or more, fetched at once.

    Attributes:
        x: Signals (k * batch_size, length); the last minibatch of an epoch may be shorter.
        y: Labels (k * batch_size,).
        batch_size: Examples in a minibatch.
        transform: Applied to the signals of each minibatch.
    """

    x: Tensor
    y: Tensor
    batch_size: int
    transform: Transform | None = None

    @property
    def number(self) -> int:
        """Returns the number of minibatches."""
        return math.ceil(len(self.x) / self.batch_size)

    def minibatches(self) -> Sequence[tuple[Tensor, Tensor]]:
        """Returns the minibatches in order, as views; with a transform, each is transformed as it is reached."""
        views = list(zip(torch.split(self.x, self.batch_size), torch.split(self.y, self.batch_size), strict=True))
        return views if self.transform is None else TransformedMinibatches(views, self.transform)


class MinibatchLoader(ABC):
    """What all loaders here have in common: where they stand, and how many minibatches they hand out at once.

    Args:
        batch_size: Rows in a minibatch, on each device.
        rank: Which of the devices this is.
        world_size: The number of devices that share the rows.
        transform: A function of the signals of each minibatch, see `lightning_module.transform`.
        device: Where it works; None for where the examples are.

    Raises:
        ValueError: If a number is out of its range.
    """

    def __init__(
        self,
        *,
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        transform: Transform | None = None,
        device: torch.device | None = None,
    ) -> None:
        self.batch_size = whole_number("batch_size", batch_size, 1)
        world_size, rank = whole_number("world_size", world_size, 1), whole_number("rank", rank, -(2**63))
        if not 0 <= rank < world_size:
            of = shown(world_size)
            raise ValueError(f"rank={shown(rank)} must be in 0..{shown(world_size - 1)}, for world_size={of}")
        self.rank = rank
        self.world_size = world_size
        self.transform = transform
        self.device = device
        # How many of the minibatches that are left to hand out at once, as an `Execution`, asked before each; None for
        # one, as it is.
        self.plan: Callable[[int], int | None] | None = None
        # Minibatches that the caller takes in an epoch, if fewer than there are: then its end is here.
        self.limit: int | None = None
        self._announced = 0  # the epoch by `set_epoch`
        self._offset = 0  # from the epoch announced to the one that decides the permutation
        self._position = 0  # minibatches of this epoch handed out so far
        self._resume: tuple[int, int] | None = None  # epoch and position to go on from

    @property
    @abstractmethod
    def rows(self) -> int:
        """Returns the number of rows that this rank sees in an epoch."""

    @abstractmethod
    def __len__(self) -> int:
        """Returns the number of minibatches in an epoch, however many of them are handed out at once."""

    @abstractmethod
    def _reader(self) -> Callable[[int, int], tuple[Tensor, Tensor]]:
        """Returns a function of two numbers of rows: the examples from the one to the other of this epoch."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor] | Execution]:
        """Yields `(x, y)`; or, if there is a plan and it asks for them, an `Execution` of so many minibatches."""
        self._start_epoch()
        read = self._reader()
        while (first := self._position) < len(self):
            left = len(self) - first
            planned = None if self.plan is None else self.plan(left)
            count = min(planned or 1, left)
            # Before the yield: what has been handed out counts, also in a checkpoint saved while the caller works on
            # it.
            self._position += count
            x, y = read(first * self.batch_size, min(self._position * self.batch_size, self.rows))
            if planned is not None:
                yield Execution(x, y, self.batch_size, self.transform)
            else:
                yield (x if self.transform is None else transformed(x.to(self.device or x.device), self.transform)), y

    @property
    def batch_sampler(self) -> SimpleNamespace:
        """Returns where Lightning looks for `set_epoch`: it announces each epoch to `batch_sampler.sampler`.

        There is no `sampler`, by which Lightning would take this for a `DataLoader` whose order it may replace.
        """
        return SimpleNamespace(sampler=self)

    def set_epoch(self, epoch: int) -> None:
        """Announces the epoch about to start, which decides the permutation."""
        self._announced = epoch

    @property
    def _epoch(self) -> int:
        return self._announced + self._offset

    def _start_epoch(self) -> None:
        """Goes on from a place that was loaded, or starts at the first minibatch.

        Lightning counts an epoch that `max_steps` cut short as a whole one and, resumed, announces the rest of it as
        the next. So the announced number and the true one may differ, by as much as they do at the first minibatch.
        """
        self._position = 0
        if self._resume is not None:
            (epoch, position), self._resume = self._resume, None
            at_end = position >= (len(self) if self.limit is None else self.limit)
            self._offset = epoch + at_end - self._announced
            self._position = 0 if at_end else position

    def move(self, count: int) -> None:
        """Counts `count` more minibatches as handed out; fewer, if it is negative: they were not used."""
        self._position += count

    def state_dict(self) -> dict[str, Any]:
        """Returns the place in the data, in minibatches, so that any number of them at once can go on from it."""
        return {"epoch": self._epoch, "position": self._position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Lets the next iteration start at a place from `state_dict`."""
        self._resume = state["epoch"], state["position"]


class TensorLoader(MinibatchLoader):
    """The minibatches of one split, as a `DataLoader` over a `TensorDataset` has them, at the price of a slice.

    Every order that it produces is that of `torch.utils.data.DistributedSampler` with the same seed: a permutation by a
    generator of its own, seeded with `seed + epoch`; filled up from its own beginning until all ranks have as many
    rows; each rank takes every `world_size`-th row. So the minibatches that all ranks see at one step are together the
    minibatch that one device with `world_size` times the batch size would see.

    It resumes in mid-epoch: Lightning saves `state_dict` with a checkpoint and gives it back to `load_state_dict`.

    Args:
        x: The examples, (n, length).
        y: The labels, (n,).
        batch_size: Rows in a minibatch, on each device.
        shuffle: Whether each epoch has a permutation of its own; otherwise every epoch has the rows' own order.
        seed: Together with the epoch it decides the permutation.
        drop_last: Whether a last minibatch with fewer rows is left out.
        rank: Which of the devices this is.
        world_size: The number of devices that share the split.
        pad: Whether rows are repeated until all ranks have as many. Training needs it (the ranks wait for each other at
            every step); an evaluation must not have it, or some examples would count twice.
        transform: A function of the signals of each minibatch, see `lightning_module.transform`.
        device: Where it works; None for where the examples are.

    Raises:
        ValueError: If the sizes of `x` and `y` differ, or a number is out of its range.
    """

    def __init__(
        self,
        x: Tensor,
        y: Tensor,
        *,
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        drop_last: bool = False,
        rank: int = 0,
        world_size: int = 1,
        pad: bool = True,
        transform: Transform | None = None,
        device: torch.device | None = None,
    ) -> None:
        for name, tensor in (("x", x), ("y", y)):
            if not isinstance(tensor, Tensor) or not tensor.dim():
                raise ValueError(f"{name}={shown(tensor)} must be a tensor, one row an example")
        if len(x) != len(y):
            raise ValueError(f"x has {len(x)} rows and y has {len(y)}: they must have as many, one label an example")
        seed, shuffle = whole_number("seed", seed, *SEEDS), flag("shuffle", shuffle)
        drop_last, pad = flag("drop_last", drop_last), flag("pad", pad)
        super().__init__(batch_size=batch_size, rank=rank, world_size=world_size, transform=transform, device=device)
        self.x, self.y = x, y
        self.shuffle = shuffle
        self.seed = seed
        self.drop_last = drop_last
        self.pad = pad
        # For several models at once, each with an order of its own: a seed for each, and how to get at the rows of such
        # orders, (rows, models); None: one order, and the rows of `x` and `y`. Asked at the start of an epoch.
        self.seeds: Sequence[int] | None = None
        self.take: Callable[[slice | Tensor], tuple[Tensor, Tensor]] | None = None

    @property
    def rows(self) -> int:
        """Returns the number of rows that this rank sees in an epoch."""
        if self.pad:
            return math.ceil(len(self.x) / self.world_size)
        return len(range(self.rank, len(self.x), self.world_size))

    def __len__(self) -> int:
        """Returns the number of minibatches in an epoch, however many of them are handed out at once."""
        return self.rows // self.batch_size if self.drop_last else math.ceil(self.rows / self.batch_size)

    def _reader(self) -> Callable[[int, int], tuple[Tensor, Tensor]]:
        order, take = self._orders(), self.take or (lambda rows: (self.x[rows], self.y[rows]))

        def read(start: int, stop: int) -> tuple[Tensor, Tensor]:
            # A slice is a view; an index makes one copy for the whole execution.
            return take(slice(start, stop) if order is None else order[start:stop])

        return read

    def _orders(self) -> Tensor | None:
        """Returns the row numbers of this rank's epoch, (rows,) or (rows, models), or None for the rows' own order."""
        if not self.shuffle and self.world_size == 1:
            return None
        if self.seeds is None or not self.shuffle:
            return self._order(self.seed)
        orders = {seed: self._order(seed) for seed in self.seeds}
        return torch.stack([orders[seed] for seed in self.seeds], dim=1)

    def _order(self, seed: int) -> Tensor:
        if self.shuffle:
            generator = torch.Generator().manual_seed(seed + self._epoch)
            order = torch.randperm(len(self.x), generator=generator, device="cpu")
        else:
            order = torch.arange(len(self.x), device="cpu")
        if self.pad:
            order = order.repeat(1 + self.rows * self.world_size // max(1, len(order)))[: self.rows * self.world_size]
        return order[self.rank :: self.world_size].to(self.x.device)

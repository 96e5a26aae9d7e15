"""Minibatches of the fast stream, made by background threads while those before them are trained on."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from lightning_module.loop.loader import SEEDS, MinibatchLoader
from lightning_module.transform import Transform
from mnist1d_hf.checks import flag, one_of, whole_number
from mnist1d_hf.generator.blocks import stream_blocks
from mnist1d_hf.generator.draws import BLOCK_SIZE, SPLIT_KEYS
from mnist1d_hf.generator.recipe import FAST_CAPACITY, Recipe
from mnist1d_hf.generator.templates import NUM_CLASSES

Pair = tuple[Tensor, Tensor]

SLAB_BYTES: Final = 1 << 21  # of signals that a thread makes at once, in blocks that share the memory for their noise
SLAB_BLOCKS: Final = 10  # at the most
THREADS: Final = 4  # at the most: part of the work holds the interpreter's lock


class StreamLoader(MinibatchLoader):
    """The minibatches of the fast stream: without end, each example new; or those of a range, epoch after epoch.

    Each rank has blocks of its own: rank r of w has blocks r, r + w, r + 2w, ... So ranks share no example, and none
    makes those of another. Within its blocks a rank goes from example to example, so that the number of its minibatches
    so far says where it is: a checkpoint keeps nothing else.

    Args:
        recipe: The numbers of the generator.
        split: "train" or "test".
        batch_size: Examples in a minibatch, on each device.
        steps: Minibatches in an epoch of a stream without end; None for a range.
        start: First example of the range: the first one of a block.
        stop: The one after the last; None for a stream without end.
        drop_last: Of a range, for training: all minibatches are full, and all ranks have as many. The blocks that the
            ranks cannot share, and examples that fill no minibatch, are left out.
        shuffle: Whether the blocks of a range have another order in each epoch.
        seed: Together with the epoch it decides that order.
        classes: Of a stream without end, the digits that are kept; None for all.
        rank: Which of the devices this is.
        world_size: The number of devices that share the examples.
        transform: A function of the signals of each minibatch, see `lightning_module.transform`.
        device: Where it works; None for the CPU.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def __init__(
        self,
        recipe: Recipe,
        split: str = "train",
        *,
        batch_size: int,
        steps: int | None = None,
        start: int = 0,
        stop: int | None = None,
        drop_last: bool = True,
        shuffle: bool = False,
        seed: int = 0,
        classes: Sequence[int] | None = None,
        rank: int = 0,
        world_size: int = 1,
        transform: Transform | None = None,
        device: torch.device | None = None,
    ) -> None:
        super().__init__(batch_size=batch_size, rank=rank, world_size=world_size, transform=transform, device=device)
        self.split, self.seed = one_of("split", split, tuple(SPLIT_KEYS)), whole_number("seed", seed, *SEEDS)
        self.drop_last, self.shuffle = flag("drop_last", drop_last), flag("shuffle", shuffle)
        self.start = whole_number("start", start, 0, FAST_CAPACITY)
        if (steps is None) == (stop is None):
            raise ValueError(f"steps={steps}, stop={stop}: give one of them, steps= for a stream without end")
        self.steps = None if steps is None else whole_number("steps", steps, 1)
        self.stop = None if stop is None else whole_number("stop", stop, self.start + 1, FAST_CAPACITY)
        if self.start % BLOCK_SIZE:
            raise ValueError(f"start={self.start} must be the first example of a block, a multiple of {BLOCK_SIZE}")
        if classes is not None and (recipe.label_noise or steps is None):
            why = f"label_noise={recipe.label_noise}" if recipe.label_noise else "a range"
            raise ValueError(
                f"classes={tuple(classes)} with {why}: blocks would not all have as many examples of them, and a place "
                "could not be found by counting; leave one of the two out"
            )
        self.recipe = recipe
        self.classes = None if classes is None else np.asarray(classes)
        self._kept = BLOCK_SIZE if classes is None else BLOCK_SIZE // NUM_CLASSES * len(classes)  # of each block
        self._at_once = max(1, min(SLAB_BLOCKS, SLAB_BYTES // (4 * BLOCK_SIZE * recipe.final_seq_length)))
        end = None if self.drop_last else math.ceil(self._blocks / self._at_once)
        self._ahead = _Ahead(self._make, self._at_once * self._kept, end)

    @property
    def length(self) -> int:
        """Returns the number of points in a signal."""
        return self.recipe.final_seq_length

    @property
    def rows(self) -> int:
        """Returns the number of examples that this rank sees in an epoch."""
        if self.steps is not None:
            return self.steps * self.batch_size
        return (self._blocks - 1) * BLOCK_SIZE + self._size(self._number(self._blocks - 1)) if self._blocks else 0

    def __len__(self) -> int:
        """Returns the number of minibatches in an epoch, however many of them are handed out at once."""
        return self.rows // self.batch_size if self.drop_last else math.ceil(self.rows / self.batch_size)

    def state_dict(self) -> dict[str, Any]:
        """Returns the place in the stream: the number of minibatches of this rank before it."""
        return {"step": self._epoch * len(self) + self._position}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Lets the next iteration start at a place from `state_dict`."""
        self._resume = divmod(state["step"], len(self))

    def _reader(self) -> Callable[[int, int], Pair]:
        if self.steps is not None:
            before = self._epoch * self.rows
        else:  # the blocks of a range are counted on through its epochs; in an evaluation each epoch is the first
            before = self._epoch * self._blocks * BLOCK_SIZE if self.drop_last else 0
        return lambda start, stop: self._ahead.take(before + start, before + stop)

    @property
    def _blocks(self) -> int:
        """Returns the number of blocks of a range that this rank has; all whole and as many as others, for training."""
        if self.stop is None:
            return 0
        if self.drop_last:
            return (self.stop - self.start) // BLOCK_SIZE // self.world_size
        return len(range(self.rank, math.ceil((self.stop - self.start) / BLOCK_SIZE), self.world_size))

    def _number(self, own: int) -> int:
        """Returns the number in the stream of a block of this rank's, which are counted from 0 and through epochs."""
        first = self.start // BLOCK_SIZE
        if self.steps is not None:
            return first + own * self.world_size + self.rank
        epoch, own = divmod(own, self._blocks)
        place = own * self.world_size + self.rank
        if self.shuffle:
            factor, shift = _order(self.seed + epoch, self._blocks * self.world_size)
            place = (factor * place + shift) % (self._blocks * self.world_size)
        return first + place

    def _size(self, number: int) -> int:
        """Returns the number of examples of a block that are in the range."""
        return BLOCK_SIZE if self.stop is None else min(BLOCK_SIZE, self.stop - number * BLOCK_SIZE)

    def _make(self, slab: int) -> Pair:
        """Returns the examples of some blocks of this rank, on the device: those that are kept, row by row."""
        first = slab * self._at_once
        stop = first + self._at_once
        if not self.drop_last:
            stop = min(stop, self._blocks)
        numbers = [self._number(own) for own in range(first, stop)]
        x = torch.empty(len(numbers) * self._kept, self.length, dtype=torch.float32, device="cpu")
        y = torch.empty(len(x), dtype=torch.int64, device="cpu")
        rows, labels, done = x.numpy(), y.numpy(), 0
        for number, part in zip(numbers, stream_blocks(self.recipe).whole(self.split, numbers), strict=True):
            chosen = part if self.classes is None else part[np.isin(part.y, self.classes)]
            size = min(self._size(number), len(chosen))
            rows[done : done + size], labels[done : done + size] = chosen.x[:size], chosen.y[:size]
            done += size
        device = self.device or x.device
        return x[:done].to(device), y[:done].to(device)


class _Ahead:
    """Equal slabs of an endless row of examples, each made by a thread before it is asked for, in any order.

    Args:
        make: Returns the examples of a slab by its number.
        rows: Examples in a slab; the last one of all may have fewer.
        end: The number of slabs; None for no end.
    """

    def __init__(self, make: Callable[[int], Pair], rows: int, end: int | None) -> None:
        self._make, self._rows, self._end = make, rows, end
        self._threads = max(1, min(THREADS, _cores() - 1))
        self._pool: ThreadPoolExecutor | None = None  # begun when it is needed: a process that is forked has no threads
        self._slabs: dict[int, Future[Pair]] = {}

    def take(self, start: int, stop: int) -> Pair:
        """Returns the examples from one to another, as views where they lie in one slab; those behind are begun."""
        first, last = start // self._rows, (stop - 1) // self._rows
        self._begin(range(first, last + 2 + self._threads))
        parts = []
        for slab in range(first, last + 1):
            x, y = self._slabs[slab].result()
            rows = slice(max(start - slab * self._rows, 0), stop - slab * self._rows)
            parts.append((x[rows], y[rows]))
        if len(parts) == 1:
            return parts[0]
        xs, ys = zip(*parts, strict=True)
        return torch.cat(xs), torch.cat(ys)

    def _begin(self, wanted: range) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="examples")
        if self._end is not None:
            wanted = wanted[: max(0, self._end - wanted.start)]
        for slab in [each for each in self._slabs if each not in wanted]:
            self._slabs.pop(slab).cancel()
        for slab in wanted:
            if slab not in self._slabs:
                self._slabs[slab] = self._pool.submit(self._make, slab)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache(maxsize=8)
def _order(seed: int, count: int) -> tuple[int, int]:
    """Returns factor and shift of a permutation of so many blocks, i to (factor * i + shift) % count.

    It needs no memory, however many there are; examples are independent of each other, so no more is needed.
    """
    generator = torch.Generator().manual_seed(seed)
    factor, shift = torch.randint(1, 2**62, (2,), generator=generator, device="cpu").tolist()
    while math.gcd(factor, count) > 1:
        factor += 1
    return factor % count or 1, shift % count

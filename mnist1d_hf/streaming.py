"""The fast stream for ``load_dataset(..., streaming=True)``: pieces for many readers, each begun at any row at once.

By itself datasets reaches a row by making all those before it in its piece. Any block of the fast stream can be made
alone, so here it is reached by making one block: after `load_state_dict`, after `skip`, in a worker or on a node.
"""

import functools
import itertools
from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final

import datasets
import pyarrow as pa
from datasets.iterable_dataset import ArrowExamplesIterable, SkipExamplesIterable

from mnist1d_hf.generator.blocks import stream_blocks
from mnist1d_hf.generator.columns import features_of, table_of
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.recipe import Recipe

# datasets gives whole pieces to its nodes and workers where their number divides the number of pieces, and else lets
# each of them make every row. So these are the highly composite numbers: the last one divides by 1 to 10, 12, 14, 15,
# 16, 18, 20, 21, 24, ... More pieces would cost time at the start of every loop.
COUNTS: Final = (1, 2, 4, 6, 12, 24, 36, 48, 60, 120, 180, 240, 360, 720, 840, 1260, 1680, 2520, 5040)
PARTS: Final = (4, 2)  # that a piece is cut into by `reshard()`: 20,160 pieces divide by 32 and 64 as well

Range = tuple[int, int]


def streamed(recipe: Recipe, latents: bool, split: str, n: int) -> "StreamedPieces":
    """Returns what a streamed split of the fast stream iterates over.

    Args:
        recipe: The numbers of the generator.
        latents: Whether padding, scale, shift and shear of each example are columns.
        split: "train" or "test".
        n: Its examples.
    """
    skip_directly()
    return StreamedPieces(recipe, latents, split, pieces(n))


def pieces(n: int) -> list[Range]:
    """Returns the pieces of a split of ``n`` examples, (first, the one after the last) each: whole blocks, all alike.

    They are as many as the highest of `COUNTS` that leaves none of them empty, and differ by one block at the most.
    """
    blocks = max(1, -(-n // BLOCK_SIZE))
    return _cut((0, n), max(count for count in COUNTS if count <= blocks))


def _cut(piece: Range, count: int) -> list[Range]:
    """Returns a piece in as many parts, cut between blocks; it begins with a block."""
    start, stop = piece
    first, blocks = start // BLOCK_SIZE, -(-(stop - start) // BLOCK_SIZE)
    edges = [(first + blocks * i // count) * BLOCK_SIZE for i in range(count)] + [stop]
    return list(itertools.pairwise(edges))


def _tables(recipe: Recipe, latents: bool, split: str, ranges: list[Range]) -> Iterator[tuple[str, pa.Table]]:
    """Yields the examples of ranges, a table for each block, with a key."""
    stream, features = stream_blocks(recipe), features_of(recipe, latents)
    for start, stop in ranges:
        for part in stream.parts(split, start, stop, latents=latents):
            yield str(start), table_of(part, features)
            start += len(part)


class StreamedPieces(ArrowExamplesIterable):  # type: ignore[misc]  # datasets is not typed
    """What a streamed data set iterates over: pieces of one split of the fast stream.

    Its place is the number of the piece and the rows of it that were handed out.

    Args:
        recipe: The numbers of the generator.
        latents: Whether padding, scale, shift and shear of each example are columns.
        split: "train" or "test".
        ranges: The pieces.
    """

    def __init__(self, recipe: Recipe, latents: bool, split: str, ranges: list[Range]) -> None:
        super().__init__(functools.partial(_tables, recipe, latents), {"split": split, "ranges": ranges})
        self._of = recipe, latents, split

    @property
    def ranges(self) -> list[Range]:
        """Returns the pieces."""
        return self.kwargs["ranges"]  # type: ignore[no-any-return]

    @property
    def num_shards(self) -> int:
        """Returns the number of pieces."""
        return len(self.ranges)

    def _init_state_dict(self) -> dict[str, Any]:
        self._state_dict = self._start()
        return self._state_dict

    def _start(self) -> dict[str, Any]:
        return {
            "shard_idx": 0,
            "shard_example_idx": 0,
            "num_shards": self.num_shards,
            "type": type(self).__name__,
        }

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields each example with a key."""
        for key, table, place in self._from_here():
            for row in table.to_pylist():
                place["shard_example_idx"] += 1
                yield key, row

    def _iter_arrow(self) -> Iterator[tuple[str, pa.Table]]:
        for key, table, place in self._from_here():
            place["shard_example_idx"] += len(table)
            yield key, table

    def _from_here(self) -> Iterator[tuple[str, pa.Table, dict[str, Any]]]:
        """Yields tables from the place on, each with the place, in which the caller counts what it hands out."""
        place = self._place()
        while place["shard_idx"] < self.num_shards:
            start, stop = self.ranges[place["shard_idx"]]
            rest = (start + place["shard_example_idx"], stop)
            for key, table in self.generate_tables_fn(split=self.kwargs["split"], ranges=[rest]):
                yield key, table, place
            place["shard_idx"] += 1
            place["shard_example_idx"] = 0

    def _place(self) -> dict[str, Any]:
        """Returns the place to go on from, which is moved on; nobody sees it where none was asked for.

        Raises:
            ValueError: If it is a place among other pieces than these.
        """
        place: dict[str, Any] = self._state_dict or self._start()
        if (place["type"], place["num_shards"]) != (type(self).__name__, self.num_shards):
            raise ValueError(
                f"the state_dict is a place in {place['num_shards']} pieces ({place['type']}), and this stream has "
                f"{self.num_shards} ({type(self).__name__}): load it into a stream that is loaded, sharded and split "
                "as the one that it was saved from, by the same release of mnist1d-hf"
            )
        return place

    def forward(self, count: int) -> None:
        """Moves the place on by ``count`` examples, or to the end, without making them."""
        place = self._place()
        count += place["shard_example_idx"]
        for number in range(place["shard_idx"], self.num_shards):
            start, stop = self.ranges[number]
            if count < stop - start:
                break
            count -= stop - start
            place["shard_idx"] += 1
        place["shard_example_idx"] = 0 if place["shard_idx"] == self.num_shards else count

    def shuffle_data_sources(self, generator: Any) -> "StreamedPieces":
        """Returns the pieces in another order: the one that datasets gives any other data set."""
        order = list(range(self.num_shards))
        deepcopy(generator).shuffle(order)
        return self._with([self.ranges[i] for i in order])

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> "StreamedPieces":
        """Returns the pieces of one node or worker."""
        kept = self.split_shard_indices_by_worker(num_shards, index, contiguous=contiguous)
        return self._with([self.ranges[i] for i in kept])

    def reshard_data_sources(self) -> "StreamedPieces":
        """Returns more pieces: each cut into four, or into two, if it has as many blocks; else these."""
        least = min((-(-(stop - start) // BLOCK_SIZE) for start, stop in self.ranges), default=0)
        count = next((parts for parts in PARTS if parts <= least), 1)
        return self._with([part for each in self.ranges for part in _cut(each, count)])

    def _with(self, ranges: list[Range]) -> "StreamedPieces":
        return StreamedPieces(*self._of, ranges)


class DirectSkip(SkipExamplesIterable):  # type: ignore[misc]  # datasets is not typed
    """What a streamed data set iterates over after `skip`: the rows left out are not made."""

    def __iter__(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yields each example behind those skipped, with a key."""
        yield from self._rest()

    def _iter_arrow(self) -> Iterator[tuple[str, pa.Table]]:
        yield from self._rest()._iter_arrow()

    def _rest(self) -> Any:
        """Returns the iterable inside, with its place behind what is to be skipped."""
        inner, place = self.ex_iterable, self._state_dict
        if place is None:  # nobody asks for the place, so it is a copy's
            inner, place = deepcopy(inner), {"skipped": 0}
            inner._init_state_dict()
        inner.forward(self.n - place["skipped"])
        place["skipped"] = self.n
        return inner

    def forward(self, count: int) -> None:
        """Moves the place on by ``count`` examples, or to the end."""
        self._rest().forward(count)

    def shard_data_sources(self, num_shards: int, index: int, contiguous: bool = True) -> Any:
        """Returns what one node or worker has, as datasets divides it."""
        return _direct(super().shard_data_sources(num_shards, index, contiguous=contiguous))

    def reshard_data_sources(self) -> Any:
        """Returns the same with more pieces inside."""
        return _direct(super().reshard_data_sources())


def _direct(iterable: Any) -> Any:
    """Returns datasets' way to skip rows as ours, if the rows are those of our stream; anything else as it is."""
    if type(iterable) is SkipExamplesIterable and isinstance(iterable.ex_iterable, StreamedPieces | DirectSkip):
        direct = DirectSkip.__new__(DirectSkip)
        direct.__dict__.update(vars(iterable))
        return direct
    return iterable


def skip_directly() -> None:
    """Lets `IterableDataset.skip` go directly to a row of our stream. Doing it again changes nothing.

    `IterableDataset.with_format` and `split_dataset_by_node` return objects of that very class, so that a class of our
    own with another `skip` would be lost on the way. Other data sets are skipped as before.
    """
    usual = datasets.IterableDataset.skip
    if getattr(usual, "_is_direct", False):
        return

    @functools.wraps(usual)
    def skip(self: datasets.IterableDataset, n: int) -> datasets.IterableDataset:
        skipped = usual(self, n)
        skipped._ex_iterable = _direct(skipped._ex_iterable)
        return skipped

    skip._is_direct = True  # type: ignore[attr-defined]
    datasets.IterableDataset.skip = skip

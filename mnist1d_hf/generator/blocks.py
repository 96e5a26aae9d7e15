"""The fast stream block by block, for whoever goes through it: from any example on, in memory that is used again."""

from collections.abc import Iterable, Iterator
from typing import cast

from mnist1d_hf.generator.arrays import Split
from mnist1d_hf.generator.draws import BLOCK_SIZE, noise_memory
from mnist1d_hf.generator.fast_stream import FastStream
from mnist1d_hf.generator.recipe import Recipe


class StreamBlocks(FastStream):
    """The fast stream of one recipe; `stream_blocks(recipe)` prepares it."""

    def parts(self, split: str, start: int, stop: int, *, latents: bool = False) -> Iterator[Split]:
        """Yields examples ``start`` to ``stop``, cut where a block ends; each part is made when it is asked for.

        Args:
            split: "train" or "test".
            start: First example.
            stop: The one after the last.
            latents: Whether each example comes with the numbers that it was made with.
        """
        noise = noise_memory(self.recipe)
        while start < stop:
            block, offset = divmod(start, BLOCK_SIZE)
            end = min(start - offset + BLOCK_SIZE, stop)
            yield self._block(split, block, latents=latents, noise=noise)[offset : offset + end - start]
            start = end

    def whole(self, split: str, blocks: Iterable[int]) -> Iterator[Split]:
        """Yields whole blocks by their numbers, ``BLOCK_SIZE`` examples each; a block is made when it is asked for."""
        noise = noise_memory(self.recipe)
        for block in blocks:
            yield self._block(split, block, noise=noise)


def stream_blocks(recipe: Recipe) -> StreamBlocks:
    """Returns the stream of a recipe, by blocks; the last few are kept in memory."""
    return cast(StreamBlocks, StreamBlocks.of(recipe))

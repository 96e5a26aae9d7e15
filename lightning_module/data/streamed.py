"""Data that are made while they are trained on, by the fast stream: without end, or more than memory holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch

from lightning_module.data.examples import Examples
from lightning_module.loop.stream_loader import StreamLoader
from mnist1d_hf.checks import memory
from mnist1d_hf.generator.draws import BLOCK_SIZE
from mnist1d_hf.generator.generate import make_slice
from mnist1d_hf.generator.recipe import Recipe

EVALUATED: Final = 20_000  # examples without end: so many of the test split to validate on, as many behind them
COPIES: Final = 2  # of a split that is held in memory: as it is read, and as it is divided


@dataclass(frozen=True)
class StreamedData:
    """The splits of a data module that are not held as tensors.

    Attributes:
        recipe: The numbers of the generator.
        steps: Minibatches in an epoch of a stream without end; None for the recipe's `num_samples`.
        val: What is validated on, as the data module has it.
        classes: The digits that are kept; None for all.
    """

    recipe: Recipe
    steps: int | None
    val: float | Literal["test"] | None
    classes: Sequence[int] | None

    def __post_init__(self) -> None:
        if self.steps is None and self.classes is not None:
            raise ValueError(
                f"classes={tuple(self.classes)} with num_samples={self.recipe.num_samples}, which is more than this "
                "machine's memory holds: take endless=True, or fewer examples"
            )
        if self.steps is None and self._range("train")[2] < BLOCK_SIZE:
            raise ValueError(f"val={self.val} leaves less than a block of {BLOCK_SIZE} examples to train on")

    def train_loader(self, **keywords: Any) -> StreamLoader:
        """Returns the training minibatches; the keywords are those of `StreamLoader` that a range and no end share."""
        if self.steps is not None:
            return StreamLoader(self.recipe, steps=self.steps, classes=self.classes, **keywords | {"shuffle": False})
        _, start, stop = self._range("train")
        return StreamLoader(self.recipe, start=start, stop=stop, **keywords)

    def evaluation(self, split: Literal["val", "test"], **keywords: Any) -> StreamLoader:
        """Returns the pieces of an evaluation, made as they are needed."""
        of, start, stop = self._range(split)
        return StreamLoader(self.recipe, of, start=start, stop=stop, drop_last=False, **keywords)

    def examples(self, split: Literal["train", "val", "test"]) -> Examples:
        """Returns a split as tensors.

        Raises:
            ValueError: If it is not to be held in memory.
        """
        if self.steps is None:
            raise ValueError(
                f"num_samples={self.recipe.num_samples} is more than this machine's memory holds, so that split "
                f"{split!r} is made as it is needed: iterate over the data module's loaders, or take some of it by "
                "mnist1d_hf.make_slice()"
            )
        if split == "train":
            raise ValueError(
                "endless=True has no last training example: iterate over train_dataloader(), or take some by "
                "mnist1d_hf.make_slice()"
            )
        of, start, stop = self._range(split)
        whole = self._slice(of, start, stop)
        kept = slice(None) if self.classes is None else torch.isin(whole.y, torch.tensor(self.classes, device="cpu"))
        return Examples(whole.x[kept], whole.y[kept])

    def first(self, split: Literal["train", "val", "test"], count: int) -> Examples:
        """Returns the first examples of a split, of all digits."""
        of, start, _ = self._range(split)
        return self._slice(of, start, start + count)

    def size(self) -> int | None:
        """Returns the number of training examples; None for no end."""
        return None if self.steps is not None else self._range("train")[2]

    def _range(self, split: str) -> tuple[str, int, int]:
        """Returns the split of the stream, the first example, and the one after the last."""
        if self.steps is not None:
            start = EVALUATED if split == "test" else 0
            return "train" if split == "train" else "test", start, start + EVALUATED
        sizes = self.recipe.split_sizes("fast")
        if split == "test" or (split == "val" and self.val == "test"):
            return "test", 0, sizes["test"]
        held_out = self.val if isinstance(self.val, float) else 0.0  # the last ones: whole blocks stay to train on
        kept = sizes["train"] - round(held_out * sizes["train"])
        cut = kept // BLOCK_SIZE * BLOCK_SIZE if held_out else kept
        return ("train", 0, cut) if split == "train" else ("train", cut, sizes["train"])

    def _slice(self, of: str, start: int, stop: int) -> Examples:
        made = make_slice(self.recipe, of, start, stop)
        x = torch.tensor(made.x, dtype=torch.float32, device="cpu")
        return Examples(x, torch.tensor(made.y, dtype=torch.int64, device="cpu"))


def exceeds_memory(recipe: Recipe) -> bool:
    """Returns whether this machine's memory is too small for the splits of a recipe as tensors."""
    present = memory()
    rows = sum(recipe.split_sizes("fast").values())
    return present is not None and COPIES * rows * (4 * recipe.final_seq_length + 8) > present

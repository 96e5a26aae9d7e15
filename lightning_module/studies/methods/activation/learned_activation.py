"""`LearnedActivation`: an activation function whose shape was learned, as a module for any network."""

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.studies.methods.activation.tabulated import PORTION, SIZE, activation, mlp, split, taylor_table
from mnist1d_hf.atomic import replace

if TYPE_CHECKING:
    from lightning_module.studies.framework.result import Result


class LearnedActivation(nn.Module):
    """ELU(x) + 0.2 m(x), where m is an MLP with one hidden layer of 100 tanh units. Its weights stay as they are.

    It is read from a table, as exact as float32 is, and costs what a few elementwise functions cost. It can be
    differentiated twice, and `by_definition` as often as one likes.

    Args:
        weights: Of the MLP, (301,): slopes, shifts, output weights, output bias.

    Raises:
        ValueError: If there are not 301.

    Source: Greydanus (2020), "Scaling down Deep Learning", metalearning an activation function.
    """

    weights: Tensor
    table: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        if weights.shape != (SIZE,):
            raise ValueError(f"weights of shape {tuple(weights.shape)} must have shape ({SIZE},)")
        self.register_buffer("weights", weights.detach().clone())
        self.register_buffer("table", taylor_table(weights.detach()), persistent=False)

        self.register_load_state_dict_post_hook(  # type: ignore[no-untyped-call]
            lambda module, _: module.tabulate()
        )

    def tabulate(self) -> None:
        """Makes the table anew, after the weights were changed."""
        self.table = taylor_table(self.weights)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the function of each number of x, in x's shape."""
        return activation(x, self.table)[0] + PORTION * self.weights[-1]

    def by_definition(self, x: Tensor) -> Tensor:
        """Returns the function of each number of x without the table, at a hundred times the memory."""
        return F.elu(x) + PORTION * (mlp(self.weights, x) + split(self.weights)[3])

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the weights as a safetensors file."""
        replace(Path(path), partial(save_file, {"weights": self.weights.contiguous()}))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "LearnedActivation":
        """Returns the function that `save` wrote.

        Raises:
            ValueError: If the file is not one of this function's weights.
        """
        if not Path(path).is_file():
            raise ValueError(f"path={os.fspath(path)!r} is no file; save the weights of a finished study first")
        try:
            return cls(load_file(os.fspath(path))["weights"])
        except (SafetensorError, KeyError) as error:
            raise ValueError(f"path={os.fspath(path)!r} holds no weights of a learned activation: {error}") from error

    @classmethod
    def of(cls, result: "Result", seed: int = 0) -> "LearnedActivation":
        """Returns the function that a run of the study "activation" learned.

        Raises:
            ValueError: If the result has none for this seed.
        """
        name = f"learned-{seed}"
        if name not in result.arrays:
            raise ValueError(f"seed={seed} has no learned function in a result of {result.study!r} {result.preset!r}")
        return cls(torch.tensor(result.arrays[name]))

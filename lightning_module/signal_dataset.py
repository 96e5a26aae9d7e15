"""`torch_dataset`: one split of MNIST-1D as a `torch.utils.data.Dataset`, for a training loop of one's own."""

import operator
from collections.abc import Callable
from typing import Any, Literal, SupportsIndex

from torch import Tensor
from torch.utils.data import Dataset

from lightning_module.datamodule import MNIST1DDataModule
from mnist1d_hf.checks import flag, one_of


class SignalDataset(Dataset[tuple[Any, Any]]):
    """Pairs of a signal and its digit; made by `torch_dataset`.

    `data`, `targets` and `classes` are called as in torchvision's data sets, so that code for those finds them.

    Attributes:
        data: All signals, ``(n, length)`` or with a channel ``(n, 1, length)``, float32.
        targets: Their digits, ``(n,)``, int64.
        transform: Applied to each signal when it is asked for; None for nothing.
        target_transform: Applied to each digit, an int.
    """

    def __init__(
        self,
        data: Tensor,
        targets: Tensor,
        *,
        transform: Callable[[Tensor], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        for name, function in (("transform", transform), ("target_transform", target_transform)):
            if function is not None and not callable(function):
                raise ValueError(f"{name}={function!r} must be a function or None")
        self.data, self.targets = data, targets
        self.transform, self.target_transform = transform, target_transform

    @property
    def classes(self) -> list[str]:
        """Returns the names of the digits."""
        return [str(digit) for digit in range(int(self.targets.max()) + 1)]

    def __len__(self) -> int:
        """Returns the number of signals."""
        return len(self.targets)

    def __getitem__(self, index: SupportsIndex) -> tuple[Any, Any]:
        """Returns one signal, a tensor ``(length,)`` or ``(1, length)``, and its digit, an int; both transformed."""
        row = operator.index(index)
        x: Any = self.data[row].clone()  # a transform may write into it
        y: Any = int(self.targets[row])
        if self.transform is not None:
            x = self.transform(x)
        if self.target_transform is not None:
            y = self.target_transform(y)
        return x, y

    def __repr__(self) -> str:
        """Returns a line that says what the data set holds."""
        return f"{type(self).__name__}({len(self)} signals of shape {tuple(self.data.shape[1:])})"


def torch_dataset(
    split: Literal["train", "test"],
    *,
    transform: Callable[[Tensor], Any] | None = None,
    target_transform: Callable[[int], Any] | None = None,
    channel: bool = False,
    path: str = "mnist1d",
    name: str = "default",
    revision: str | None = None,
    recipe: dict[str, Any] | None = None,
) -> SignalDataset:
    """Returns a split as a map-style data set for a `DataLoader`: a float32 tensor ``(length,)`` and an int each.

    For a Lightning Trainer, or for speed, take `MNIST1DDataModule`: to fetch example by example costs more than to
    train a small network on them.

    Args:
        split: "train" or "test"; to hold a part of train out, `torch.utils.data.random_split`.
        transform: A function of one signal, a tensor that it may change. With worker processes that are spawned it must
            be one that pickles, so no lambda.
        target_transform: A function of one digit, an int.
        channel: Whether a signal has the shape ``(1, length)``, as `torch.nn.Conv1d` takes it.
        path: "mnist1d", generated on this machine; or a folder or a Hub repository that holds such a data set.
        name: The config: a recipe by its name, such as "default", "long" or "train-50k".
        revision: The version of the data; of a repository a tag, branch or commit. None for the newest.
        recipe: Numbers of the recipe to change, such as `{"iid_noise_scale": 0.1}`; only with path="mnist1d".

    Raises:
        ValueError: If an argument is out of its range.
    """
    split = one_of("split", split, ("train", "test"), also="; a part of train is torch.utils.data.random_split(...)")
    channel = flag("channel", channel)
    x, y = MNIST1DDataModule(path, name, revision, val=None, recipe=recipe).examples(split)
    return SignalDataset(x.unsqueeze(1) if channel else x, y, transform=transform, target_transform=target_transform)

"""The learned activation function in another network on other data: a small CNN that reads images."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.cells import Row
from lightning_module.studies.methods.activation.functions import Function
from lightning_module.studies.methods.other_data.image_files import MissingDataError
from lightning_module.studies.methods.other_data.tasks import SETS, Sizes, Task, draw

CHANNELS, BATCH, EARLY = (8, 16, 16), 100, 100


class ActivationCNN(nn.Module):
    """Three convolutions, of which the first two halve the image, and a linear layer.

    Args:
        shape: Height, width and channels of an image.
        function: The activation function.
    """

    def __init__(self, shape: tuple[int, ...], function: Function) -> None:
        super().__init__()
        height, width, channels = shape
        self.shape, self.function = shape, function
        sizes = (channels, *CHANNELS)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=stride, padding=1)
            for a, b, stride in zip(sizes[:-1], sizes[1:], (2, 2, 1), strict=True)
        )
        self.linear = nn.Linear(-(-height // 4) * -(-width // 4) * CHANNELS[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits (batch, 10) of images (batch, height * width * channels)."""
        h = x.view(-1, *self.shape).permute(0, 3, 1, 2)
        for convolution in self.convolutions:
            h = self.function(convolution(h))
        logits: Tensor = self.linear(h.flatten(1))
        return logits


def transfer_rows(
    name: str,
    seed: int,
    learned: Callable[[], Mapping[str, Function]],
    *,
    sizes: Sizes,
    steps: int,
    rates: Sequence[float],
    file: str | None,
    hub: bool,
) -> tuple[list[Row], dict[str, Any], str | None]:
    """Returns a row for each activation function, what the data are, and why they cannot be had, if they cannot.

    The functions are learned only if there are data. Each has its own learning rate: the one with the highest accuracy
    on the validation examples. The ranks are among the functions, 1 for the lowest loss.
    """
    try:
        task = draw(name, seed, sizes, file=file, hub=hub)
    except MissingDataError as error:
        return [], {}, str(error)
    functions = learned()
    examples = sum(len(part.y) for part in (task.train, task.validation, task.test))
    rows = [
        {"function": each, "examples": examples, **_best(task, SETS[name].shape, functions[each], seed, steps, rates)}
        for each in functions
    ]
    for column in ("early_loss", "test_loss"):
        order = sorted(row[column] for row in rows)
        for row in rows:
            row[f"rank_{column}"] = 1 + order.index(row[column])
    return rows, task.what, None


def _best(task: Task, shape: tuple[int, ...], function: Function, seed: int, steps: int, rates: Sequence[float]) -> Row:
    """Returns the result of a network with the learning rate that validation prefers."""
    trainings = [_train(task, shape, function, seed, steps, rate) for rate in rates]
    return max(trainings, key=lambda row: (row["validation_accuracy"], -row["rate"]))


def _train(task: Task, shape: tuple[int, ...], function: Function, seed: int, steps: int, rate: float) -> Row:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = ActivationCNN(shape, function)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(seed)
    losses = []
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < BATCH:
            order = torch.randperm(len(task.train.y), generator=generator)
        rows, order = order[:BATCH], order[BATCH:]
        loss = F.cross_entropy(network(task.train.x[rows]), task.train.y[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    (_, validation), (test_loss, accuracy) = _evaluate(network, task.validation), _evaluate(network, task.test)
    early = losses[:EARLY]
    return {
        "rate": rate,
        "early_loss": sum(early) / len(early),
        "test_loss": test_loss,
        "accuracy": accuracy,
        "validation_accuracy": validation,
    }


def _evaluate(network: nn.Module, examples: Examples) -> tuple[float, float]:
    """Returns the mean cross-entropy and the accuracy."""
    with torch.no_grad():
        logits = torch.cat([network(x) for x in torch.split(examples.x, 1000)])
    loss = float(F.cross_entropy(logits, examples.y))
    return loss, float((logits.argmax(1) == examples.y).double().mean())

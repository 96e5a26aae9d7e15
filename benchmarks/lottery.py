"""How long a round of the search for lottery tickets takes, next to the published loop for the same work.

    python benchmarks/lottery.py [--steps 500] [--rounds 11] [--repeat 3]

The published loop is written from its protocol: a flat mask for each layer, with which all parameters are overwritten
before every forward pass; torch's Adam; every 100 steps the loss of the test split and the accuracies of both splits.
Ours takes the same losses and accuracies. Both train the same masks, those of a search with fewer rounds and steps than
the published one, one after the other in each round. Rounds are spread evenly over the sparsities, as
those of the study are, so the sum over them is about a whole search; what pruning leaves is faster, but only for ours.
Times are the processor's, of one thread, so that others at work on the machine count only by what they do to its
caches; those of the wall are below. The limit is the multiplications that ours makes, counted, at the speed that this
machine multiplies the largest of these matrices.
"""

import argparse
import logging
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from report import machine
from torch import Tensor, nn

from lightning_module.batched.matmul import product_transposed
from lightning_module.datamodule import Examples
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.running.memory import keep_freed_memory
from lightning_module.studies.lottery.config import LotteryConfig
from lightning_module.studies.lottery.search import FIRST_SEED, weights_of_seed
from lightning_module.studies.methods.pruning import compact_mlp
from lightning_module.studies.methods.pruning.compaction import alive_units
from lightning_module.studies.methods.pruning.masked_training import Masked, train_masked
from lightning_module.studies.methods.pruning.pruning import Tensors, magnitudes, masks_by, sparsities

BATCH, EVERY = 100, 100
LAYERS = ("linear1", "linear2", "linear3")


class MaskedLinear(nn.Module):
    """A linear layer that overwrites its parameters with their masked values before it is applied."""

    def __init__(self, weight: Tensor, bias: Tensor, mask: Tensor) -> None:
        super().__init__()
        self.linear = nn.Linear(weight.shape[1], weight.shape[0])
        self.linear.load_state_dict({"weight": weight, "bias": bias})
        self.mask = mask

    def forward(self, x: Tensor) -> Tensor:
        """Returns the layer's output."""
        flat = self.mask * torch.cat([parameter.flatten() for parameter in self.linear.parameters()])
        first = 0
        for parameter in self.linear.parameters():
            parameter.data = flat[first : first + parameter.numel()].view_as(parameter).data
            first += parameter.numel()
        return self.linear(x)


class MaskedMLP(nn.Module):
    """The published network."""

    def __init__(self, weights: Tensors, masks: Tensors) -> None:
        super().__init__()
        layers = []
        for layer in LAYERS:
            mask = torch.cat([masks[f"{layer}.weight"].flatten(), masks[f"{layer}.bias"]])
            layers.append(MaskedLinear(weights[f"{layer}.weight"], weights[f"{layer}.bias"], mask))
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits."""
        first, second, last = self.layers
        h = torch.relu(first(x))
        return last(h + torch.relu(second(h)))


def reference(weights: Tensors, masks: Tensors, train: Examples, test: Examples, steps: int) -> None:
    """Trains one network by the published loop."""
    network = MaskedMLP(weights, masks)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    loss_of = nn.CrossEntropyLoss()
    for step in range(1, steps + 1):
        first = (step - 1) * BATCH % len(train.x)
        loss = loss_of(network(train.x[first : first + BATCH]), train.y[first : first + BATCH])
        loss.item()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if step % EVERY == 0:
            loss_of(network(test.x), test.y).item()
            for x, y in (train, test):
                hits = network(x).argmax(-1).numpy() == y.numpy().astype("float32")
                100 * sum(hits) / len(y)


def ours(network: Masked, train: Examples, test: Examples, steps: int) -> dict[str, Tensor]:
    """Returns the weights of the network after the study's training."""
    evaluate = {"train": train, "test": test}
    return train_masked(network, train, lr=2e-2, steps=steps, batch_size=BATCH, evaluate=evaluate, every=EVERY).weights


def timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """Returns what some work returns, and the seconds of the processor and of the wall."""
    processor, wall = time.process_time(), time.perf_counter()
    returned = work()
    return returned, (time.process_time() - processor, time.perf_counter() - wall)


@contextmanager
def counted() -> Iterator[list[int]]:
    """Yields a list that the floating-point operations of our products are added to."""
    operations: list[int] = []

    def times(a: Tensor, b: Tensor, *bias: Tensor, relu: bool = False) -> Tensor:
        operations.append(2 * a.shape[0] * a.shape[1] * b.shape[0])
        return product_transposed(a, b, *bias, relu=relu)

    setattr(compact_mlp, "times", times)  # noqa: B010  # the name of its import, which is no part of its interface
    try:
        yield operations
    finally:
        setattr(compact_mlp, "times", product_transposed)  # noqa: B010


def speed(hidden: int, outputs: int) -> float:
    """Returns the floating-point operations a second of the largest product, by the faster library."""
    a, b = torch.randn(outputs, hidden), torch.randn(BATCH, hidden)
    libraries = (product_transposed, torch.nn.functional.linear)
    best = min(
        timed(lambda multiply=multiply: [multiply(a, b) for _ in range(20)])[1][0]
        for multiply in libraries
        for _ in range(10)
    )
    return 2 * hidden * outputs * BATCH * 20 / best


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the time of a pruning round, next to the published loop")
    parser.add_argument("--steps", type=int, default=500, help="steps of each training, a multiple of 100")
    parser.add_argument("--rounds", type=int, default=11, help="rounds of the search, spread over all sparsities")
    parser.add_argument("--repeat", type=int, default=3, help="measurements of each round, of which the median counts")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    keep_freed_memory()  # as the study does; the published loop gains as well
    train, test = frozen().train, frozen().test
    initial = weights_of_seed(LotteryConfig(), FIRST_SEED)
    ones = {name: torch.ones_like(weight) for name, weight in initial.items()}
    reference(initial, ones, train, test, EVERY)  # warms up
    ours(Masked(initial, ones), train, test, EVERY)

    print(f"{machine()}, 1 thread")
    print(f"processor seconds for {options.steps} steps, the median of {options.repeat}")
    print(f"{'pruned':>7}{'units':>10}{'reference':>11}{'ours':>8}{'ratio':>9}{'limit':>8}")
    reached, times = initial, []
    for sparsity in sparsities(options.rounds)[:-1]:  # the last has nothing left
        network = Masked(initial, masks_by(magnitudes(reached), sparsity))
        theirs, own = [], []
        for _ in range(options.repeat):
            theirs.append(timed(lambda one=network: reference(one.initial, one.masks, train, test, options.steps))[1])
            with counted() as operations:
                reached, seconds = timed(lambda one=network: ours(one, train, test, options.steps))
            own.append(seconds)
        columns = [statistics.median(column) for side in (theirs, own) for column in zip(*side, strict=True)]
        alive = alive_units(network.masks)
        least = sum(operations) / speed(len(alive.hidden), len(alive.outputs))
        times.append((*columns, least))
        units = f"{len(alive.hidden)}+{len(alive.outputs)}"
        print(
            f"{sparsity:7.2f}{units:>10}{columns[0]:11.2f}{columns[2]:8.2f}{columns[0] / columns[2]:8.1f}x{least:8.2f}"
        )
    theirs, their_wall, own, own_wall, least = (sum(column) for column in zip(*times, strict=True))
    median = statistics.median(each[0] / each[2] for each in times)
    print(f"all rounds: {theirs / own:.2f} times faster than the published loop (median round {median:.2f})")
    print(f"by the wall's clock {their_wall / own_wall:.2f} times")
    print(f"and {own / least:.2f} times the limit, evaluations and the start of the trainer included")


if __name__ == "__main__":
    main()

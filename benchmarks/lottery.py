"""How long a round of the search for lottery tickets takes, next to the published loop for the same work.

    python benchmarks/lottery.py [--steps 1500] [--rounds 11]

The published loop is written from its protocol: a flat mask for each layer, with which all parameters are overwritten
before every forward pass; torch's Adam; every 100 steps the loss of the test split and the accuracies of both. Both
sides train the same masks, those of a search with fewer rounds and steps than the published one, one after the other
in each round; and both are evaluated alike. Times are the processor's, of one thread, so that others at work on the
machine count only by what they do to its caches. The limit is the multiplications of the layers, without those of dead
units, at the speed that this machine multiplies matrices of that size.
"""

import argparse
import logging
import statistics
import time
import warnings

import torch
from report import machine
from torch import Tensor, nn

from lightning_module.datamodule import Examples
from lightning_module.studies.compaction import alive_units
from lightning_module.studies.data import frozen
from lightning_module.studies.lottery_config import LotteryConfig
from lightning_module.studies.lottery_search import FIRST_SEED, weights_of_seed
from lightning_module.studies.masked_training import train_masked
from lightning_module.studies.pruning import Tensors, magnitudes, masks_by, sparsities

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


def reference(weights: Tensors, masks: Tensors, train: Examples, test: Examples, steps: int) -> float:
    """Returns the seconds of the published loop."""
    network = MaskedMLP(weights, masks)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    loss_of = nn.CrossEntropyLoss()
    start = time.process_time()
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
    return time.process_time() - start


def ours(weights: Tensors, masks: Tensors, train: Examples, test: Examples, steps: int) -> tuple[float, Tensors]:
    """Returns the seconds of the study's training, the start of the trainer included, and the weights at the end."""
    start = time.process_time()
    evaluate = {"train": train, "test": test}
    trained = train_masked(
        weights, masks, train, lr=2e-2, steps=steps, batch_size=BATCH, evaluate=evaluate, every=EVERY
    )
    return time.process_time() - start, trained.weights


def limit(masks: Tensors, steps: int) -> float:
    """Returns the seconds of the matrix products of the training alone: two forward, one for each gradient backward."""
    alive = alive_units(masks)
    hidden, outputs = len(alive.hidden), len(alive.outputs)
    # Of the first layer only the weights have a gradient, of the others their inputs as well.
    multiplications = BATCH * (2 * 40 * hidden + 3 * hidden * outputs + 3 * 10 * outputs)
    return 2 * multiplications * steps / _speed(hidden, outputs)


def _speed(hidden: int, outputs: int, repeat: int = 200) -> float:
    """Returns the floating-point operations a second of the largest product."""
    a, b = torch.randn(outputs, hidden), torch.randn(hidden, BATCH)
    (a @ b).sum()
    start = time.process_time()
    for _ in range(repeat):
        torch.mm(a, b)
    return 2 * hidden * outputs * BATCH * repeat / (time.process_time() - start)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description="the time of a pruning round, next to the published loop")
    parser.add_argument("--steps", type=int, default=1500, help="steps of each training, a multiple of 100")
    parser.add_argument("--rounds", type=int, default=11, help="rounds of the search, spread over all sparsities")
    options = parser.parse_args()

    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    train, test = frozen().train, frozen().test
    initial = weights_of_seed(LotteryConfig(), FIRST_SEED)
    ones = {name: torch.ones_like(weight) for name, weight in initial.items()}
    reference(initial, ones, train, test, EVERY)  # warms up
    ours(initial, ones, train, test, EVERY)

    print(f"{machine()}, 1 thread")
    print(f"processor seconds per {options.steps} steps")
    print(f"{'pruned':>7}{'units':>10}{'reference':>11}{'ours':>8}{'ratio':>9}{'limit':>8}")
    reached, times = initial, []
    for sparsity in sparsities(options.rounds)[:-1]:  # the last has nothing left
        masks = masks_by(magnitudes(reached), sparsity)
        theirs = reference(initial, masks, train, test, options.steps)
        own, reached = ours(initial, masks, train, test, options.steps)
        alive = alive_units(masks)
        times.append((theirs, own, limit(masks, options.steps)))
        units = f"{len(alive.hidden)}+{len(alive.outputs)}"
        print(f"{sparsity:7.2f}{units:>10}{theirs:11.2f}{own:8.2f}{theirs / own:7.1f}x{times[-1][2]:8.2f}")
    all_theirs, all_ours, all_limits = (sum(column) for column in zip(*times, strict=True))
    median = statistics.median(theirs / own for theirs, own, _ in times)
    print(f"all rounds: {all_theirs / all_ours:.2f} times faster than the published loop (median round {median:.2f})")
    print(f"and {all_ours / all_limits:.2f} times the limit, evaluations and the start of the trainer included")


if __name__ == "__main__":
    main()

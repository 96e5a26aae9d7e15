"""What a step of meta-learning costs: here, and in a loop that leaves both gradients to automatic differentiation.

    python benchmarks/meta_learning.py [--steps 120] [--repeats 1]

Both sides do the same work in one process, alternating, on one thread. The unit is processor time, which other users of
the machine change less than the wall clock. The published 301 inner steps take the reference's way 10 GB of memory; the
default is 120.

- Activation function: one outer step of the MLP 40-128-10 with the learned activation function, the gradient through
  all inner steps, and the evaluation on 500 examples. The reference's way is the inner loss's gradient by
  `torch.autograd.grad(create_graph=True)` through the activation function's own MLP, with an evaluation after every
  inner step but the first, as its code does by mistake; and the same with one evaluation at the end.
- Learning rate: one outer step from each of the two published learning rates, one after the other there, together here.

Objectives and gradients of both sides are compared: a speed counts only for the same result. It prints a table and
writes nothing.
"""

import argparse
import math
import time
from collections.abc import Callable

import torch
from report import machine
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from lightning_module.datamodule import Examples
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.methods.activation.meta_activation import (
    MetaDraws,
    batches_of,
    evaluate,
    inner_training,
    reference_draws,
)
from lightning_module.studies.methods.unrolled import hypergradient, initial_weights, minibatches

RATES = (1.5, 0.15)
RATE_STEPS = 200

Found = tuple[float, Tensor]  # objective, and its gradient


def mlp(x: Tensor, flat: Tensor, sizes: tuple[int, int, int], function: Callable[[Tensor], Tensor], noise: Tensor):
    """Returns the outputs of an MLP whose weights are one vector, as in the reference."""
    a, b, c = sizes
    w1, b1, w2, b2 = torch.split(flat, [a * b, b, b * c, c])
    hidden = function((w1.view(b, a) @ x.t()).t() + b1[None]) + noise
    return (w2.view(c, b) @ hidden.t()).t() + b2[None]


def reference_activation(data: tuple[Examples, Examples], draws: MetaDraws, *, every_step: bool) -> Found:
    """Returns an outer step of the activation function, all by automatic differentiation."""
    (train, test), steps = data, len(draws.training)
    variable = draws.function.clone().requires_grad_()
    flat = draws.first.clone().requires_grad_()
    squares, losses = torch.ones_like(flat), []

    def logits(x: Tensor, noise) -> Tensor:
        def learned(z: Tensor) -> Tensor:
            return F.elu(z) + 0.2 * mlp(z.reshape(-1, 1), variable, (1, 100, 1), torch.tanh, noise.units).view_as(z)

        return mlp(x, flat, (40, 128, 10), learned, noise.hidden)

    for step, noise in enumerate(draws.training):
        rows = slice(step * 100 % len(train.y), step * 100 % len(train.y) + 100)
        loss = F.cross_entropy(logits(train.x[rows], noise), train.y[rows])
        (gradient,) = torch.autograd.grad(loss, flat, create_graph=True)
        squares = squares * 0.4 + gradient**2 * 0.6
        flat = flat - 0.01 * gradient / (torch.sqrt(squares) + 1e-8)
        losses.append(loss)
        if (every_step and step) or step == steps - 1:
            (logits(test.x, draws.evaluation).argmax(-1) == test.y).double().mean()
    objective = torch.stack(losses)[-200:].mean()
    (by_function,) = torch.autograd.grad(objective, variable)
    return float(objective.detach()), by_function


def our_activation(data: tuple[Examples, Examples], draws: MetaDraws) -> Found:
    """Returns the same outer step as the study does it."""
    train, test = data
    variable = draws.function.clone().requires_grad_()
    losses, network, _ = inner_training(variable, draws.first, draws.training, batches_of(train, len(draws.training)))
    objective = losses[-200:].mean()
    (gradient,) = torch.autograd.grad(objective, variable)
    evaluate(draws.function, network.detach(), draws.evaluation, test)
    return float(objective.detach()), gradient


def reference_rate(data: Examples) -> Found:
    """Returns an outer step from each learning rate, one after the other, all by automatic differentiation."""
    objectives: list[float] = []
    gradients: list[Tensor] = []
    start = torch.cat([w[0].t().flatten() for w in initial_weights(0)])
    for number in RATES:
        rate, flat, losses = torch.tensor([number], requires_grad=True), start.clone().requires_grad_(), []
        for step in range(RATE_STEPS):
            rows = slice(step * 50 % len(data.y), step * 50 % len(data.y) + 50)
            loss = F.cross_entropy(mlp(data.x[rows], flat, (40, 50, 10), torch.tanh, torch.zeros(1)), data.y[rows])
            (gradient,) = torch.autograd.grad(loss, flat, create_graph=True)
            flat = flat - rate * gradient
            losses.append(loss)
        objective = torch.stack(losses).mean()
        gradients += torch.autograd.grad(objective, rate)
        objectives.append(float(objective.detach()))
    return sum(objectives) / len(objectives), torch.cat(gradients)


def our_rate(data: Examples) -> Found:
    """Returns the same outer steps together."""
    found = hypergradient(torch.tensor(RATES), initial_weights(0), minibatches(data, steps=RATE_STEPS, size=50))
    return float(found.mean_loss.mean()), found.gradient


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=120, help="inner steps of the activation function")
    parser.add_argument("--repeats", type=int, default=1, help="the fastest of so many counts")
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(machine())
    draw = frozen(num_samples=10_000)
    data = draw.train, Examples(draw.test.x[:500], draw.test.y[:500])
    draws, rates = reference_draws(0, steps=options.steps), frozen().train
    ways: dict[str, Callable[[], Found]] = {
        "activation, reference, evaluating at every step": lambda: reference_activation(data, draws, every_step=True),
        "activation, reference, evaluating once": lambda: reference_activation(data, draws, every_step=False),
        "activation, here": lambda: our_activation(data, draws),
        "learning rate, reference, both starts": lambda: reference_rate(rates),
        "learning rate, here, both starts": lambda: our_rate(rates),
    }
    ways["activation, here"](), ways["learning rate, here, both starts"]()  # the first call makes what torch keeps
    times, found = dict.fromkeys(ways, math.inf), {}
    for _ in range(options.repeats):
        for name, way in ways.items():
            started = time.process_time()
            found[name] = way()
            times[name] = min(times[name], time.process_time() - started)
    report(times, found)


def report(times: dict[str, float], found: dict[str, Found]) -> None:
    """Prints times, and objectives with the gradients' distance from the reference's."""
    print(f"\n{'an outer step':50} {'seconds':>8} {'objective':>10} {'gradient, distance':>19} {'times as fast':>14}")
    for name, seconds in times.items():
        kind = name.split(",")[0]
        others = [other for other in times if other.startswith(kind) and "reference" in other]
        objective, gradient = found[name]
        wanted = found[others[0]][1]
        apart = float((gradient - wanted).norm() / wanted.norm())
        ratios = "" if "reference" in name else " and ".join(f"{times[other] / seconds:.1f}" for other in others)
        print(f"{name:50} {seconds:8.2f} {objective:10.4f} {apart:19.1e} {ratios:>14}")


if __name__ == "__main__":
    main()

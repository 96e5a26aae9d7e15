"""An optimiser's step without its bookkeeping: for Adam on a CPU one call of torch's kernel.

`torch.optim.Adam.step` looks for hooks, sorts its parameters by device and makes lists of their states, at every step
again. For six tensors that takes longer than the kernel, and a tenth of a step of the reference MLP.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam, AdamW, Optimizer
from torch.optim import optimizer as module_of_hooks

# What makes another step of Adam than the one below.
VARIANTS = ("amsgrad", "maximize", "capturable", "differentiable")


def bare_step(optimizer: Optimizer) -> Callable[[], object]:
    """Returns a function without arguments that takes the optimiser's step, to the bit.

    It holds for as long as the optimiser keeps its parameters, settings and states, and only the learning rate may
    change: for the steps between two turns of Lightning's loop.

    Args:
        optimizer: Any optimiser. `optimizer.step` itself is returned, unless it is torch's fused Adam or AdamW on a
            CPU, in its plain form, after its first step, and nobody hooks into it.
    """
    if not _is_plain(optimizer):
        return optimizer.step
    (group,) = optimizer.param_groups
    parameters: list[Tensor] = group["params"]
    values = [parameter.detach() for parameter in parameters]
    means, squares, steps = (
        [optimizer.state[parameter][name] for parameter in parameters] for name in ("exp_avg", "exp_avg_sq", "step")
    )
    decoupled = _is_decoupled(optimizer)
    counts = [number.numpy() for number in steps]  # the same memory; torch takes twice the time to add 1 to each

    def step() -> object:
        gradients = [parameter.grad for parameter in parameters]
        if any(gradient is None for gradient in gradients):
            return optimizer.step()  # which leaves such a parameter out
        for count in counts:
            count += 1
        fused_adam(
            values,
            gradients,  # type: ignore[arg-type]  # none is None
            means,
            squares,
            steps,
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            group=group,
            decoupled=decoupled,
        )
        return None

    return step


def fused_adam(
    values: list[Tensor],
    gradients: list[Tensor],
    means: list[Tensor],
    squares: list[Tensor],
    steps: list[Tensor],
    *,
    lr: float,
    weight_decay: float,
    group: dict[str, Any],
    decoupled: bool,
) -> None:
    """Calls torch's kernel, which changes the values and both moments in place.

    Args:
        values: The parameters, without a gradient of their own.
        gradients: Their gradients.
        means: Their first moments.
        squares: Their second moments.
        steps: For each the number of the step, from 1.
        lr: Learning rate.
        weight_decay: Weight decay.
        group: Where "betas" and "eps" are.
        decoupled: Whether the weights decay by themselves, as in AdamW.
    """
    # What torch.optim.adam.adam calls, after counting each step and sorting the tensors.
    kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_
    kernel(
        values,
        gradients,
        means,
        squares,
        [],
        steps,
        lr=lr,
        beta1=group["betas"][0],
        beta2=group["betas"][1],
        weight_decay=weight_decay,
        eps=group["eps"],
        amsgrad=False,
        maximize=False,
    )


def _is_plain(optimizer: Optimizer) -> bool:
    if type(optimizer) not in (Adam, AdamW) or len(optimizer.param_groups) != 1:
        return False
    (group,) = optimizer.param_groups
    if not group.get("fused") or any(group.get(name) for name in VARIANTS):
        return False
    if any(isinstance(number, Tensor) for number in (group["lr"], *group["betas"])):
        return False
    if "step" in vars(optimizer) or _has_hooks(optimizer):  # a scheduler puts a step of its own there, which counts
        return False
    parameters: list[Tensor] = group["params"]
    one_kind = {(parameter.device.type, parameter.dtype) for parameter in parameters} in (
        {("cpu", torch.float32)},
        {("cpu", torch.float64)},
    )
    return one_kind and all(parameter in optimizer.state for parameter in parameters)


def _has_hooks(optimizer: Optimizer) -> bool:
    """Returns whether anything is called before or after a step; there is no public way to know."""
    return bool(
        optimizer._optimizer_step_pre_hooks
        or optimizer._optimizer_step_post_hooks
        or module_of_hooks._global_optimizer_pre_hooks
        or module_of_hooks._global_optimizer_post_hooks
    )


def foreign_hooks(optimizer: Optimizer) -> list[str]:
    """Returns the names of hooks before a step, or in its place, that others than this package have put there.

    Within Lightning's own step that is before the gradients are there, and in a bare loop after; hooks after a step
    find the same in both. A learning-rate scheduler puts a step in the place that only counts.
    """
    hooks = [*optimizer._optimizer_step_pre_hooks.values(), *module_of_hooks._global_optimizer_pre_hooks.values()]
    if "step" in vars(optimizer):
        hooks.append(vars(optimizer)["step"])
    return [getattr(hook, "__qualname__", repr(hook)) for hook in hooks if not _is_trusted(hook)]


def _is_trusted(hook: Any) -> bool:
    # Of a function wrapped by `functools.wraps`, `__module__` is that of the function inside.
    home = getattr(getattr(hook, "__func__", hook), "__globals__", {}).get("__name__", "")
    return bool(home.partition(".")[0] == "lightning_module" or home == "torch.optim.lr_scheduler")


def _is_decoupled(optimizer: Optimizer) -> bool:
    return isinstance(optimizer, AdamW) or bool(optimizer.param_groups[0].get("decoupled_weight_decay"))

"""A network alone by the formulation of many at once, so that it learns what it would learn in an ensemble.

`nn.Linear` and `nn.Conv1d` round otherwise than the products of `lightning_module.batched.logits`. Once in some
thousand minibatches such a last digit opens a ReLU or meets Adam's division of 0 by 0, and two trainings that should be
one part by percents. So on one thread of a CPU, where that takes no longer, the reference networks alone are trained as
an ensemble of one, and so are others that were registered with `as_replica`; and on one thread they are trained
wherever that takes no longer, see `lightning_module.loop.threads`. Larger ones keep all threads, and their own forward
pass.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.logits import batched_logits
from lightning_module.network_registry import ALSO_ALONE
from lightning_module.networks import GRU, MLP, Logistic
from lightning_module.recurrence import WIDEST, BidirectionalGRU

# Their products have the same bits without the axis of the replicas, which costs them a tenth of their time.
FULLY_CONNECTED = (Logistic, MLP)
LAYERS = (nn.Linear, nn.Conv1d, BidirectionalGRU)
FULL = (torch.float32, torch.float64)


def is_one_of_many(network: nn.Module, x: Tensor) -> bool:
    """Returns whether a network's logits for signals can be those of `logits_alone`.

    That is, whether it is a reference network as it was made, on one thread of a CPU, in full precision. Elsewhere its
    own forward pass is faster (several threads, cuDNN) or the only one (mixed precision, export, compilation).
    """
    return runs_as_one_of_many(x) and is_as_made(network)


def runs_as_one_of_many(x: Tensor) -> bool:
    """Returns whether the signals and the state of torch allow `logits_alone`."""
    if torch.get_num_threads() > 1 or x.dim() != 2 or x.dtype not in FULL or x.device.type != "cpu":
        return False
    special = torch.is_autocast_enabled("cpu") or torch.compiler.is_compiling() or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return not special


def is_as_made(network: nn.Module) -> bool:
    """Returns whether a module is a reference network as it was made, with no hook that its forward pass would call.

    By its class itself: a subclass may have another forward pass.
    """
    if type(network) not in ALSO_ALONE or (isinstance(network, GRU) and network.gru.hidden_size > WIDEST):
        return False
    if network._parameters or network._buffers:  # `logits_alone` takes those of the layers
        return False
    layers = network.children()
    return all(type(layer) in LAYERS and is_bare(layer) for layer in layers) and is_bare(network)


def has_forward_of(module: nn.Module, kind: type[nn.Module]) -> bool:
    """Returns whether a module's forward pass is that of a class, on class and instance, and nothing hooks into it."""
    return type(module).forward is kind.forward and "forward" not in vars(module) and is_bare(module)


def is_bare(module: nn.Module | None) -> bool:
    """Returns whether a module has no hooks that a forward pass calls; there is no public way to know."""
    return module is not None and not (
        module._forward_pre_hooks or module._forward_hooks or module._backward_pre_hooks or module._backward_hooks
    )


def cross_entropy_alone(network: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """Returns the mean cross-entropy of signals (batch, length) with labels (batch,), as an ensemble of one has it."""
    return F.cross_entropy(logits_alone(network, x), y.unsqueeze(0))


def logits_alone(network: nn.Module, x: Tensor) -> Tensor:
    """Returns the logits of signals (batch, length) as an ensemble of one has them, (1, num_classes, batch)."""
    # named_parameters() would take a tenth of the MLP's forward pass.
    parameters = {
        f"{layer}.{name}": p
        for layer, module in network.named_children()
        for name, p in module._parameters.items()
        if p is not None
    }
    if type(network) in FULLY_CONNECTED:
        return batched_logits(network)(parameters, x).unsqueeze(0)
    return batched_logits(network)({name: p.unsqueeze(0) for name, p in parameters.items()}, x)

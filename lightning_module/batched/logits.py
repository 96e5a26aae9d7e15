"""The networks for many replicas at once: stacked parameters (k, ...) in, the logits of all replicas out.

Every function here takes the parameters of k networks by their names in the network, each stacked along a new first
axis, and signals (batch, length) for all replicas or (k, batch, length). It returns logits (k, num_classes, batch).

The examples are the last axis throughout. So a layer is one batched product of its weights as they are with long rows,
which the processor multiplies at its best; a convolution is such a product over a view of its windows; and one step of
the recurrence works on all sequences side by side. The same code runs on every device.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  # as everywhere in PyTorch

from lightning_module.batched.matmul import product_plus, products_plus
from lightning_module.network_registry import BATCHED, register_batched
from lightning_module.networks import CNN, GRU, MLP, Logistic
from lightning_module.recurrence import gru_states

__all__ = ["BATCHED", "Logits", "batched_logits", "convolve", "dense", "examples_last", "register_batched", "windows"]

Logits = Callable[[Mapping[str, Tensor], Tensor], Tensor]


def batched_logits(network: nn.Module) -> Logits:
    """Returns the function from stacked parameters and signals to logits (k, num_classes, batch).

    For the reference networks, and for those that were registered with a form of their own, it is the fastest one
    known; for any other module `torch.func.vmap` makes it, which is slow on CPU where the module has convolutions or
    recurrences.

    Args:
        network: A module of the replicas' kind; only its structure is looked at.

    Raises:
        ValueError: If the module has buffers, which replicas would have to share.
    """
    if type(network) in BATCHED:  # not a subclass: its forward pass may be another
        return BATCHED[type(network)](network)
    if buffers := [name for name, _ in network.named_buffers()]:
        raise ValueError(
            f"{type(network).__name__} has the buffer {buffers[0]!r}, and replicas can have only parameters of their "
            "own; normalise without running statistics (track_running_stats=False)"
        )

    def logits(parameters: Mapping[str, Tensor], x: Tensor) -> Tensor:
        def of_one(own: dict[str, Tensor], signals: Tensor) -> Tensor:
            return torch.func.functional_call(network, own, (signals,))  # type: ignore[no-any-return]

        in_dims = (0, 0 if x.dim() == 3 else None)
        return torch.func.vmap(of_one, in_dims, randomness="different")(dict(parameters), x).transpose(1, 2)

    return logits


def logistic(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `networks.Logistic`."""
    return dense(p, "linear", examples_last(x))


def mlp(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `networks.MLP`."""
    h = dense(p, "linear1", examples_last(x)).relu_()  # (k, hidden, batch)
    h = h + dense(p, "linear2", h).relu_()
    return dense(p, "linear3", h)


def cnn(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `networks.CNN`."""
    h = convolve(p, "conv1", examples_last(x).unsqueeze(1))  # (k, channels, points, batch)
    for name in ("conv2", "conv3"):
        h = convolve(p, name, h, relu=True)
    return dense(p, "linear", h.relu_().flatten(1, 2))


def gru(p: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Returns the logits of k `networks.GRU`."""
    states = gru_states(x, *(tensor for name, tensor in p.items() if name.startswith("gru.")))
    k, _, steps, rows, batch = states.shape
    weight, bias = p["linear.weight"], p["linear.bias"]
    weight = weight.view(k, -1, steps - 1, 2, rows - 2)  # (k, num_classes, length, 2, hidden)
    # To the order of the states, where direction 1 starts at the end. Weights of 0 for the first state and the last two
    # rows: cheaper than a copy of the states without them.
    weight = torch.stack([weight[:, :, :, 0], weight[:, :, :, 1].flip(2)], dim=2)
    weight = F.pad(weight, (0, 2, 1, 0)).flatten(2)
    return torch.baddbmm(bias.unsqueeze(2), weight, states.view(k, -1, batch))


for kind, form in ((Logistic, logistic), (MLP, mlp), (CNN, cnn), (GRU, gru)):
    register_batched(kind, lambda _, form=form: form, as_replica=True)  # type: ignore[misc]


def examples_last(x: Tensor) -> Tensor:
    """Returns signals (k or 1, length, batch), as a view."""
    return x.transpose(-1, -2) if x.dim() == 3 else x.t().unsqueeze(0)


def dense(p: Mapping[str, Tensor], layer: str, h: Tensor) -> Tensor:
    """Returns (k, out, batch) for h (k or 1, in, batch); (out, batch) if the parameters are those of one network."""
    weight, bias = p[f"{layer}.weight"], p[f"{layer}.bias"]
    if bias.dim() == 1:
        return product_plus(bias.unsqueeze(1), weight, h if h.dim() == 2 else h[0])
    return products_plus(bias.unsqueeze(2), weight.flatten(2), h.expand(len(weight), -1, -1))


def convolve(p: Mapping[str, Tensor], layer: str, h: Tensor, *, stride: int = 2, relu: bool = False) -> Tensor:
    """Returns (k, out, windows, batch) for h (k or 1, in, points, batch), with padding 1; see `windows`."""
    weight = p[f"{layer}.weight"]
    unfolded = windows(h, weight.shape[3], stride=stride, relu=relu)
    return dense(p, layer, unfolded).view(*weight.shape[:2], -1, h.shape[3])


def windows(h: Tensor, kernel: int, *, stride: int, relu: bool = False) -> Tensor:
    """Returns the windows of a convolution with padding 1, (k, channels * kernel, windows * batch).

    The product of the weights with them is the convolution.

    Args:
        h: What is convolved, (k, channels, points, batch).
        kernel: Points in a window.
        stride: Points from one window to the next.
        relu: Whether `h` is rectified on the way, which spares a pass over it.
    """
    return _Windows.apply(h, kernel, stride, relu)  # type: ignore[no-any-return,no-untyped-call]


class _Windows(torch.autograd.Function):
    """The windows of a convolution, copied once; the backward pass adds one slice per tap. Unfolding gives the same.

    What it does costs the way to the memory and nothing else, so it goes there as seldom as possible.
    """

    @staticmethod
    def forward(ctx: Any, h: Tensor, kernel: int, stride: int, relu: bool) -> Tensor:
        ctx.kernel, ctx.stride, ctx.relu, ctx.shape = kernel, stride, relu, h.shape
        if relu:
            ctx.save_for_backward(h)
        k, channels, points, batch = h.shape
        count = (points + 2 - kernel) // stride + 1
        windows = h.new_empty(k, channels, kernel, count, batch)
        for tap in range(kernel):
            inside, at = _tap(tap, points, count, stride)
            windows[:, :, tap, : inside.start] = 0
            if relu:
                torch.clamp_min(h[:, :, at], 0, out=windows[:, :, tap, inside])
            else:
                windows[:, :, tap, inside] = h[:, :, at]
            windows[:, :, tap, inside.stop :] = 0
        return windows.view(k, channels * kernel, count * batch)

    @staticmethod
    def backward(ctx: Any, d_windows: Tensor) -> tuple[Tensor, None, None, None]:
        k, channels, points, batch = ctx.shape
        d_windows = d_windows.view(k, channels, ctx.kernel, -1, batch)
        count = d_windows.shape[3]
        # Where the taps 1 to `stride` lie on every point exactly once, their gradients are the first there.
        once = range(1, ctx.stride + 1) if ctx.kernel > ctx.stride and ctx.stride * count >= points else range(0)
        d_h = d_windows.new_empty(ctx.shape) if once else d_windows.new_zeros(ctx.shape)
        for tap in (*once, *(tap for tap in range(ctx.kernel) if tap not in once)):
            inside, at = _tap(tap, points, count, ctx.stride)
            if tap in once:
                d_h[:, :, at] = d_windows[:, :, tap, inside]
            else:
                d_h[:, :, at] += d_windows[:, :, tap, inside]
        if ctx.relu:
            (h,) = ctx.saved_tensors
            if torch.is_grad_enabled():  # by create_graph=True
                d_h = torch.where(h > 0, d_h, 0)
            else:
                torch.ops.aten.threshold_backward.grad_input(d_h, h, 0, grad_input=d_h)  # in place, in one pass
        return d_h, None, None, None


def _tap(tap: int, points: int, count: int, stride: int) -> tuple[slice, slice]:
    """Returns the windows in which a tap of the kernel lies inside the signal, and the points it lies on."""
    # In window w it is on point stride * w + tap - 1.
    first = 1 if tap == 0 else 0
    stop = min(count, (points - tap) // stride + 1)
    return slice(first, stop), slice(stride * first + tap - 1, stride * stop + tap - stride, stride)

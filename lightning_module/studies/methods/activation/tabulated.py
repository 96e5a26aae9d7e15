"""A small MLP of one number, read from a table: the activation function that is learned, at a hundredth of its cost.

The MLP has 100 tanh units and is evaluated for each hidden unit of each example in each of 301 steps, with the same
weights: a hundred tanh for a number that depends on one number. So its value and its first four derivatives are
computed at points 1/64 apart, once for all steps, and between the points it is their Taylor polynomial. What is left
out is of the order of h^5 / 120, h^4 / 24 and h^3 / 6 (h at most 1/128) in value, slope and curvature: 3e-13, 1.6e-10
and 8e-8 times the fifth derivative, about the rounding of float32 or below it. The gradient by the weights goes the
same way back: what is pulled at each point is added up at its entry of the table, and the table is differentiated once.
"""

from typing import Any

import torch
from torch import Tensor

UNITS = 100
SIZE = 3 * UNITS + 1  # weights of the MLP 1 -> 100 -> 1: slopes, shifts, output weights, output bias
PORTION = 0.2  # of the MLP in the activation function
PER_UNIT, REACH = 64, 32.0  # points of the table in a unit; beyond plus and minus 32 the function is straight
ENTRIES = int(2 * REACH * PER_UNIT) + 1


def split(weights: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns slopes (100,), shifts (100,), output weights (100,) and the output bias of an MLP's weights (301,)."""
    slopes, shifts, out, bias = torch.split(weights, [UNITS, UNITS, UNITS, 1])
    return slopes, shifts, out, bias


def mlp(weights: Tensor, x: Tensor) -> Tensor:
    """Returns the MLP without its output bias, of numbers (n,), by its definition: what the table holds."""
    slopes, shifts, out, _ = split(weights)
    return torch.tanh(x[..., None] * slopes + shifts) @ out


def taylor_table(weights: Tensor) -> Tensor:
    """Returns the derivatives (entries, 5) of orders 0 to 4 of the MLP, each over the factorial of its order.

    It can be differentiated by the weights.
    """
    slopes, shifts, out, _ = split(weights)
    at = torch.arange(ENTRIES, dtype=weights.dtype, device=weights.device) / PER_UNIT - REACH
    t = torch.tanh(torch.addcmul(shifts, at[:, None], slopes))
    square = t * t
    first = 1 - square  # the derivatives of tanh, as polynomials of tanh
    second = -2 * t * first
    third = first * (6 * square - 2)
    fourth = 8 * t * first * (2 - 3 * square)
    columns = [t @ out]
    for order, derivative, factorial in ((1, first, 1), (2, second, 2), (3, third, 6), (4, fourth, 24)):
        columns.append(derivative @ (out * slopes**order) / factorial)
    return torch.stack(columns, dim=1)


class TabulatedActivation(torch.autograd.Function):
    """ELU plus 0.2 of the tabulated MLP: value and slope, which can be differentiated by the input and by the table.

    As the slope is a result of its own, whoever writes the gradient of an inner training by it can differentiate that
    gradient: the curvature is the derivative of the slope. The value alone can be differentiated twice by the input.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
        """Returns f(x) without the MLP's output bias, and f'(x), both of the shape of x."""
        inside = x.clamp(-REACH, REACH)
        entry = (inside * PER_UNIT).round_()
        d = torch.sub(inside, entry, alpha=1 / PER_UNIT)
        entry = entry.to(torch.int64).add_(int(REACH * PER_UNIT)).reshape(-1)
        # (n, 5) rows beside each other in memory, then (5, n) for the arithmetic
        c0, c1, c2, c3, c4 = table.index_select(0, entry).t().contiguous().view(5, *x.shape)
        value = torch.addcmul(c0, torch.addcmul(c1, torch.addcmul(c2, torch.addcmul(c3, c4, d), d), d), d)
        slope = torch.addcmul(c1, torch.addcmul(c2, torch.addcmul(c3, c4, d, value=4 / 3), d, value=1.5), d, value=2)
        curvature = torch.addcmul(c2, torch.addcmul(c3, c4, d, value=2), d, value=3).mul_(2)
        beyond = x - inside
        value = torch.addcmul(value, slope, beyond)
        curvature = curvature.mul_(beyond == 0)
        exponential = torch.exp(x.clamp(max=0))
        value = torch.add(x.clamp(min=0) + exponential, value, alpha=PORTION).sub_(1)
        slope = torch.add(exponential, slope, alpha=PORTION)
        curvature = torch.add(exponential * (x < 0), curvature, alpha=PORTION)
        ctx.save_for_backward(x, table, entry, d, beyond, slope, curvature)
        ctx.of_table = table.requires_grad
        ctx.set_materialize_grads(False)
        return value, slope

    @staticmethod
    def backward(ctx: Any, by_value: Tensor | None, by_slope: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Returns the gradients by x and by the table.

        Raises:
            NotImplementedError: If the gradient is to be differentiated once more than there are derivatives.
        """
        x, table, entry, d, beyond, slope, curvature = ctx.saved_tensors
        if torch.is_grad_enabled():
            if by_value is None or by_slope is not None or ctx.of_table:
                raise NotImplementedError("the table has no derivative of the curvature; write the gradient by slopes")
            return by_value * activation(x, table)[1], None
        by_value = torch.zeros_like(slope) if by_value is None else by_value
        by_slope = torch.zeros_like(slope) if by_slope is None else by_slope
        by_x = torch.addcmul(by_value * slope, by_slope, curvature)
        if not ctx.of_table:
            return by_x, None
        # The entry of order k has the factor d^k in the value, and k d^(k - 1) in the slope.
        in_value, in_slope = PORTION * by_value, PORTION * torch.addcmul(by_slope, by_value, beyond)
        by_table = by_x.new_zeros(5, ENTRIES)
        by_table[0].scatter_add_(0, entry, in_value.reshape(-1))
        for order in range(1, 5):
            in_value = in_value * d
            by_table[order].scatter_add_(0, entry, torch.add(in_value, in_slope, alpha=order).reshape(-1))
            in_slope = in_slope * d
        return by_x, by_table.t()


def activation(x: Tensor, table: Tensor) -> tuple[Tensor, Tensor]:
    """Returns value and slope of the activation function with a tabulated MLP, without 0.2 of its output bias."""
    value, slope = TabulatedActivation.apply(x, table)  # type: ignore[no-untyped-call]
    return value, slope

"""`products`: matrix products of all replicas, by the library that multiplies fastest on this processor.

On AMD's processors MKL, which PyTorch multiplies float32 with, uses half of the width of their vectors; oneDNN, which
PyTorch has for convolutions, uses all of it. For one product of 500 x 500 with 500 x 100 on one core that is 90 against
180 GFLOP/s. Small products gain nothing.
"""

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

# Floating-point operations from which oneDNN is ahead, by whether the left factor is a transposed view, which it
# copies; the least size of the sides of a product; and the least number of terms in its sums, since the products of
# several replicas are copied to one tensor. Measured on an AMD EPYC of the fifth generation.
WIDE, WIDE_TRANSPOSED, SIDE, TERMS = 1e7, 2e7, 25, 100

# Columns up to which MKL's sums depend on where in the memory the factors begin, unless that is at a multiple of so
# many numbers.
THIN, ALIGNED = 15, 4


def products(a: Tensor, b: Tensor) -> Tensor:
    """Returns the products (k, m, p) of a (k, m, n) and b (k, n, p), differentiable.

    The bits of each depend on its own factors and their sizes, not on k, where the products are wide.
    """
    return _Products.apply(a, b) if _is_wide(a, b) else torch.bmm(a, b)  # type: ignore[no-untyped-call]


def products_plus(bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Returns `bias` (k, m, 1) and the products (k, m, p) of a (k, m, n) and b (k, n, p) together."""
    if _is_wide(a, b):
        return products(a, b).add_(bias)
    if a.shape[2] <= THIN and b.shape[2] % ALIGNED and a.device.type == "cpu":
        return _ThinProductsPlus.apply(bias, a, b)  # type: ignore[no-any-return, no-untyped-call]
    return torch.baddbmm(bias, a, b)


def product_plus(bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Returns `bias` (m, 1) and the product (m, p) of a (m, n) and b (n, p): the bits that it has among several."""
    if 2 * a.numel() * b.shape[1] < WIDE:
        return torch.addmm(bias, a, b)
    return products_plus(bias.unsqueeze(0), a.unsqueeze(0), b.unsqueeze(0)).squeeze(0)


def product_transposed(a: Tensor, b: Tensor, bias: Tensor | None = None, *, relu: bool = False) -> Tensor:
    """Returns the product a b^T (m, p) of a (m, n) and b (p, n), without a gradient, by whatever is fastest.

    In this order oneDNN needs no copy of b, even if it is a transposed view, and is ahead for small products too, where
    it need not copy a and the sums are not short.

    Args:
        a: The left factor.
        b: The right factor, transposed.
        bias: What is added to each row, (p,).
        relu: Whether the sum is rectified.
    """
    if _ahead(a, b):
        linear = torch.ops.mkldnn._linear_pointwise
        return linear(a, b, bias, "relu" if relu else "none", [], "")  # type: ignore[no-any-return]
    product = a @ b.t() if bias is None else torch.addmm(bias, a, b.t())
    return product.relu_() if relu else product


class _Products(torch.autograd.Function):
    @staticmethod
    def forward(a: Tensor, b: Tensor) -> Tensor:
        return _by_onednn(a, b) if _is_wide(a, b) else torch.bmm(a, b)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        of_a, of_b = ctx.needs_input_grad
        return (
            products(gradient, b.transpose(1, 2)) if of_a else None,
            products(a.transpose(1, 2), gradient) if of_b else None,
        )


class _ThinProductsPlus(torch.autograd.Function):
    """Products with thin left factors, as in the first convolution: the same wherever in a stack the factors begin."""

    @staticmethod
    def forward(bias: Tensor, a: Tensor, b: Tensor) -> Tensor:
        return torch.baddbmm(bias, a, b)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(*inputs[1:])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        a, b = ctx.saved_tensors
        of_bias, of_a, of_b = ctx.needs_input_grad
        return (
            gradient.sum(2, keepdim=True) if of_bias else None,
            # In this order the thin factor is the left one, and its place does not matter.
            torch.bmm(b, gradient.transpose(1, 2)).transpose(1, 2) if of_a else None,
            torch.bmm(a.transpose(1, 2), gradient) if of_b else None,
        )


def _ahead(a: Tensor, b: Tensor) -> bool:
    """Returns whether oneDNN is the faster one for a b^T."""
    if a.device.type != "cpu" or a.dtype != torch.float32 or _onednn() is None:
        return False
    (m, n), p = a.shape, len(b)
    return n >= SIDE and (a.stride(1) == 1 or 2 * m * n * p >= WIDE)


def _is_wide(a: Tensor, b: Tensor) -> bool:
    if a.device.type != "cpu" or a.dtype != torch.float32 or _onednn() is None:
        return False
    m, n, p = *a.shape[1:], b.shape[2]
    return n >= TERMS and min(m, p) >= SIDE and 2 * m * n * p >= (WIDE if a.stride(2) == 1 else WIDE_TRANSPOSED)


def _by_onednn(a: Tensor, b: Tensor) -> Tensor:
    multiply = _onednn()
    assert multiply is not None
    each = [multiply(left, right.t()) for left, right in zip(a, b, strict=True)]
    if len(each) > 1:
        return torch.stack(each)
    (only,) = each  # without a copy, and no view, which autograd would not let anybody change in place
    return only.new_empty(0).set_(only.untyped_storage(), 0, (1, *only.shape), (only.numel(), *only.stride()))


@functools.cache
def _onednn() -> Callable[[Tensor, Tensor], Tensor] | None:
    """Returns the function from a and b to a b^T, or None where MKL is as fast or there is none.

    It is the one that code compiled by `torch.compile` calls; no public function multiplies float32 by oneDNN.
    """
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    if not (str(capabilities.get("cpu_name", "")).startswith("AMD") and capabilities.get("avx512_f")):
        return None
    if not (
        torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    ):
        return None
    linear = torch.ops.mkldnn._linear_pointwise
    return lambda a, b: linear(a, b, None, "none", [], "")

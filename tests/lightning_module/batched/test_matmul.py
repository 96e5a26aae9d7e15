import pytest
import torch
from torch import Tensor

from lightning_module.batched import matmul
from lightning_module.batched.matmul import products

# k, m, n, p: below and above what is wide, for each of the three products.
SIZES = [(1, 3, 4, 5), (2, 100, 100, 100), (3, 130, 200, 90), (1, 500, 500, 100), (2, 50, 150, 2000), (4, 10, 600, 300)]


def factors(k: int, m: int, n: int, p: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(k, m, n, generator=generator, requires_grad=True),
        torch.randn(k, n, p, generator=generator, requires_grad=True),
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("transposed", [False, True])
def test_products_and_their_gradients_are_those_in_float64(size: tuple[int, int, int, int], transposed: bool) -> None:
    a, b = factors(*size)
    if transposed:  # the same numbers, otherwise in memory
        a, b = (x.detach().mT.contiguous().mT.requires_grad_() for x in (a, b))
    weight = torch.randn(size[0], size[1], size[3], generator=torch.Generator().manual_seed(1))
    found = products(a, b)
    gradients = torch.autograd.grad((found * weight).sum(), (a, b))
    a64, b64 = (x.detach().double().requires_grad_() for x in (a, b))
    exact = a64 @ b64
    of_exact = torch.autograd.grad((exact * weight).sum(), (a64, b64))
    for each, wanted in zip((found, *gradients), (exact, *of_exact), strict=True):
        torch.testing.assert_close(each.double(), wanted, rtol=0, atol=2e-6 * max(size) ** 0.5 * 10)


def test_shared_factor() -> None:
    a, b = factors(3, 200, 200, 100)
    shared = b[:1].expand(3, -1, -1)
    torch.testing.assert_close(products(a, shared), a @ shared, rtol=1e-4, atol=1e-4)


def test_bits_do_not_depend_on_the_number_of_products() -> None:
    a, b = factors(5, 400, 400, 100)
    if not matmul._is_wide(a, b):
        pytest.skip("this processor has no faster library than torch's own, of which nothing is promised")
    together = products(a, b)
    for i in range(5):
        assert torch.equal(products(a[i : i + 1], b[i : i + 1])[0], together[i])


def test_second_derivative() -> None:
    a, b = factors(1, 260, 250, 260)
    (first,) = torch.autograd.grad(products(a, b).square().sum(), a, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), b)
    (wanted_first,) = torch.autograd.grad((a @ b).square().sum(), a, create_graph=True)
    (wanted,) = torch.autograd.grad(wanted_first.sum(), b)
    torch.testing.assert_close(second, wanted, rtol=1e-3, atol=1e-1)


def test_other_processors_and_dtypes_take_torch_s(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = factors(1, 400, 400, 100)
    assert not matmul._is_wide(a.double(), b.double())
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"cpu_name": "Another", "avx512_f": True}, raising=False)
    matmul._onednn.cache_clear()
    try:
        assert not matmul._is_wide(a, b)
        torch.testing.assert_close(products(a, b), torch.bmm(a, b), rtol=0, atol=0)
    finally:
        matmul._onednn.cache_clear()

import pytest
import torch

from lightning_module.one_thread import on_one_thread


@pytest.fixture(autouse=True)
def _two_threads():
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


class Seen(torch.autograd.Function):
    """The identity, which notes the threads of both passes."""

    @staticmethod
    def forward(ctx, x, threads):
        ctx.threads = threads
        threads.append(torch.get_num_threads())
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.threads.append(torch.get_num_threads())
        return gradient, None


@pytest.mark.parametrize(("examples", "expected"), [(200, [1, 1]), (201, [2, 2])])
def test_small_minibatches_have_one_thread_in_both_passes(examples, expected):
    x, threads = torch.ones(examples, 3, requires_grad=True), []
    loss = on_one_thread(lambda x, y: (Seen.apply(x, threads) * y).sum(), x, torch.tensor(2.0))
    assert torch.get_num_threads() == 2
    loss.backward()
    assert threads == expected
    assert torch.get_num_threads() == 2
    assert torch.equal(x.grad, torch.full((examples, 3), 2.0))


def test_threads_come_back_after_an_error():
    with pytest.raises(ZeroDivisionError):
        on_one_thread(lambda x, y: 1 / 0, torch.ones(2), torch.ones(2))
    assert torch.get_num_threads() == 2


def test_without_a_gradient():
    assert on_one_thread(lambda x, y: x.sum(), torch.ones(2), torch.ones(2)) == 2
    assert torch.get_num_threads() == 2

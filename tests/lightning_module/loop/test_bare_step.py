"""The optimiser's step without its bookkeeping against the optimiser's own step, to the bit."""

import pytest
import torch
from fits import same
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import SGD, Adam, AdamW
from torch.optim.lr_scheduler import StepLR
from torch.optim.optimizer import register_optimizer_step_post_hook

from lightning_module.loop.bare_step import bare_step

SHAPES = [(7, 5), (1,), (16,), (3, 2, 9)]


def parameters_of(seed: int, dtype: torch.dtype = torch.float32) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype)) for shape in SHAPES]


def give_gradients(parameters: list[torch.nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(1000 + step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype)


@settings(max_examples=25, deadline=None)
@given(
    kind=st.sampled_from([Adam, AdamW]),
    lr=st.floats(1e-5, 1.0),
    decay=st.sampled_from([0.0, 0.01, 0.3]),
    betas=st.sampled_from([(0.9, 0.999), (0.0, 0.5)]),
    eps=st.sampled_from([1e-8, 1e-3]),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    before=st.integers(1, 3),
)
def test_equal_to_the_optimisers_step(kind, lr, decay, betas, eps, dtype, before):
    runs = [parameters_of(0, dtype) for _ in range(2)]
    optimizers = [kind(each, lr=lr, weight_decay=decay, betas=betas, eps=eps, fused=True) for each in runs]
    for step in range(before):
        for parameters, optimizer in zip(runs, optimizers, strict=True):
            give_gradients(parameters, step)
            optimizer.step()
    bare = bare_step(optimizers[1])
    assert bare != optimizers[1].step
    for step in range(before, before + 4):
        for parameters, take_step in zip(runs, (optimizers[0].step, bare), strict=True):
            give_gradients(parameters, step)
            take_step()
        for optimizer in optimizers:
            optimizer.param_groups[0]["lr"] = lr / step  # as a user may
    assert same(runs[0], runs[1])
    assert same(optimizers[0].state_dict(), optimizers[1].state_dict())


def test_parameter_without_gradient_is_left_out():
    parameters = parameters_of(0)
    optimizer = Adam(parameters, fused=True)
    give_gradients(parameters, 0)
    optimizer.step()
    before = [parameter.detach().clone() for parameter in parameters]
    parameters[1].grad = None
    bare_step(optimizer)()
    assert [torch.equal(a, b) for a, b in zip(parameters, before, strict=True)] == [False, True, False, False]


def scheduled(parameters):
    optimizer = Adam(parameters, fused=True)
    StepLR(optimizer, 1)
    return optimizer


def hooked(parameters):
    optimizer = Adam(parameters, fused=True)
    optimizer.register_step_pre_hook(lambda *_: None)
    return optimizer


class OwnAdam(Adam):
    pass


@pytest.mark.parametrize(
    "make",
    [
        SGD,
        OwnAdam,
        scheduled,
        hooked,
        lambda p: Adam(p, fused=False),
        lambda p: Adam(p, fused=True, amsgrad=True),
        lambda p: Adam(p, fused=True, maximize=True),
        lambda p: Adam(p, lr=torch.tensor(1e-3), fused=True),
        lambda p: Adam([{"params": p[:1]}, {"params": p[1:], "lr": 0.1}], fused=True),
        lambda p: Adam([torch.nn.Parameter(p[0].detach().double()), *p[1:]], fused=True),
    ],
)
def test_any_other_optimiser_keeps_its_step(make):
    parameters = parameters_of(0)
    optimizer = make(parameters)
    give_gradients(parameters, 0)
    optimizer.step()
    assert bare_step(optimizer) == optimizer.step


def test_first_step_is_the_optimisers():
    optimizer = Adam(parameters_of(0), fused=True)
    assert bare_step(optimizer) == optimizer.step


def test_hook_of_all_optimisers_is_called():
    parameters = parameters_of(0)
    optimizer = Adam(parameters, fused=True)
    give_gradients(parameters, 0)
    optimizer.step()
    handle = register_optimizer_step_post_hook(lambda *_: None)
    try:
        assert bare_step(optimizer) == optimizer.step
    finally:
        handle.remove()

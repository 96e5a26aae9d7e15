"""ReplicaAdam against torch.optim, one replica at a time."""

import io

import pytest
import torch

from lightning_module.replicas.adam import ReplicaAdam

SHAPES = [(7, 5), (7,), (2, 3, 4)]


def parameters_of(replica: int, dtype: torch.dtype) -> list[torch.nn.Parameter]:
    generator = torch.Generator().manual_seed(replica)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator, dtype=dtype)) for shape in SHAPES]


def gradients_at(step: int, replica: int, dtype: torch.dtype) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1000 * step + replica)
    return [torch.randn(shape, generator=generator, dtype=dtype) * 10.0 ** -(step % 9) for shape in SHAPES]


def stack(of_replicas):
    return [torch.stack(tensors) for tensors in zip(*of_replicas, strict=True)]


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize(
    ("lr", "decay"),
    [
        ([1e-2] * 3, [0.0] * 3),
        ([1e-2, 3e-4, 0.1], [0.0] * 3),
        ([1e-2] * 3, [0.1, 0.0, 1e-3]),
        ([1e-2, 3e-4, 0.1], [0.1, 0.0, 1e-3]),
    ],
)
def test_each_replica_takes_the_steps_of_torchs_adam(lr, decay, decoupled, fused):
    dtype = torch.float64
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    single = [parameters_of(k, dtype) for k in range(3)]
    optimizers = [kind(single[k], lr=lr[k], weight_decay=decay[k]) for k in range(3)]
    stacked = [torch.nn.Parameter(p.detach()) for p in stack(single)]
    optimizer = ReplicaAdam(stacked, lr=lr, weight_decay=decay, decoupled=decoupled, fused=fused)
    for step in range(40):
        if step == 20:  # through a file, as a checkpoint goes
            torch.save(optimizer.state_dict(), file := io.BytesIO())
            file.seek(0)
            optimizer = ReplicaAdam(stacked, lr=lr, weight_decay=decay, decoupled=decoupled, fused=fused)
            optimizer.load_state_dict(torch.load(file, weights_only=True))
        if step == 30:  # as a scheduler does
            for each in [*optimizers, optimizer]:
                each.param_groups[0]["lr"] *= 0.5
        gradients = [gradients_at(step, k, dtype) for k in range(3)]
        for parameters, own in zip([*single, stacked], [*gradients, stack(gradients)], strict=True):
            for parameter, gradient in zip(parameters, own, strict=True):
                parameter.grad = gradient
        for each in [*optimizers, optimizer]:
            each.step()
    for found, expected in zip(stacked, stack(single), strict=True):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize(
    ("lr", "decay"), [([1e-2] * 3, [0.0] * 3), ([1e-2, 3e-4, 1e-2], [0.0] * 3), ([1e-2, 3e-4, 0.1], [0.1, 0.0, 1e-3])]
)
def test_each_replica_takes_the_steps_of_torchs_fused_adam_to_the_bit(monkeypatch, lr, decay, decoupled, dtype):
    """Where a stack ends within a vector, where it fills its vectors, and after a move to other places."""
    monkeypatch.setattr(f"{__name__}.SHAPES", [*SHAPES, (8, 4)])
    kind = torch.optim.AdamW if decoupled else torch.optim.Adam
    single = [parameters_of(k, dtype) for k in range(3)]
    optimizers = [kind(single[k], lr=lr[k], weight_decay=decay[k], fused=True) for k in range(3)]
    stacked = [torch.nn.Parameter(p.detach()) for p in stack(single)]
    optimizer = ReplicaAdam(stacked, lr=lr, weight_decay=decay, decoupled=decoupled, fused=True)
    for step in range(30):
        if step == 10:
            for parameter in stacked:
                parameter.data = parameter.data.clone()
        if step == 20:
            optimizer.load_state_dict(optimizer.state_dict())
        gradients = [gradients_at(step, k, dtype) for k in range(3)]
        for parameters, own in zip([*single, stacked], [*gradients, stack(gradients)], strict=True):
            for parameter, gradient in zip(parameters, own, strict=True):
                parameter.grad = gradient
        for each in [*optimizers, optimizer]:
            each.step()
    assert all(map(torch.equal, stacked, stack(single)))


def test_closure_and_missing_gradients():
    used, unused = torch.nn.Parameter(torch.ones(2, 1)), torch.nn.Parameter(torch.ones(2, 3))
    optimizer = ReplicaAdam([used, unused], lr=[0.1, 0.2])

    def closure():
        used.sum().backward()
        return used.sum().item()

    assert optimizer.step(closure) == 2
    torch.testing.assert_close(used, torch.tensor([[0.9], [0.8]]))
    assert torch.equal(unused, torch.ones(2, 3))

"""ReplicaSGD against torch.optim.SGD, one replica at a time."""

import io

import pytest
import torch

from lightning_module.replicas.sgd import ReplicaSGD


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [[0.0, 0.0, 0.0], [0.1, 0.0, 1e-3]])
@pytest.mark.parametrize("lr", [[0.1] * 3, [0.1, 3e-4, 0.5]])
def test_each_replica_takes_the_steps_of_torchs_sgd(lr, decay, momentum, fused):
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(3, *shape, generator=generator, dtype=torch.float64) for shape in ((7, 5), (7,), (2, 3, 4))]
    single = [[torch.nn.Parameter(tensor[k].clone()) for tensor in start] for k in range(3)]
    optimizers = [torch.optim.SGD(single[k], lr[k], momentum, weight_decay=decay[k]) for k in range(3)]
    stacked = [torch.nn.Parameter(tensor.clone()) for tensor in start]
    optimizer = ReplicaSGD(stacked, lr=lr, weight_decay=decay, momentum=momentum, fused=fused)
    for step in range(40):
        if step == 20:  # through a file, as a checkpoint goes
            torch.save(optimizer.state_dict(), file := io.BytesIO())
            file.seek(0)
            optimizer = ReplicaSGD(stacked, lr=lr, weight_decay=decay, momentum=momentum, fused=fused)
            optimizer.load_state_dict(torch.load(file, weights_only=True))
        if step == 30:  # as a scheduler does
            for each in [*optimizers, optimizer]:
                each.param_groups[0]["lr"] *= 0.5
        for i, parameter in enumerate(stacked):
            parameter.grad = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            for k in range(3):
                single[k][i].grad = parameter.grad[k].clone()
        for each in [*optimizers, optimizer]:
            each.step()
    for i, parameter in enumerate(stacked):
        torch.testing.assert_close(parameter, torch.stack([own[i] for own in single]), rtol=0, atol=1e-12)

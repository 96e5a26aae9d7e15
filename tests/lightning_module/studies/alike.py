"""What a batched formulation is held to."""

from collections.abc import Callable
from pathlib import Path

import torch
from fits import data_of, trainer_in
from torch import nn

from lightning_module import Classifier, Ensemble, Replica
from lightning_module.batched.logits import BATCHED, batched_logits

CLOSE = {"rtol": 0, "atol": 1e-10}


def assert_same_logits_and_gradients(make: Callable[[], nn.Module], *, shared: bool, length: int = 40) -> None:
    """In float64, for 3 networks and signals for all or for each."""
    torch.manual_seed(0)
    networks = [make().double() for _ in range(3)]
    x = torch.randn(*(() if shared else (3,)), 8, length, dtype=torch.float64, requires_grad=True)
    stacked = {
        name: torch.stack([network.get_parameter(name).detach() for network in networks]).requires_grad_()
        for name, _ in networks[0].named_parameters()
    }
    assert type(networks[0]) in BATCHED
    logits = batched_logits(networks[0])(stacked, x)
    weights = torch.randn_like(logits)
    d_x, *d_stacked = torch.autograd.grad((logits * weights).sum(), [x, *stacked.values()])

    d_x_singly = torch.zeros_like(x)
    for k, network in enumerate(networks):
        own = (x if shared else x[k]).detach().requires_grad_()
        expected = network(own)
        torch.testing.assert_close(logits[k].t(), expected, **CLOSE)
        d_own, *d_single = torch.autograd.grad((expected * weights[k].t()).sum(), [own, *network.parameters()])
        d_x_singly[() if shared else k] += d_own
        for batched, single in zip(d_stacked, d_single, strict=True):
            torch.testing.assert_close(batched[k], single, **CLOSE)
    torch.testing.assert_close(d_x, d_x_singly, **CLOSE)


def assert_replicas_are_the_models_trained_alone(make: Callable[[], nn.Module], folder: Path, path: Path) -> None:
    """Over 50 steps in float64, with learning rates and orders of their own."""
    replicas = [Replica(seed=4, shuffle_seed=7), Replica(seed=5, lr=3e-3)]
    ensemble = Ensemble(make, replicas)
    trainer_in(path, max_steps=50, precision="64-true").fit(ensemble, data_of(folder))
    for k, replica in enumerate(replicas):
        torch.manual_seed(replica.seed)
        model = Classifier(make(), lr=replica.lr)
        data = data_of(folder, seed=replica.shuffle_seed or 0)
        trainer_in(path, max_steps=50, precision="64-true").fit(model, data)
        trained = ensemble.replica(k).network.state_dict()
        for name, tensor in model.network.state_dict().items():
            torch.testing.assert_close(trained[name], tensor, rtol=0, atol=1e-9)

"""The batched formulation of `PoolingCNN` against its modules, one at a time."""

from functools import partial

import pytest
import torch
from alike import assert_replicas_are_the_models_trained_alone, assert_same_logits_and_gradients

from lightning_module.batched.logits import batched_logits
from lightning_module.studies.methods.networks.pooling import PoolingCNN
from lightning_module.studies.methods.networks.pooling_batched import rectify_and_pool

POOLS = ["none", "stride", "max", "avg", "l2"]
SIZES = {"40 points": {}, "41 points": {"length": 41, "channels": 3}, "4 points": {"length": 4, "num_classes": 3}}


@pytest.mark.parametrize("shared", [True, False], ids=["shared signals", "own signals"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pool", POOLS)
def test_logits_and_gradients_are_those_of_single_networks(pool, size, shared):
    make = partial(PoolingCNN, **SIZES[size], pool=pool)
    assert_same_logits_and_gradients(make, length=SIZES[size].get("length", 40), shared=shared)


@pytest.mark.parametrize("pool", POOLS)
def test_replica_is_the_model_trained_alone(folder, tmp_path, pool):
    assert_replicas_are_the_models_trained_alone(partial(PoolingCNN, pool=pool), folder, tmp_path)


@pytest.mark.parametrize("pool", ["max", "avg", "l2"])
def test_gradients_are_torchs_at_zeros_and_ties(pool):
    layer = PoolingCNN(pool=pool).pool
    values = torch.tensor([0.0, 1.0, 2.0, -1.0, 1e-30])
    h = torch.cartesian_prod(values, values).view(1, -1, 1).requires_grad_()  # every pair
    rectify_and_pool(h.unsqueeze(0), pool).sum().backward()
    twin = h.detach().transpose(1, 2).clone().requires_grad_()
    layer(twin.relu()).sum().backward()
    assert h.grad.isfinite().all()
    torch.testing.assert_close(h.grad, twin.grad.transpose(1, 2))


def test_a_subclass_is_not_taken_for_its_parent():
    class Other(PoolingCNN):
        def forward(self, x):
            return -super().forward(x)

    networks, x = [Other(pool="avg") for _ in range(2)], torch.randn(4, 40)
    stacked = {n: torch.stack([m.get_parameter(n) for m in networks]) for n, _ in networks[0].named_parameters()}
    torch.testing.assert_close(batched_logits(networks[0])(stacked, x)[1].t(), networks[1](x))

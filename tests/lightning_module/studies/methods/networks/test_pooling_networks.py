from functools import partial

import pytest
import torch
from alike import assert_replicas_are_the_models_trained_alone, assert_same_logits_and_gradients
from torch import nn

from lightning_module.batched.logits import batched_logits
from lightning_module.networks import count_parameters
from lightning_module.studies.methods.networks.pooling import MATCHED_CHANNELS, PoolingCNN, rectify_and_pool


@pytest.mark.parametrize(
    ("pool", "count"), [("none", 9_310), ("stride", 3_310), ("max", 3_310), ("avg", 3_310), ("l2", 3_310)]
)
def test_parameter_counts_are_the_published_ones(pool, count):
    assert count_parameters(PoolingCNN(pool=pool)) == count


def test_matched_channels_come_nearest():
    counts = {n: count_parameters(PoolingCNN(pool="none", channels=n)) for n in range(4, 12)}
    assert min(counts, key=lambda n: abs(counts[n] - 3_310)) == MATCHED_CHANNELS
    assert counts[MATCHED_CHANNELS] == 3_442


@pytest.mark.parametrize("pool", ["none", "stride", "max", "avg", "l2"])
def test_is_the_reference_sequence(pool):
    """The layers as the published notebook has them, with the same start from the same seed."""
    torch.manual_seed(0)
    network = PoolingCNN(pool=pool)
    torch.manual_seed(0)
    stride, points = {"none": (1, 40), "stride": (2, 10)}.get(pool, (1, 10))
    layer = {"max": nn.MaxPool1d(2), "avg": nn.AvgPool1d(2), "l2": nn.LPPool1d(2, 2)}.get(pool, nn.Identity())
    reference = nn.Sequential(
        nn.Unflatten(1, (1, 40)),
        *(nn.Conv1d(1, 20, 3, stride, 1), nn.ReLU(), layer),
        *(nn.Conv1d(20, 20, 3, stride, 1), nn.ReLU(), layer),
        *(nn.Flatten(), nn.Linear(20 * points, 10)),
    )
    x = torch.randn(7, 40)
    torch.testing.assert_close(network(x), reference(x), rtol=0, atol=0)


@pytest.mark.parametrize("pool", ["none", "stride", "max", "avg", "l2"])
@pytest.mark.parametrize("length", [4, 41, 43])
def test_other_lengths_and_classes(pool, length):
    network = PoolingCNN(length, 7, pool=pool, channels=3)
    assert network(torch.randn(5, length)).shape == (5, 7)


def test_gradient_of_l2_pooling_at_zero_is_zero():
    """The root's own would be infinite; torch's layer says 0."""
    h = torch.tensor([[[0.0, 0.0, 3.0, 4.0, 0.0, 2.0]]], requires_grad=True)
    PoolingCNN(pool="l2").pool(h).sum().backward()
    torch.testing.assert_close(h.grad, torch.tensor([[[0.0, 0.0, 0.6, 0.8, 0.0, 1.0]]]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pool": "Max"}, "pool='Max' must be one of 'none', .*; did you mean 'max'"),
        ({"length": 3}, "length=3 must be at least 4"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        PoolingCNN(**arguments)


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

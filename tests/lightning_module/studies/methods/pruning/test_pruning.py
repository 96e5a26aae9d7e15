"""The pruning policy and masked training, against torch's own pruning and the reference's loop written out."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from lightning_module.datamodule import Examples
from lightning_module.loop.minibatch_training import MinibatchTraining
from lightning_module.networks import MLP
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.methods.pruning.compact_mlp import CompactMLP
from lightning_module.studies.methods.pruning.compaction import alive_units, compacted, restored
from lightning_module.studies.methods.pruning.masked_mlp import MaskedMLP
from lightning_module.studies.methods.pruning.masked_training import Masked, train_masked
from lightning_module.studies.methods.pruning.pruning import (
    initial_weights,
    magnitudes,
    masks_by,
    random_scores,
    sparsities,
)

SMALL = partial(MLP, hidden_size=30)
LAYERS = ("linear1", "linear2", "linear3")


def entries(tensors, layer):
    return torch.cat([tensors[f"{layer}.weight"].flatten(), tensors[f"{layer}.bias"]])


def masked_logits(weights, masks, x):
    return torch.func.functional_call(SMALL(), {name: w * masks[name] for name, w in weights.items()}, (x,))


def reference_loop(weights, masks, steps, *, moments_of_masked=True, data=None):
    """The published loop: parameters are overwritten with their masked values before each forward pass."""
    network = SMALL()
    network.load_state_dict(weights)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-2)
    x, y = data or frozen().train
    for step in range(steps):
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                parameter.mul_(masks[name])
        rows = slice(100 * step % 4000, 100 * step % 4000 + 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        if not moments_of_masked:
            for name, parameter in network.named_parameters():
                parameter.grad.mul_(masks[name])
        optimizer.step()
    return {name: parameter.detach() * masks[name] for name, parameter in network.named_parameters()}


def trained(initial, masks, *, steps, compact=True):
    network = Masked(initial, masks)
    return train_masked(network, frozen().train, lr=2e-2, steps=steps, batch_size=100, compact=compact).weights


def same(weights, others):
    return all(torch.equal(weight, others[name]) for name, weight in weights.items())


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**31), sparsity=st.floats(0, 1), hidden=st.integers(1, 20))
def test_each_layer_loses_exactly_its_fraction_and_the_smallest(seed, sparsity, hidden):
    weights = initial_weights(partial(MLP, hidden_size=hidden), seed)
    masks = masks_by(magnitudes(weights), sparsity)
    for layer in LAYERS:
        mask, size = entries(masks, layer), entries(weights, layer).abs()
        assert int((mask == 0).sum()) == int(sparsity * len(mask))
        if 0 < (mask == 0).sum() < len(mask):
            assert size[mask == 0].max() <= size[mask == 1].min()


def test_masks_are_those_of_torchs_global_pruning_of_a_layer():
    network = SMALL()
    masks = masks_by(magnitudes({name: p.detach() for name, p in network.named_parameters()}), 0.7)
    for layer in LAYERS:
        module = network.get_submodule(layer)
        drop = int(0.7 * sum(p.numel() for p in module.parameters()))
        prune.global_unstructured([(module, "weight"), (module, "bias")], prune.L1Unstructured, amount=drop)
        assert torch.equal(module.weight_mask, masks[f"{layer}.weight"])
        assert torch.equal(module.bias_mask, masks[f"{layer}.bias"])


def test_masks_of_a_search_are_nested_and_rewinding_is_bit_for_bit():
    initial = initial_weights(SMALL, 42)
    reached, before = initial, {name: torch.ones_like(weight) for name, weight in initial.items()}
    for sparsity in sparsities(8):
        masks = masks_by(magnitudes(reached), sparsity)
        assert all(bool((masks[name] <= before[name]).all()) for name in masks)
        start = trained(initial, masks, steps=0)
        for name, weight in initial.items():
            assert torch.equal(
                start[name].view(torch.int32)[masks[name] == 1], weight.view(torch.int32)[masks[name] == 1]
            )
            assert not start[name][masks[name] == 0].any()
        reached = trained(initial, masks, steps=5)
        assert not any(bool(weight[masks[name] == 0].any()) for name, weight in reached.items())
        before = masks


def test_random_masks_are_new_each_round_and_include_biases():
    like = initial_weights(partial(MLP, hidden_size=200), 0)
    first, second = (masks_by(random_scores(like, seed=seed), 0.5) for seed in (1, 2))
    both = entries(first, "linear2") * entries(second, "linear2")
    assert 0.24 < both.mean() < 0.26  # independent; nested ones would have 0.5
    assert 0.3 < first["linear2.bias"].mean() < 0.7


def test_training_is_the_reference_loop():
    initial = initial_weights(SMALL, 42)
    masks = masks_by(random_scores(initial, seed=1), 0.6)
    ours = trained(initial, masks, steps=12)
    theirs = reference_loop(initial, masks, 12)
    for name in initial:
        torch.testing.assert_close(ours[name], theirs[name], atol=2e-4, rtol=0)


def test_moments_of_masked_entries_change_no_survivor():
    initial = initial_weights(SMALL, 42)
    masks = masks_by(random_scores(initial, seed=1), 0.6)
    run_on, stopped = (reference_loop(initial, masks, 12, moments_of_masked=flag) for flag in (True, False))
    assert all(torch.equal(run_on[name], stopped[name]) for name in initial)


def test_weights_are_those_of_the_step_asked_for():
    initial = initial_weights(SMALL, 42)
    masks = masks_by(random_scores(initial, seed=1), 0.6)
    fit = partial(train_masked, Masked(initial, masks), frozen().train, lr=2e-2, batch_size=100)
    longer = fit(steps=12, evaluate={"test": frozen().test}, every=4, weights_at=8)
    assert [score["step"] for score in longer.scores] == [4, 8, 12]
    assert same(longer.weights, fit(steps=8).weights)
    assert not same(longer.weights, fit(steps=12).weights)


@pytest.mark.parametrize("sparsity", [0.0, 0.8, 0.95, 0.99, 1.0])
def test_compact_networks_are_the_masked_ones(sparsity):
    weights = initial_weights(SMALL, 3)
    masks = masks_by(random_scores(weights, seed=5), sparsity)
    alive = alive_units(masks)
    masked = {name: weight * masks[name] for name, weight in weights.items()}
    network = CompactMLP(compacted(masked, alive), alive.shared)
    torch.testing.assert_close(
        network(frozen().test.x), masked_logits(weights, masks, frozen().test.x), atol=1e-6, rtol=0
    )
    again = restored(compacted(masked, alive), masked, alive)
    assert all(torch.equal(again[name], masked[name]) for name in masked)
    if sparsity == 0.0:
        assert len(alive.hidden) == len(alive.outputs) == alive.shared == 30
    if sparsity >= 0.95:
        assert len(alive.hidden) < 30


@pytest.mark.parametrize("sparsity", [0.8, 0.95, 0.99])
def test_dead_units_have_no_gradient(sparsity):
    weights = initial_weights(SMALL, 3)
    masks = masks_by(random_scores(weights, seed=6), sparsity)
    alive = alive_units(masks)
    leaves = {name: (weight * masks[name]).requires_grad_() for name, weight in weights.items()}
    x, y = frozen().train
    logits = torch.func.functional_call(SMALL(), leaves, (x,))
    torch.nn.functional.cross_entropy(logits, y).backward()
    everywhere_but_dead = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    ones = {name: torch.ones_like(tensor) for name, tensor in compacted(masks, alive).items()}
    for name, inside in restored(ones, everywhere_but_dead, alive).items():
        assert not (leaves[name].grad * masks[name])[inside == 0].any()


@pytest.mark.parametrize("sparsity", [0.9, 0.97])
def test_compact_training_is_the_training_of_the_whole(sparsity):
    initial = initial_weights(SMALL, 42)
    masks = masks_by(random_scores(initial, seed=1), sparsity)
    compact, whole = (trained(initial, masks, steps=15, compact=flag) for flag in (True, False))
    assert len(alive_units(masks).hidden) < 30
    for name in initial:
        torch.testing.assert_close(compact[name], whole[name], atol=1e-4, rtol=0)


@pytest.mark.parametrize("sparsity", [0.0, 0.8])
def test_steps_by_autograd_and_without_it_are_the_same_to_the_last_bit(sparsity, monkeypatch):
    initial = initial_weights(SMALL, 1)
    masks = masks_by(random_scores(initial, seed=1), sparsity)
    without = trained(initial, masks, steps=50)
    taken = []

    def minibatch_loss(model, x, y):
        taken.append(1)
        return by_autograd(model, x, y)

    by_autograd = MaskedMLP.minibatch_loss
    monkeypatch.setattr(MaskedMLP, "minibatch_loss", minibatch_loss)
    monkeypatch.setattr(MaskedMLP, "step_of", MinibatchTraining.step_of)
    assert same(without, trained(initial, masks, steps=50))
    assert len(taken) == 50


def test_orders_are_those_of_signals_in_that_order():
    initial = initial_weights(SMALL, 1)
    masks = masks_by(random_scores(initial, seed=1), 0.5)
    order = torch.randperm(40, generator=torch.Generator().manual_seed(0))
    reordered, test = (Examples(each.x[:, order], each.y) for each in (frozen().train, frozen().test))
    fit = partial(train_masked, lr=2e-2, steps=20, batch_size=100)
    seen = fit(Masked(initial, masks, order), frozen().train, evaluate={"test": frozen().test})
    moved = fit(Masked(initial, masks), reordered, evaluate={"test": test})
    assert same(seen.weights, moved.weights)
    assert seen.scores == moved.scores


@pytest.mark.parametrize("fused", [True, False])
def test_masked_entries_stay_zero_through_many_steps_of_adam(fused, monkeypatch):
    monkeypatch.setattr(MaskedMLP, "has_fused_optimizer", lambda _: fused)
    initial = initial_weights(SMALL, 1)
    masks = masks_by(random_scores(initial, seed=1), 0.7)
    reached = trained(initial, masks, steps=200, compact=False)
    for name, weight in reached.items():
        assert weight.isfinite().all()
        assert not weight[masks[name] == 0].any()
        assert (weight != initial[name])[masks[name] == 1].any()


def test_scores_are_cross_entropy_and_accuracy():
    initial = initial_weights(SMALL, 1)
    masks = masks_by(random_scores(initial, seed=1), 0.3)
    found = train_masked(
        Masked(initial, masks), frozen().train, lr=2e-2, steps=6, batch_size=100, evaluate={"test": frozen().test}
    )
    x, y = frozen().test
    logits = masked_logits(found.weights, masks, x)
    (row,) = found.rows({}, seed=7)
    assert row["loss"] == pytest.approx(float(nn.functional.cross_entropy(logits, y)), rel=1e-5)
    assert row["accuracy"] == row["best"] == pytest.approx(float((logits.argmax(1) == y).double().mean()), abs=0.0011)
    assert (row["seed"], row["step"], row["on"]) == (7, 6, "test")


@pytest.fixture
def in_float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("hidden", "outputs", "shared"), [(7, 7, 7), (7, 5, 3), (5, 7, 4), (4, 6, 0)])
@pytest.mark.parametrize("dead", ["none", "most", "all"])
def test_gradients_written_out_are_the_derivatives(in_float64, hidden, outputs, shared, dead):
    torch.manual_seed(0)
    sizes = {"linear1": (hidden, 4), "linear2": (outputs, hidden), "linear3": (3, outputs)}
    weights = {}
    for layer, size in sizes.items():
        weights |= {f"{layer}.weight": torch.randn(size), f"{layer}.bias": torch.randn(size[0])}
    # Units that no example activates; the first is active for all.
    weights["linear2.bias"] += {"none": 9.0, "most": torch.tensor([99.0] + [-99.0] * (outputs - 1)), "all": -99}[dead]
    network = CompactMLP(weights, shared)
    x, y = torch.randn(6, 4), torch.tensor([0, 1, 2, 0, 1, 1])
    assert torch.autograd.gradcheck(lambda *_: network.cross_entropy(x, y), tuple(network.parameters()))
    torch.testing.assert_close(network.cross_entropy(x, y), nn.functional.cross_entropy(network(x), y))


def test_processor_s_denormals_are_as_before():
    tiny = torch.tensor(1e-38)
    initial = initial_weights(SMALL, 1)
    ones = {name: torch.ones_like(weight) for name, weight in initial.items()}
    for before in (False, True):
        torch.set_flush_denormal(before)
        trained(initial, ones, steps=1)
        flushed = float(tiny / 10) == 0
        torch.set_flush_denormal(False)
        assert flushed == before


@pytest.mark.parametrize("sparsity", [0.0, 0.5, 0.9])
def test_training_in_float64_is_the_reference_loop(in_float64, sparsity):
    initial = {name: weight.double() for name, weight in initial_weights(SMALL, 42).items()}
    masks = masks_by(random_scores(initial, seed=1), sparsity)
    data = Examples(frozen().train.x.double(), frozen().train.y)
    ours = train_masked(Masked(initial, masks), data, lr=2e-2, steps=100, batch_size=100).weights
    theirs = reference_loop(initial, masks, 100, data=data)
    for name in initial:
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-8, rtol=0)


def test_constant_units_stay():
    weights = initial_weights(SMALL, 0)
    masks = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    masks["linear1.bias"][7] = 1  # a unit with a bias alone, and a way on to the logits
    masks["linear3.weight"][2, 7] = 1
    alive = alive_units(masks)
    assert alive.hidden.tolist() == alive.outputs.tolist() == [7]
    assert alive.shared == 1


def test_compact_networks_are_modules_like_others():
    network = CompactMLP(initial_weights(SMALL, 0), 30)
    x = frozen().test.x[:5]
    torch.manual_seed(0)
    assert isinstance(network, nn.Module)
    plain = SMALL()
    plain.load_state_dict(network.state_dict())
    torch.testing.assert_close(network(x), plain(x))

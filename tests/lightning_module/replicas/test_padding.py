"""Replicas of different widths: each is the network of its width, and what fills it up stays zero to the bit."""

from functools import partial
from typing import Any

import pytest
import torch
from fits import data_of, same_weights, trainer_in
from torch import nn

from lightning_module import CNN, GRU, MLP, Classifier, Ensemble, Replica

EXACTLY = {"precision": "64-true"}
MAKE: dict[str, Any] = {"mlp": partial(MLP, 40, 10), "cnn": partial(CNN, 40, 10), "gru": partial(GRU, 40, 10)}
NAMES = {"mlp": (7, 20, 3), "cnn": (4, 9, 2), "gru": (6, 3, 5)}


class OneHidden(nn.Module):
    """Widths of 10 and 40 are sizes that other dimensions have too."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(40, width), nn.Tanh(), nn.Dropout(0.0), nn.Linear(width, 10))

    def forward(self, x):
        return self.layers(x)


def replicas_of(widths, **keywords):
    return [Replica(seed=seed, width=width, lr=0.01 / (1 + seed), **keywords) for seed, width in enumerate(widths)]


def single(network: Any, replica: Replica) -> Classifier:
    torch.manual_seed(replica.seed)
    make = MAKE[network] if isinstance(network, str) else network
    return Classifier(make(replica.width), lr=replica.lr)


def padding_is_zero(ensemble: Ensemble, tensors: dict[str, torch.Tensor]) -> bool:
    return all(
        ensemble._padding.is_zero(k, {name: tensor[k] for name, tensor in tensors.items()})
        for k in range(len(ensemble.replicas))
    )


@pytest.mark.parametrize("network", [*NAMES, OneHidden])
def test_replica_is_the_network_of_its_width_trained_alone(folder, tmp_path, network):
    widths = NAMES[network] if isinstance(network, str) else (10, 40, 25)
    replicas = replicas_of(widths)
    ensemble = Ensemble(network, replicas)
    before = [ensemble.replica(k) for k in range(3)]
    trainer_in(tmp_path, max_steps=200, **EXACTLY).fit(ensemble, data_of(folder))
    test = data_of(folder).examples("test")
    losses, _ = ensemble.evaluate(*test)
    for k, replica in enumerate(replicas):
        model = single(network, replica)
        assert same_weights(before[k].network, model.network)
        trainer_in(tmp_path, max_steps=200, **EXACTLY).fit(model, data_of(folder))
        own = dict(ensemble.replica(k).network.named_parameters())
        for name, parameter in model.double().network.named_parameters():
            torch.testing.assert_close(own[name], parameter, rtol=0, atol=1e-9)
        assert losses[k].item() == pytest.approx(model.minibatch_loss(test.x.double(), test.y).item(), abs=1e-8)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize(("optimizer", "momentum"), [("adam", 0.0), ("adamw", 0.0), ("sgd", 0.9)])
@pytest.mark.parametrize("network", [*NAMES, OneHidden])
def test_padding_stays_zero(folder, tmp_path, network, optimizer, momentum, loss):
    widths = NAMES[network] if isinstance(network, str) else (10, 40, 25)
    replicas = replicas_of(widths, weight_decay=0.1)
    ensemble = Ensemble(network, replicas, optimizer=optimizer, momentum=momentum, loss=loss)
    trainer = trainer_in(tmp_path, max_steps=40)
    trainer.fit(ensemble, data_of(folder))
    names = dict(ensemble.network.named_parameters())
    assert padding_is_zero(ensemble, names)
    for state in ("exp_avg", "exp_avg_sq") if momentum == 0 else ("momentum_buffer",):
        moments = {name: trainer.optimizers[0].state[parameter][state] for name, parameter in names.items()}
        assert padding_is_zero(ensemble, moments)
    assert not padding_is_zero(ensemble, {name: torch.ones_like(parameter) for name, parameter in names.items()})


def test_masks_have_the_shape_of_the_replicas_own_width(folder, tmp_path):
    mask = {"linear1.weight": torch.rand(7, 40) < 0.3}
    ensemble = Ensemble("mlp", [Replica(width=9), Replica(width=7, mask=mask)])
    trainer_in(tmp_path, max_steps=20).fit(ensemble, data_of(folder))
    weight = ensemble.replica(1).network.linear1.weight
    assert torch.equal(weight != 0, mask["linear1.weight"])
    assert ensemble.replica(0).network.linear1.weight.count_nonzero() == 9 * 40
    with pytest.raises(ValueError, match=r"mask\['linear1.weight'\] of replica 0 has shape \(7, 40\).*\(9, 40\)"):
        Ensemble("mlp", [Replica(width=9, mask=mask), Replica(width=7)])


def test_checkpoint_keeps_the_widths(folder, tmp_path):
    ensemble = Ensemble("cnn", replicas_of((4, 2)))
    trainer = trainer_in(tmp_path, max_steps=5)
    trainer.fit(ensemble, data_of(folder))
    trainer.save_checkpoint(tmp_path / "widths.ckpt")
    loaded = Ensemble.load_from_checkpoint(tmp_path / "widths.ckpt", weights_only=True)
    assert same_weights(ensemble.replica(1), loaded.replica(1))
    assert loaded.replica(1).network.conv1.weight.shape == (2, 1, 5)


def test_one_width_for_all_needs_no_padding():
    ensemble = Ensemble("mlp", [Replica(width=9), Replica(seed=1, width=9)])
    assert ensemble._padding is None
    assert ensemble.replica(1).network.linear2.weight.shape == (9, 9)


class Normalised(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(40, width), nn.LayerNorm(width), nn.Linear(width, 10))


class Sigmoid(nn.Sequential):
    """Its logits are right with any width: only gradients show that the padding would not stay zero."""

    def __init__(self, width: int) -> None:
        super().__init__(nn.Linear(40, width), nn.Sigmoid(), nn.Linear(width, 10))


class Deeper(nn.Sequential):
    def __init__(self, width: int) -> None:
        super().__init__(*[nn.Linear(40, 40) for _ in range(width)], nn.Linear(40, 10))


@pytest.mark.parametrize("network", [Normalised, Sigmoid, Deeper])
def test_a_network_that_padding_changes(network):
    with pytest.raises(ValueError, match=rf"widths \[2, 3\] of {network.__name__} cannot be trained side by side"):
        Ensemble(network, [Replica(width=2), Replica(width=3)])
    Ensemble(network, [Replica(width=3), Replica(width=3)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Replica(width=0), "width=0 must be at least 1"),
        (lambda: Ensemble("mlp", [Replica(width=3), Replica()]), "width of replica 1 is None, and others have one"),
        (lambda: Ensemble("logistic", [Replica(width=3)]), "network='logistic' has no width"),
        (lambda: Ensemble("mpl", [Replica(width=3)]), "did you mean 'mlp'"),
        (lambda: Ensemble("mlp", [Replica(width=3)], length=2), "length=2 must be at least 3"),
        (lambda: Ensemble(MLP, [Replica(width=3)]), r"takes no width.*network=lambda width: MLP\(hidden_size=width\)"),
        (lambda: Ensemble(OneHidden, 2), r"network needs a width, and the replicas have none.*Replica\(width="),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()

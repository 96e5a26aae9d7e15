"""Whole fits on a device that is not the CPU: no tensor is left behind."""

from functools import partial

import pytest
import torch
from fits import data_of
from pretended_device import META, OneDevice, PretendedStrategy, pretend

from lightning_module import MLP, NETWORKS, Classifier, Ensemble, MNIST1DDataModule, Replica
from lightning_module.datamodule import Examples
from lightning_module.twin import pl

MASK = {"linear.weight": torch.zeros(10, 40)}
OWN = [
    Replica(seed=0, lr=0.1, points=list(range(40))[::-1]),
    Replica(seed=1, weight_decay=0.1, label_noise=0.1, shuffle_seed=1),
]


@pytest.fixture(autouse=True)
def _pretended(monkeypatch):
    pretend(monkeypatch)
    with OneDevice():
        yield


def fit(model, folder, tmp_path, **keywords):
    trainer = pl.Trainer(
        strategy=PretendedStrategy(),
        max_steps=7,
        val_check_interval=5,
        check_val_every_n_epoch=None,
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, folder if isinstance(folder, MNIST1DDataModule) else data_of(folder, **keywords))
    assert trainer.global_step == 7
    assert {parameter.device for parameter in model.parameters()} == {META}
    return model


@pytest.mark.parametrize("steps", ["auto", 1])
@pytest.mark.parametrize("network", NETWORKS)
def test_classifier(folder, tmp_path, network, steps):
    fit(Classifier(network, steps_per_execution=steps), folder, tmp_path, shuffle="epoch")


@pytest.mark.parametrize(
    "options", [{}, {"optimizer": "adamw"}, {"optimizer": "sgd", "momentum": 0.9}, {"loss": "mse"}], ids=str
)
@pytest.mark.parametrize("replicas", [2, OWN], ids=["alike", "own"])
@pytest.mark.parametrize("network", NETWORKS)
def test_ensemble(folder, tmp_path, network, replicas, options):
    ensemble = fit(Ensemble(network, replicas, **options), folder, tmp_path)
    assert ensemble.evaluate(torch.zeros(7, 40), torch.zeros(7, dtype=torch.long))[1].device == META
    assert ensemble.predictions(torch.zeros(7, 40)).device == META
    assert ensemble.replica(1).device == META


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ensemble("logistic", [Replica(mask=MASK), Replica()]),
        lambda: Ensemble("mlp", [Replica(width=30), Replica(width=50)]),
        lambda: Ensemble(partial(torch.nn.Linear, 40, 10), 2),
        lambda: Classifier(MLP(hidden_size=300)),
    ],
    ids=["masks", "widths", "own module", "wide"],
)
def test_masks_widths_and_own_modules(folder, tmp_path, make):
    fit(make(), folder, tmp_path)


def test_data_of_their_own(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    fit(Ensemble("mlp", [Replica(data=Examples(x.flip(0), y.flip(0))), Replica()]), folder, tmp_path)


def test_what_is_left_behind_is_found(folder, tmp_path):
    """The test of the tests."""

    class Forgetful(Classifier):
        def minibatch_loss(self, x, y):
            return super().minibatch_loss(x * torch.ones(40), y)

    with pytest.raises(RuntimeError, match="cpu"):
        fit(Forgetful("cnn"), folder, tmp_path)


@pytest.mark.parametrize("steps", ["auto", 1])
def test_endless(tmp_path, steps):
    data = MNIST1DDataModule(endless=True, batch_size=40, classes=(0, 1), steps_per_epoch=5)
    fit(Classifier("mlp", steps_per_execution=steps), data, tmp_path)

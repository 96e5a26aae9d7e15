"""Replicas of an ensemble against the same models trained alone by Classifier, and against hand-written loops."""

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from fits import SAFELY, Batches, csv_rows, data_of, same_weights, trainer_in
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import mnist1d_hf
from lightning_module import MLP, Classifier, Ensemble, Examples, Replica, TensorLoader, noisy_labels
from lightning_module.twin import loggers


class Decaying(Classifier):
    """A classifier with the weight decay that an ensemble's replicas can have."""

    kind: Any = torch.optim.Adam
    decay = 0.0

    def configure_optimizers(self):
        return self.kind(self.parameters(), lr=self.lr, weight_decay=self.decay)


def alone(replica: Replica, network: Any = "mlp", kind: Any = torch.optim.Adam) -> Classifier:
    torch.manual_seed(replica.seed)
    model = Decaying(network() if isinstance(network, type) else network, lr=replica.lr)
    model.kind, model.decay = kind, replica.weight_decay
    return model


def difference(a: nn.Module, b: nn.Module) -> float:
    pairs = zip(a.state_dict().values(), b.state_dict().values(), strict=True)
    return max((x.double() - y.double()).abs().max().item() for x, y in pairs)


# What replicas of every kind of network and with every option do is compared in float64. In float32 a difference in the
# last digit, where there is one, now and then turns a ReLU on or off or meets Adam's division of 0 by 0, and the runs
# part, as they would on another processor; where there is none is in test_replica_equality.py.
EXACTLY = {"precision": "64-true"}
EXACT = 1e-9

ACCELERATORS = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]

ALIKE = [Replica(seed=seed) for seed in range(3)]
DIFFERENT = [
    Replica(seed=4, shuffle_seed=7),
    Replica(seed=5, lr=3e-3, weight_decay=0.1),
    Replica(seed=4, lr=2e-2, shuffle_seed=9),
]


@pytest.mark.parametrize("accelerator", ACCELERATORS)
@pytest.mark.parametrize("replicas", [ALIKE, DIFFERENT], ids=["alike", "different"])
@pytest.mark.parametrize("network", ["logistic", "mlp", "cnn", "gru"])
def test_replica_is_the_model_trained_alone(folder, tmp_path, network, replicas, accelerator):
    trainer = partial(trainer_in, tmp_path, max_steps=200, accelerator=accelerator, **EXACTLY)
    ensemble = Ensemble(network, replicas)
    start = ensemble.replica(1)
    trainer().fit(ensemble, data_of(folder))
    for k, replica in enumerate(replicas):
        model = alone(replica, network)
        if k == 1:
            assert same_weights(start.network, model.network)
        trainer().fit(model, data_of(folder, seed=replica.shuffle_seed or 0))
        assert difference(ensemble.replica(k).network, model.network) < EXACT
        assert difference(start.network, model.network) > 1e-2


@pytest.mark.slow
@pytest.mark.parametrize("network", ["logistic", "mlp", "cnn", "gru"])
def test_many_replicas_over_many_steps(tmp_path, network):
    replicas = [Replica(seed=seed, lr=10 ** -(2 + seed % 3), shuffle_seed=seed) for seed in range(12)]
    ensemble = Ensemble(network, replicas)
    x, y = torch.randn(2000, 40, dtype=torch.float64), torch.randint(10, (2000,))
    loader = partial(TensorLoader, x, y, batch_size=100, shuffle=True)
    trainer_in(tmp_path, max_steps=600, **EXACTLY).fit(ensemble, loader())
    for k in (0, 5, 11):
        model = alone(replicas[k], network)
        trainer_in(tmp_path, max_steps=600, **EXACTLY).fit(model, loader(seed=replicas[k].shuffle_seed))
        assert difference(ensemble.replica(k).network, model.network) < 1e-8


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_optimisers(folder, tmp_path, optimizer):
    ensemble = Ensemble("mlp", DIFFERENT, optimizer=optimizer)
    trainer_in(tmp_path, max_steps=30, **EXACTLY).fit(ensemble, data_of(folder))
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    model = alone(DIFFERENT[1], kind=kind)
    trainer_in(tmp_path, max_steps=30, **EXACTLY).fit(model, data_of(folder))
    assert difference(ensemble.replica(1).network, model.network) < EXACT


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_gradient_descent(folder, tmp_path, momentum):
    ensemble = Ensemble("mlp", DIFFERENT, optimizer="sgd", momentum=momentum)
    trainer = trainer_in(tmp_path, max_steps=30, **EXACTLY)
    trainer.fit(ensemble, data_of(folder))
    for k, replica in enumerate(DIFFERENT):
        model = alone(replica, kind=partial(torch.optim.SGD, momentum=momentum))
        trainer_in(tmp_path, max_steps=30, **EXACTLY).fit(model, data_of(folder, seed=replica.shuffle_seed or 0))
        assert difference(ensemble.replica(k).network, model.network) < EXACT
    trainer.save_checkpoint(tmp_path / "sgd.ckpt")
    loaded = Ensemble.load_from_checkpoint(tmp_path / "sgd.ckpt", weights_only=True)
    assert (loaded.optimizer, loaded.momentum) == ("sgd", momentum)


class Squares(Decaying):
    """A classifier with the mean squared error by torch."""

    def minibatch_loss(self, x, y):
        return nn.MSELoss()(self.network(x), nn.functional.one_hot(y, self.hparams.num_classes).to(x))


@pytest.mark.parametrize("network", ["mlp", "cnn"])
def test_mean_squared_error(folder, tmp_path, network):
    ensemble = Ensemble(network, DIFFERENT, loss="mse")
    trainer = trainer_in(tmp_path, max_steps=200, **EXACTLY)
    trainer.fit(ensemble, data_of(folder))
    x, y = data_of(folder).examples("test")
    losses, _ = ensemble.evaluate(x, y)
    for k, replica in enumerate(DIFFERENT):
        torch.manual_seed(replica.seed)
        model = Squares(network, lr=replica.lr)
        model.decay = replica.weight_decay
        trainer_in(tmp_path, max_steps=200, **EXACTLY).fit(model, data_of(folder, seed=replica.shuffle_seed or 0))
        assert difference(ensemble.replica(k).network, model.network) < EXACT
        assert losses[k].item() == pytest.approx(model.double().minibatch_loss(x.double(), y).item(), abs=1e-9)
    trainer.save_checkpoint(tmp_path / "squares.ckpt")
    loaded = Ensemble.load_from_checkpoint(tmp_path / "squares.ckpt", weights_only=True).double()
    torch.testing.assert_close(loaded.evaluate(x, y)[0], losses, rtol=0, atol=1e-6)


def test_own_module_knows_whether_it_is_trained():
    ensemble = Ensemble(lambda: nn.Sequential(nn.Dropout(), nn.Linear(40, 10)), 2)
    x = torch.randn(5, 40)
    assert not torch.equal(ensemble(x), ensemble(x))
    ensemble.eval()
    torch.testing.assert_close(ensemble(x)[1], ensemble.replica(1).eval()(x))


@pytest.mark.parametrize("network", ["mlp", "cnn", "gru"])
def test_own_labels_data_and_points(folder, tmp_path, network):
    x, y = data_of(folder).examples("train")
    other = Examples(2 * x.flip(0), y.flip(0))
    points = torch.randperm(40, generator=torch.Generator().manual_seed(0)).tolist()
    replicas = [
        Replica(seed=1, label_noise=0.3, label_noise_seed=8, shuffle_seed=3),
        Replica(seed=1, label_noise=0.15),
        Replica(seed=2, data=other),
        Replica(seed=2, data=other, label_noise=0.5, points=points, shuffle_seed=4),
        Replica(seed=3),
    ]
    trained_on = [
        (x, noisy_labels(y, 0.3, seed=8), 3),
        (x, noisy_labels(y, 0.15, seed=1), 0),
        (*other, 0),
        (other.x[:, points], noisy_labels(other.y, 0.5, seed=2), 4),
        (x, y, 0),
    ]
    ensemble = Ensemble(network, replicas)
    trainer = trainer_in(tmp_path, max_steps=50, **EXACTLY)
    trainer.fit(ensemble, data_of(folder))
    (validated,) = trainer.validate(ensemble, data_of(folder), verbose=False)
    test = data_of(folder).examples("test")
    for k, (signals, labels, seed) in enumerate(trained_on):
        model = alone(replicas[k], network)
        loader = TensorLoader(signals, labels, batch_size=40, shuffle=True, seed=seed)
        trainer_in(tmp_path, max_steps=50, **EXACTLY).fit(model, loader)
        assert difference(ensemble.replica(k).network, model.network) < EXACT
        seen = test.x[:, points] if replicas[k].points else test.x
        accuracy = (model(seen.double()).argmax(1) == test.y).float().mean().item()
        assert validated[f"val/acc/{k}"] == pytest.approx(accuracy)


def test_labels_in_one_order_of_rows(folder, tmp_path):
    """Without permutations: signals (batch, length) for all, labels (batch, k)."""
    x, y = data_of(folder).examples("train")
    ensemble = Ensemble("mlp", [Replica(label_noise=0.4), Replica()])
    trainer_in(tmp_path, max_steps=20, **EXACTLY).fit(ensemble, data_of(folder, shuffle="none"))
    for k, labels in enumerate([noisy_labels(y, 0.4, seed=0), y]):
        model = alone(Replica())
        trainer_in(tmp_path, max_steps=20, **EXACTLY).fit(model, TensorLoader(x, labels, batch_size=40))
        assert difference(ensemble.replica(k).network, model.network) < EXACT


def test_noisy_labels():
    y = torch.arange(10).repeat(4000)
    noisy = noisy_labels(y, 0.15, seed=3)
    assert (noisy != y).float().mean().item() == pytest.approx(0.135, abs=0.006)  # 3.5 standard errors
    changed = torch.bincount(noisy[noisy != y], minlength=10)
    assert changed.min() > 440
    assert changed.max() < 640
    assert torch.equal(noisy, noisy_labels(y, 0.15, seed=3))
    assert not torch.equal(noisy, noisy_labels(y, 0.15, seed=4))
    assert torch.equal(noisy_labels(y, 0.0, seed=3), y)


def test_masked_parameters_stay_zero_and_the_others_learn_as_without_them(folder, tmp_path):
    generator = torch.Generator().manual_seed(0)
    mask = {
        "linear1.weight": torch.rand(100, 40, generator=generator) < 0.3,
        "linear1.bias": torch.rand(100, generator=generator) < 0.5,
    }
    ensemble = Ensemble("mlp", [Replica(seed=1), Replica(seed=1, mask=mask)])
    trainer_in(tmp_path, max_steps=50, **EXACTLY).fit(ensemble, data_of(folder))

    # As the reference does it: parameters overwritten at each forward pass.
    network = alone(Replica(seed=1)).network.double()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    x, y = data_of(folder).examples("train")
    for step in range(51):
        with torch.no_grad():
            for name, kept in mask.items():
                network.get_parameter(name).mul_(kept)
        if step == 50:
            break
        order = torch.randperm(1440, generator=torch.Generator().manual_seed(step // 36))
        rows = order[40 * (step % 36) :][:40]
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x[rows].double()), y[rows]).backward()
        optimizer.step()
    assert difference(ensemble.replica(1).network, network) < EXACT
    free = alone(Replica(seed=1))
    trainer_in(tmp_path, max_steps=50, **EXACTLY).fit(free, data_of(folder))
    assert difference(ensemble.replica(0).network, free.network) < EXACT

    trainer = trainer_in(tmp_path, max_steps=1)
    trainer.fit(ensemble.float(), data_of(folder))
    trainer.save_checkpoint(tmp_path / "masked.ckpt")
    loaded = Ensemble.load_from_checkpoint(tmp_path / "masked.ckpt", weights_only=True)
    assert same_weights(ensemble, loaded)
    assert torch.equal(loaded.masks.get_buffer("linear1.bias")[1], mask["linear1.bias"].float())
    assert all(not optimizer._optimizer_step_post_hooks for optimizer in trainer.optimizers)


def test_masks_are_missed_in_a_checkpoint_without_them(folder, tmp_path):
    trainer = trainer_in(tmp_path, max_steps=1)
    trainer.fit(Ensemble("mlp", 1), data_of(folder))
    trainer.save_checkpoint(tmp_path / "plain.ckpt")
    masked = [Replica(mask={"linear1.bias": torch.ones(100)})]
    with pytest.raises(RuntimeError, match=r"masks\.linear1\.bias"):
        Ensemble.load_from_checkpoint(tmp_path / "plain.ckpt", weights_only=True, replicas=masked)


class Own(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(40, 8), nn.Tanh(), nn.Linear(8, 10))

    def forward(self, x):
        return self.layers(x)


def test_own_module(folder, tmp_path):
    ensemble = Ensemble(Own, DIFFERENT)
    trainer = trainer_in(tmp_path, max_steps=50, **EXACTLY)
    trainer.fit(ensemble, data_of(folder))
    for k, replica in enumerate(DIFFERENT):
        model = alone(replica, Own)
        trainer_in(tmp_path, max_steps=50, **EXACTLY).fit(model, data_of(folder, seed=replica.shuffle_seed or 0))
        assert difference(ensemble.replica(k).network, model.network) < EXACT
    trainer.save_checkpoint(tmp_path / "own.ckpt")
    with pytest.raises(ValueError, match=r"pass the function that makes it again, network=lambda: Own\(\.\.\.\)"):
        Ensemble.load_from_checkpoint(tmp_path / "own.ckpt", weights_only=True)
    loaded = Ensemble.load_from_checkpoint(tmp_path / "own.ckpt", weights_only=True, network=Own)
    assert same_weights(ensemble.float(), loaded)


def test_another_width_has_the_fast_formulation(folder, tmp_path):
    make = partial(MLP, hidden_size=13)
    ensemble = Ensemble(make, 2)
    assert ensemble._logits.__name__ == "mlp"
    trainer_in(tmp_path, max_steps=30, **EXACTLY).fit(ensemble, data_of(folder))
    torch.manual_seed(1)
    model = Classifier(make())
    trainer_in(tmp_path, max_steps=30, **EXACTLY).fit(model, data_of(folder))
    assert difference(ensemble.replica(1).network, model.network) < EXACT


def test_compilation_is_of_the_loss_and_only_if_asked_for(folder, tmp_path, monkeypatch):
    calls = []

    def compiler(function):  # which takes up to minutes when it is torch's
        return lambda *arguments: calls.append(function.__name__) or function(*arguments)

    monkeypatch.setattr(torch, "compile", compiler)
    plain, compiled = Ensemble("mlp", 2), Ensemble("mlp", 2, compiled=True)
    for ensemble, steps in ((plain, 0), (compiled, 7)):
        trainer_in(tmp_path, max_steps=7).fit(ensemble, data_of(folder))
        assert len(calls) == steps
    assert same_weights(plain, compiled)
    assert compiled.hparams["compiled"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="torch.compile on CPU needs a C++ compiler")
def test_compiled_ensemble_learns_the_same(folder, tmp_path):
    plain, compiled = Ensemble("cnn", 2), Ensemble("cnn", 2, compiled=True)
    for ensemble in (plain, compiled):
        trainer_in(tmp_path, max_steps=5).fit(ensemble, data_of(folder))
    for k in range(2):
        assert difference(plain.replica(k).network, compiled.replica(k).network) < 1e-4


def test_executions_and_single_steps_are_the_same(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    replicas = [*DIFFERENT, Replica(label_noise=0.3, points=range(39, -1, -1)), Replica(data=Examples(-x, y))]
    ensembles = []
    for steps in ("auto", 1):
        ensemble = Ensemble("mlp", replicas, steps_per_execution=steps)
        trainer = trainer_in(tmp_path, max_steps=60, callbacks=[batches := Batches()])
        trainer.fit(ensemble, data_of(folder))
        # The first step of a run that somebody watches is Lightning's own, in which is seen what is logged.
        assert [step for _, step in batches.seen] == ([1, 36, 60] if steps == "auto" else list(range(1, 61)))
        ensembles.append(ensemble)
    assert same_weights(*ensembles)


def test_metrics(folder, tmp_path):
    """Each replica's as its classifier alone would report them, their means, and the mean of the training losses."""
    logger = loggers.CSVLogger(tmp_path, name="log", version="")
    data = data_of(folder)
    ensemble = Ensemble("cnn", ALIKE)
    trainer = trainer_in(tmp_path, max_steps=36, logger=logger, log_every_n_steps=1)
    trainer.fit(ensemble, data)
    (tested,) = trainer.test(ensemble, data, verbose=False)
    single = [trainer_in(tmp_path).test(ensemble.replica(k), data, verbose=False)[0] for k in range(3)]
    for name in ("test/loss", "test/acc"):
        for k in range(3):
            assert tested[f"{name}/{k}"] == pytest.approx(single[k][name], rel=1e-5)
        assert tested[name] == pytest.approx(sum(each[name] for each in single) / 3, rel=1e-5)
    assert {name.replace("val", "test") for name in trainer_metrics(tmp_path) if name.startswith("val")} == set(tested)

    losses = []
    for replica in ALIKE:
        own = loggers.CSVLogger(tmp_path, name=f"alone-{replica.seed}", version="")
        model = alone(replica, "cnn")
        trainer_in(tmp_path, max_steps=36, logger=own, log_every_n_steps=1).fit(model, data_of(folder))
        losses.append(train_losses(Path(own.log_dir)))
    means = [sum(of_step) / 3 for of_step in zip(*losses, strict=True)]
    assert train_losses(Path(logger.log_dir)) == pytest.approx(means, rel=1e-4)


def trainer_metrics(path: Path) -> set[str]:
    return set(csv_rows(path / "log" / "metrics.csv")[0])


def train_losses(path: Path) -> list[float]:
    return [float(row["train/loss"]) for row in csv_rows(path / "metrics.csv") if row["train/loss"]]


def test_evaluation_in_pieces(folder, tmp_path, monkeypatch):
    ensemble, data = Ensemble("gru", ALIKE), data_of(folder)
    (whole,) = trainer_in(tmp_path).test(ensemble, data, verbose=False)
    (predicted,) = trainer_in(tmp_path).predict(ensemble, data)
    monkeypatch.setattr("lightning_module.replicas.ensemble.EVALUATION_ROWS", 100)
    (pieces,) = trainer_in(tmp_path).test(ensemble, data, verbose=False)
    (in_pieces,) = trainer_in(tmp_path).predict(ensemble, data)
    assert pieces == pytest.approx(whole, rel=1e-5)
    torch.testing.assert_close(in_pieces, predicted)
    assert predicted.shape == (200, 3, 10)
    x = data.examples("test").x
    torch.testing.assert_close(predicted[:, 2], ensemble.replica(2)(x).softmax(1).detach())
    torch.testing.assert_close(ensemble(x)[2], ensemble.replica(2)(x))


@pytest.mark.parametrize("own_labels", [False, True])
@pytest.mark.parametrize("own_signals", [False, True])
@pytest.mark.parametrize("network", ["logistic", "mlp", "cnn", "gru", Own])
def test_evaluate_and_predictions(monkeypatch, network, own_signals, own_labels):
    """Each replica's loss, accuracy and classes are those of the single classifier, in pieces of 7 rows too."""
    points = torch.randperm(40).tolist()
    ensemble = Ensemble(network, [Replica(seed=0), Replica(seed=1, points=points), Replica(seed=2)]).double()
    x = torch.randn(3, 50, 40) if own_signals else torch.randn(50, 40)  # float32, as the data module's
    y = torch.randint(10, (3, 50)) if own_labels else torch.randint(10, (50,))
    results = [(*ensemble.evaluate(x, y), ensemble.predictions(x))]
    monkeypatch.setattr("lightning_module.replicas.ensemble.EVALUATION_ROWS", 21)
    results += [(*ensemble.evaluate(x, y), ensemble.predictions(x))]
    for loss, accuracy, predicted in results:
        assert not loss.requires_grad
        for k, (signals, labels) in enumerate(zip(x.expand(3, -1, -1), y.expand(3, -1), strict=True)):
            logits = ensemble.replica(k)((signals[:, points] if k == 1 else signals).double())
            assert loss[k].item() == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), abs=1e-9)
            assert accuracy[k].item() == pytest.approx((logits.argmax(1) == labels).double().mean().item())
            assert torch.equal(predicted[k], logits.argmax(1))


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        ((5, 39), (5,), r"x has shape \(5, 39\), and must have \(n, 40\) for all replicas or \(2, n, 40\)"),
        ((3, 5, 40), (5,), r"x has shape \(3, 5, 40\)"),
        ((0, 40), (0,), "with n at least 1"),
        ((40,), (1,), r"x has shape \(40,\)"),
        ((2, 5, 40), (4,), r"y has shape \(4,\), and must have \(5,\) or \(2, 5\)"),
        ((5, 40), (5, 2), r"y has shape \(5, 2\)"),
    ],
)
def test_evaluate_says_what_does_not_fit(x, y, message):
    with pytest.raises(ValueError, match=message):
        Ensemble("logistic", 2).evaluate(torch.zeros(x), torch.zeros(y, dtype=torch.int64))


def test_checkpoint_is_an_ordinary_one(folder, tmp_path):
    whole = Ensemble("mlp", DIFFERENT)
    trainer_in(tmp_path, max_steps=90).fit(whole, data_of(folder))
    trainer = trainer_in(tmp_path, max_steps=41)
    trainer.fit(Ensemble("mlp", DIFFERENT), data_of(folder))
    trainer.save_checkpoint(tmp_path / "half.ckpt")

    saved = torch.load(tmp_path / "half.ckpt", weights_only=True)
    assert saved["mnist1d_hf"]["data_version"] == mnist1d_hf.DATA_VERSION
    loaded = Ensemble.load_from_checkpoint(tmp_path / "half.ckpt", weights_only=True)
    assert [each.settings() for each in loaded.replicas] == [each.settings() for each in DIFFERENT]
    assert same_weights(loaded.network, trainer.lightning_module.network)

    trainer = trainer_in(tmp_path, max_steps=90)
    trainer.fit(loaded, data_of(folder), ckpt_path=tmp_path / "half.ckpt", **SAFELY)
    assert same_weights(whole, loaded)


def test_replica_has_an_ordinary_checkpoint_too(folder, tmp_path):
    ensemble = Ensemble("gru", [Replica(seed=3, lr=2e-3)])
    single = ensemble.replica(0)
    assert (single.lr, single.hparams["network"]) == (2e-3, "gru")
    single.save_pretrained(tmp_path)
    assert same_weights(Classifier.from_pretrained(tmp_path), single)
    trainer_in(tmp_path, max_steps=1).fit(single, data_of(folder))  # a copy: the ensemble does not move with it
    assert same_weights(ensemble.replica(0).network, alone(Replica(seed=3), "gru").network)


def test_global_random_state_is_left_alone():
    torch.manual_seed(0)
    state = torch.get_rng_state()
    Ensemble("cnn", [Replica(seed=5, label_noise=0.1)]).replica(0)
    noisy_labels(torch.zeros(5, dtype=torch.int64), 0.5, seed=1)
    state_after = torch.get_rng_state()
    assert torch.equal(state, state_after)


class Failing(Ensemble):
    def minibatch_loss(self, x, y):
        raise RuntimeError("the power is out")


def test_loader_is_left_as_it_was(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    loader = TensorLoader(x, y, batch_size=40, shuffle=True)
    replicas = [Replica(shuffle_seed=1, label_noise=0.5)]
    with pytest.raises(RuntimeError, match="the power is out"):
        trainer_in(tmp_path, max_steps=1).fit(Failing("mlp", replicas), loader)
    ensemble = Ensemble("mlp", replicas)
    trainer = trainer_in(tmp_path, max_steps=40)
    trainer.fit(ensemble, loader)
    model = alone(Replica())
    trainer_in(tmp_path, max_steps=40).fit(model, loader)
    expected = alone(Replica())
    trainer_in(tmp_path, max_steps=40).fit(expected, data_of(folder))
    assert same_weights(model, expected)


def test_new_loaders_in_each_epoch(folder, tmp_path):
    ensembles = [Ensemble("mlp", DIFFERENT) for _ in range(2)]
    for ensemble, every in zip(ensembles, (0, 1), strict=True):
        trainer = trainer_in(tmp_path, max_epochs=3, reload_dataloaders_every_n_epochs=every)
        trainer.fit(ensemble, data_of(folder))
    assert same_weights(*ensembles)


def test_foreign_loader(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    loader = DataLoader(TensorDataset(x, y), batch_size=40)
    ensemble = Ensemble("mlp", 2)
    trainer_in(tmp_path, max_steps=40, **EXACTLY).fit(ensemble, loader)
    model = alone(Replica(seed=1))
    trainer_in(tmp_path, max_steps=40, **EXACTLY).fit(model, loader)
    assert difference(ensemble.replica(1).network, model.network) < EXACT
    with pytest.raises(ValueError, match=r"come from a DataLoader.*use MNIST1DDataModule or TensorLoader"):
        trainer_in(tmp_path, max_steps=1).fit(Ensemble("mlp", [Replica(label_noise=0.1)]), loader)


def test_orders_need_permutations(folder, tmp_path):
    ensemble = Ensemble("mlp", [Replica(shuffle_seed=1)])
    with pytest.raises(ValueError, match=r'MNIST1DDataModule\(shuffle="epoch"\)'):
        trainer_in(tmp_path, max_steps=1).fit(ensemble, data_of(folder, shuffle="none"))


def test_data_of_another_size(folder, tmp_path):
    x, y = data_of(folder).examples("train")
    ensemble = Ensemble("mlp", [Replica(), Replica(data=(x[:9], y[:9]))])  # a plain pair will do
    with pytest.raises(ValueError, match=r"data of replica 1 has x \(9, 40\).*must have \(1440, 40\)"):
        trainer_in(tmp_path, max_steps=1).fit(ensemble, data_of(folder))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Replica(lr=0), "lr=0 must be above 0"),
        (lambda: Replica(data=torch.zeros(2, 40)[0]), "data=.* must be two tensors|data must be two tensors"),
        (lambda: Replica(data=(torch.zeros(2, 40), [0, 1])), "data=.* must be two tensors|data must be two tensors"),
        (lambda: Replica(weight_decay=-1.0), "weight_decay=-1.0 must be at least 0"),
        (lambda: Replica(label_noise=1.5), "label_noise=1.5 must be a number from 0 to 1"),
        (lambda: Ensemble("cnm"), "did you mean 'cnn'"),
        (lambda: Ensemble("cnn", 0), "must be at least one"),
        (lambda: Ensemble("cnn", []), "must be at least one"),
        (lambda: Ensemble(MLP()), r"network=MLP\(\.\.\.\) is one module.*network=lambda: MLP\(\.\.\.\)"),
        (lambda: Ensemble("cnn", 2, optimizer="sdg"), "optimizer='sdg' must be"),
        (lambda: Ensemble("cnn", 2, momentum=0.9), 'momentum=0.9 must be 0 .*optimizer="sgd"'),
        (lambda: Ensemble("cnn", 2, momentum=1.0, optimizer="sgd"), "momentum=1.0 must be at least 0 and below 1"),
        (lambda: Ensemble("cnn", 2, loss="nll"), "loss='nll' must be one of 'cross_entropy', 'mse'"),
        (lambda: Ensemble("cnn", 2, steps_per_execution=0), "steps_per_execution=0 must be"),
        (lambda: Ensemble("cnn", 2).replica(2), r"k=2 must be in 0\.\.1"),
        (lambda: Ensemble("cnn", [Replica(points=[1, 2])]), "points of replica 0 must be a permutation"),
        (lambda: Ensemble("mlp", [Replica(mask={"w": torch.ones(1)})]), "for 'w', and the network has linear1.weight"),
        (
            lambda: Ensemble("mlp", [Replica(), Replica(mask={"linear1.bias": torch.ones(3)})]),
            r"mask\['linear1.bias'\] of replica 1 has shape \(3,\), and must have that of the parameter, \(100,\)",
        ),
    ],
)
def test_errors(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_length_of_the_data_is_compared(folder, tmp_path):
    with pytest.raises(ValueError, match=r"length=50 must be 40.*Ensemble\(\.\.\., length=40\)"):
        trainer_in(tmp_path, max_steps=1).fit(Ensemble("mlp", 2, length=50), data_of(folder))

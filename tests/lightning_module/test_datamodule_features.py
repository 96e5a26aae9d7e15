"""What a data module does on request: digits, transforms, pieces of an evaluation; and what it keeps out."""

import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from fits import SAFELY, Validations, classifier, data_of, same, same_weights, trainer_in
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lightning_module import MLP, Classifier, Ensemble, MNIST1DDataModule, Replica, TensorLoader, noisy_labels
from lightning_module.loop.loader import Execution
from lightning_module.transform import name_of, transformed
from lightning_module.twin import pl

HERE = Path(__file__).parent


def test_digits_keep_their_labels_and_the_classes_of_the_whole(folder):
    data = data_of(folder, classes=(7, 0, 2), val=0.2)
    for split in ("train", "val", "test"):
        assert data.examples(split).y.unique().tolist() == [0, 2, 7]
    assert data.num_classes == 10
    whole = data_of(folder, val=0.2)
    for split in ("train", "val", "test"):
        x, y = whole.examples(split)
        kept = (y == 0) | (y == 2) | (y == 7)
        assert torch.equal(data.examples(split).x, x[kept])
        assert torch.equal(data.examples(split).y, y[kept])


@settings(max_examples=20, deadline=None)
@given(digits=st.permutations(range(10)), cut=st.integers(1, 9), seed=st.integers(0, 5))
def test_tasks_that_share_no_digit_divide_every_split(folder, digits, cut, seed):
    """No example is lost, or held out in one task and trained on in another."""
    tasks = [data_of(folder, classes=part, val=0.3, seed=seed) for part in (digits[:cut], digits[cut:])]
    whole = data_of(folder, val=0.3, seed=seed)
    for split in ("train", "val", "test"):
        rows = torch.cat([task.examples(split).x for task in tasks])
        expected = whole.examples(split).x
        assert len(rows) == len(expected)
        assert torch.equal(rows.unique(dim=0), expected.unique(dim=0))


def test_one_network_trains_on_one_task_after_the_other(folder, tmp_path):
    model = classifier("mlp")
    for digits in ([0, 1], range(2, 5)):
        data = data_of(folder, classes=digits)
        trainer = trainer_in(tmp_path, max_epochs=2)
        trainer.fit(model, data)
        trainer.save_checkpoint(tmp_path / "a.ckpt")
        saved = torch.load(tmp_path / "a.ckpt", weights_only=True)
        assert saved["datamodule_hyper_parameters"]["classes"] == saved["MNIST1DDataModule"]["classes"] == list(digits)
    again = MNIST1DDataModule.load_from_checkpoint(tmp_path / "a.ckpt", **SAFELY)
    assert again.classes == (2, 3, 4)
    with pytest.warns(UserWarning, match="trained on the data .*'classes'"):
        data_of(folder).load_state_dict(saved["MNIST1DDataModule"])


@pytest.mark.parametrize("classes", [(), (1, 1), (-1,), (0.5,), "abc", ["a"], 3])
def test_impossible_classes(classes):
    with pytest.raises(ValueError, match=r"classes=.* must be different digits, such as classes=\(0, 1, 2\)"):
        MNIST1DDataModule(classes=classes)


def test_classes_that_the_data_lack(folder):
    with pytest.raises(ValueError, match=r"classes=\(3, 12\) has 12, and the data .* have the classes 0 to 9"):
        data_of(folder, classes=(3, 12)).examples("train")


@pytest.mark.parametrize(
    ("keywords", "limits", "steps", "rows"),
    [
        ({}, {}, 36, [200]),
        ({"eval_batch_size": 30}, {}, 36, [30] * 6 + [20]),
        ({"eval_batch_size": 30}, {"limit_val_batches": 0.5}, 36, [30] * 3),
        ({}, {"limit_val_batches": 0.5}, 36, [40, 40]),
        ({"eval_batch_size": 10}, {"overfit_batches": 0.1}, 3, [10, 10]),
        ({"batch_size": 20}, {"overfit_batches": 0.1}, 7, [20]),
        ({"eval_batch_size": 50}, {"limit_val_batches": 3}, 36, [50] * 3),
    ],
)
def test_pieces_of_an_evaluation(folder, tmp_path, keywords, limits, steps, rows):
    class Rows(pl.Callback):
        seen: list[int] = []  # noqa: RUF012

        def on_validation_batch_end(self, trainer, module, outputs, batch, batch_idx, dataloader_idx=0):
            self.seen = [*self.seen, len(batch[0])]

    seen = Rows()
    trainer = trainer_in(tmp_path, max_epochs=1, num_sanity_val_steps=0, callbacks=[seen], **limits)
    trainer.fit(classifier(), data_of(folder, **keywords))
    assert (trainer.global_step, seen.seen) == (steps, rows)


@pytest.mark.parametrize("stage", ["test", "predict", "validate"])
def test_fractions_of_every_evaluation(folder, tmp_path, stage):
    limit = {"test": "limit_test_batches", "predict": "limit_predict_batches", "validate": "limit_val_batches"}[stage]
    trainer = trainer_in(tmp_path, **{limit: 0.5})
    getattr(trainer, stage)(classifier(), data_of(folder, batch_size=50))
    loop = {"test": trainer.test_loop, "predict": trainer.predict_loop, "validate": trainer.validate_loop}[stage]
    assert sum(loop.max_batches) == 2


@pytest.mark.parametrize("size", [0, -5])
def test_impossible_pieces(size):
    with pytest.raises(ValueError, match=f"eval_batch_size={size} must be at least 1"):
        MNIST1DDataModule(eval_batch_size=size)


class Recorder:
    """Adds noise, in place, and keeps what it was given."""

    def __init__(self) -> None:
        self.given: list[torch.Tensor] = []

    def __call__(self, x):
        self.given.append(x.clone())
        return x.add_(0.1 * torch.randn_like(x))


class Dropout(nn.Module):
    """Draws from the random numbers that the transform draws from."""

    def __init__(self) -> None:
        super().__init__()
        self.network = MLP()

    def forward(self, x):
        return nn.functional.dropout(self.network(x), 0.1, self.training)


def fitted(folder, path, model, transform, **keywords):
    data, validations = data_of(folder, transform=transform, **keywords), Validations()
    trainer = trainer_in(path, max_epochs=2, callbacks=[validations], val_check_interval=14)
    torch.manual_seed(11)
    trainer.fit(model, data)
    return trainer, data


@pytest.mark.parametrize("shuffle", ["epoch", "none"])
@pytest.mark.parametrize("network", ["mlp", Dropout])
def test_a_transform_changes_nothing_between_one_step_at_once_and_many(folder, tmp_path, shuffle, network):
    models, recorders = [], []
    for steps in (1, "auto"):
        recorder, model = Recorder(), classifier(network, steps)
        trainer, data = fitted(folder, tmp_path, model, recorder, shuffle=shuffle)
        assert trainer.global_step == len(recorder.given) == 72  # once per minibatch, none in validation
        assert {tuple(x.shape) for x in recorder.given} == {(40, 40)}
        assert torch.equal(data.examples("train").x, data_of(folder).examples("train").x)  # untouched
        models.append(model)
        recorders.append(recorder)
    assert same(recorders[0].given, recorders[1].given)
    assert same_weights(*models)
    assert not same_weights(models[0], fitted(folder, tmp_path, classifier(network, 1), None, shuffle=shuffle)[0].model)


class OwnData(MNIST1DDataModule):
    """A data module of a user's own."""


@pytest.mark.parametrize("kind", [MNIST1DDataModule, OwnData])
def test_a_transform_is_no_reason_for_single_steps(folder, tmp_path, monkeypatch, kind):
    sizes, minibatches = [], Execution.minibatches
    monkeypatch.setattr(Execution, "minibatches", lambda self: sizes.append(self.number) or minibatches(self))
    data = kind(str(folder), batch_size=40, val=None, transform=torch.neg)
    trainer_in(tmp_path, max_epochs=2).fit(classifier("mlp"), data)
    assert sum(sizes) == 72
    assert max(sizes) == 36


def test_a_transform_trains_on_what_it_returns(folder, tmp_path):
    """Training on negated signals is training on a data set of negated signals."""
    ways = []
    for negate in (True, False):
        data = data_of(folder, transform=torch.neg if negate else None)
        x, y = data.examples("train")
        loader = TensorLoader(x if negate else -x, y, batch_size=40, shuffle=True, transform=data.transform)
        model = classifier("cnn")
        trainer_in(tmp_path, max_steps=40).fit(model, loader)
        ways.append(model)
    assert same_weights(*ways)


def test_an_ensemble_shows_its_replicas_the_same_minibatch(folder, tmp_path):
    recorder = Recorder()
    ensemble = Ensemble("mlp", 3)
    trainer, _ = fitted(folder, tmp_path, ensemble, recorder)
    assert len(recorder.given) == trainer.global_step == 72
    torch.manual_seed(0)
    alone = Classifier("mlp")
    fitted(folder, tmp_path, alone, Recorder())
    assert same_weights(ensemble.replica(0).network, alone.network)  # of seed 0


def test_an_ensemble_with_rows_of_their_own_gives_all_at_once(folder, tmp_path):
    recorder = Recorder()
    replicas = [Replica(seed=seed, shuffle_seed=seed, label_noise=0.1) for seed in range(2)]
    x, y = data_of(folder).examples("train")
    own = [Replica(seed=2, data=(x.flip(0), y.flip(0)), shuffle_seed=2), *replicas]
    fitted(folder, tmp_path, Ensemble("mlp", own), recorder)
    assert {tuple(x.shape) for x in recorder.given} == {(120, 40)}


def test_a_checkpoint_keeps_the_transform_s_name(folder, tmp_path):
    model = classifier("mlp")
    data = data_of(folder, transform=Recorder())
    trainer = trainer_in(tmp_path, max_steps=2)
    trainer.fit(model, data)
    trainer.save_checkpoint(tmp_path / "a.ckpt")
    saved = torch.load(tmp_path / "a.ckpt", weights_only=True)
    assert saved["datamodule_hyper_parameters"]["transform"] == f"{__name__}.Recorder"
    again = MNIST1DDataModule.load_from_checkpoint(tmp_path / "a.ckpt", **SAFELY)
    trainer_in(tmp_path).test(model, again, verbose=False)
    with pytest.raises(ValueError, match=r"keeps only the name of a function; .* again, transform=Recorder$"):
        trainer_in(tmp_path, max_steps=1).fit(model, again)
    more = MNIST1DDataModule.load_from_checkpoint(tmp_path / "a.ckpt", transform=Recorder(), **SAFELY)
    trainer_in(tmp_path, max_steps=4).fit(model, more, ckpt_path=tmp_path / "a.ckpt", **SAFELY)


def half(x, factor=0.5):
    return x * factor


def test_names():
    assert name_of(half) == name_of(partial(partial(half, factor=1), factor=2)) == f"{__name__}.half"
    assert name_of(Recorder()) == f"{__name__}.Recorder"
    assert name_of(nn.Dropout(0.1)) == "torch.nn.modules.dropout.Dropout"


@pytest.mark.parametrize(
    ("transform", "message"), [(lambda x: x[:, 1:], r"shape \(8, 39\)"), (lambda x: None, "a NoneType")]
)
def test_what_a_transform_must_return(transform, message):
    with pytest.raises(ValueError, match=f"returned {message}, and must return a tensor of the shape .*\\(8, 40\\)"):
        transformed(torch.zeros(8, 40), transform)


def test_a_transform_must_be_a_function():
    with pytest.raises(ValueError, match="transform=3 must be a function"):
        MNIST1DDataModule(transform=3)


DEFAULTS = [("device", "meta"), ("dtype", torch.float64), ("dtype", torch.float16)]


@pytest.mark.parametrize(("kind", "value"), DEFAULTS)
def test_torch_s_defaults_leave_the_data_alone(folder, kind, value):
    def everything():
        whole = data_of(folder, val=0.25, classes=range(9), seed=3)
        loader = whole.train_dataloader()
        minibatches = [tensor for _ in range(2) for batch in loader for tensor in batch]
        ranks = TensorLoader(*whole.examples("val"), batch_size=7, shuffle=True, rank=1, world_size=3)
        y = whole.examples("train").y
        return [
            *(tensor for split in ("train", "val", "test") for tensor in whole.examples(split)),
            *minibatches,
            *(tensor for batch in ranks for tensor in batch),
            noisy_labels(y, 0.3, seed=4),
        ]

    expected = everything()
    before = {"device": torch.get_default_device(), "dtype": torch.get_default_dtype()}[kind]
    setter = {"device": torch.set_default_device, "dtype": torch.set_default_dtype}[kind]
    setter(value)
    try:
        found = everything()
    finally:
        setter(before if kind == "dtype" else None)
    assert {tensor.device.type for tensor in found} == {"cpu"}
    assert {tensor.dtype for tensor in found} == {torch.float32, torch.int64}
    assert same(found, expected)


def make(width=20):
    return MLP(hidden_size=width)


ENSEMBLES = {
    "named": lambda: Ensemble("cnn", 2),
    "function": lambda: Ensemble(partial(make, 15), 2, optimizer="sgd", loss="mse"),
    "widths": lambda: Ensemble("mlp", [Replica(width=8), Replica(width=12)]),
    "lambda": lambda: Ensemble(lambda: nn.Sequential(nn.Linear(40, 5), nn.Tanh(), nn.Linear(5, 10)), 2),
}


@pytest.mark.parametrize("kind", ENSEMBLES)
def test_ensembles_pickle(folder, tmp_path, kind):
    ensemble = ENSEMBLES[kind]()
    trainer_in(tmp_path, max_steps=2).fit(ensemble, data_of(folder))
    again = pickle.loads(pickle.dumps(ensemble))  # noqa: S301
    x, y = data_of(folder).examples("test")
    assert same_weights(ensemble, again)
    assert same(ensemble.evaluate(x, y), again.evaluate(x, y))
    for each in (ensemble, again):
        trainer_in(tmp_path, max_steps=3).fit(each, data_of(folder))
    assert same_weights(ensemble, again)
    if kind == "lambda":
        with pytest.raises(ValueError, match="did not come to this process, as it has no name"):
            again.replica(1)
    else:
        assert same_weights(ensemble.replica(1), again.replica(1))


def test_classifier_and_data_module_pickle(folder, tmp_path):
    model, data = classifier("gru"), data_of(folder, transform=half)
    trainer_in(tmp_path, max_steps=2).fit(model, data)
    data.trainer = None
    again, rows = pickle.loads(pickle.dumps((model, data)))  # noqa: S301
    assert same_weights(model, again)
    assert same(rows.examples("test"), data.examples("test"))


SPAWN = """
import torch
from fits import data_of, trainer_in
from lightning_module import Ensemble

if __name__ == "__main__":
    ensemble = Ensemble("mlp", 2)
    before = ensemble.replica(1).network.linear1.weight.clone()
    trainer = trainer_in({path!r}, max_steps=3, devices=2, strategy="ddp_spawn")
    trainer.fit(ensemble, data_of({folder!r}, val=None))
    moved = (ensemble.replica(1).network.linear1.weight - before).abs().max()
    print("SPAWNED", bool(moved > 0.01), bool(moved < 0.05))
"""


@pytest.mark.slow
def test_an_ensemble_trains_in_spawned_processes(folder, tmp_path):
    script = tmp_path / "spawn.py"
    script.write_text(SPAWN.format(path=str(tmp_path), folder=str(folder)))
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])]),
        "GLOO_SOCKET_IFNAME": "lo",
        "MASTER_ADDR": "127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, env=environment, timeout=900, check=False
    )
    assert "SPAWNED True True" in done.stdout, done.stderr[-3000:]

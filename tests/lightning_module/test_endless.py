"""`MNIST1DDataModule(endless=True)`, and data that memory does not hold: fits on the fast stream."""

import pytest
import torch
from fits import SAFELY, Batches, classifier, same, same_weights, trainer_in

from lightning_module import Ensemble, MNIST1DDataModule, Replica
from lightning_module.commands import training_words
from lightning_module.data import streamed
from lightning_module.loop.stream_loader import StreamLoader
from lightning_module.twin import pl
from mnist1d_hf import DATA_VERSION, make_slice


def endless(**keywords):
    return MNIST1DDataModule(endless=True, **{"batch_size": 40, "steps_per_epoch": 30, "val": None, **keywords})


class Seen(pl.Callback):
    """The labels of the minibatches that were trained on."""

    def __init__(self):
        self.labels = []

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        self.labels.append(batch[1].clone())


@pytest.fixture
def little_memory(monkeypatch):
    """Memory for some 5,900 examples."""
    monkeypatch.setattr(streamed, "memory", lambda: 2_000_000)


def test_evaluations_are_parts_of_the_test_split_of_the_stream():
    data = endless(val=0.2, name="shuffled", recipe={"iid_noise_scale": 0.1})
    for split, start in (("val", 0), ("test", 20_000)):
        rows = make_slice("shuffled", "test", start, start + 20_000, iid_noise_scale=0.1)
        x, y = data.examples(split)
        assert torch.equal(x, torch.tensor(rows.x))
        assert torch.equal(y, torch.tensor(rows.y))
    assert (data.length, data.num_classes, data.training_examples) == (40, 10, None)
    of_two = endless(classes=(3, 8)).examples("test")
    assert of_two.y.unique().tolist() == [3, 8]
    assert endless(name="long").length == 120
    assert endless().plot("train").axes
    with pytest.raises(ValueError, match="endless=True has no last training example: iterate over train_dataloader"):
        data.examples("train")


def test_steps_see_one_example_after_the_other_and_epochs_are_counted(tmp_path):
    seen, trainer = Seen(), trainer_in(tmp_path, max_epochs=2, limit_val_batches=0)
    trainer.callbacks.append(seen)
    trainer.fit(classifier(), endless())
    assert (trainer.global_step, trainer.current_epoch) == (60, 2)
    assert torch.equal(torch.cat(seen.labels), torch.tensor(make_slice("default", "train", 0, 2400).y))


@pytest.mark.parametrize("steps", [1, 7])
def test_many_steps_at_once_are_taken_and_learn_the_same(tmp_path, steps):
    models, counts = [], []
    for each in (steps, "auto"):
        model, batches = classifier("mlp", each), Batches()
        trainer = trainer_in(tmp_path, max_epochs=2, callbacks=[batches])
        trainer.fit(model, endless())
        models.append(model)
        counts.append(len(batches.seen))
    assert counts == [60 if steps == 1 else 11, 3]  # the first step of all is one of its own
    assert same_weights(*models)


@pytest.mark.parametrize(("stop", "steps"), [(45, "auto"), (30, 1), (7, 4)])
def test_a_fit_that_is_resumed_is_the_undisturbed_one_to_the_bit(tmp_path, stop, steps):
    def noisy(x):
        return x + 0.1 * x.roll(1, dims=1)

    saved = []
    for name, stops in (("whole", [75]), ("two", [stop, 75])):
        path = None
        for at in stops:
            trainer = trainer_in(tmp_path, max_steps=at, max_epochs=-1)
            model = classifier("mlp", steps if at == stop else "auto")
            trainer.fit(model, endless(transform=noisy), ckpt_path=path, **SAFELY if path else {})
            path = str(tmp_path / f"{name}-{at}.ckpt")
            trainer.save_checkpoint(path)
        saved.append(torch.load(path, weights_only=True))
    assert same(saved[0]["state_dict"], saved[1]["state_dict"])
    assert same(saved[0]["optimizer_states"], saved[1]["optimizer_states"])
    (loader_state,) = saved[1]["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    assert loader_state == {"step": 75}
    assert saved[1]["MNIST1DDataModule"] == {
        "path": "mnist1d",
        "config_id": "default-stream=fast",
        "version": DATA_VERSION,
        "endless": True,
    }
    assert training_words.defaults_of(path)["data.endless"] is True


def test_an_ensemble_trains_on_it(tmp_path):
    ensemble = Ensemble("mlp", [Replica(seed=0), Replica(seed=1, lr=1e-3)])
    trainer_in(tmp_path, max_steps=20, max_epochs=-1).fit(ensemble, endless())
    with pytest.raises(ValueError, match=r"come from a StreamLoader.*or TensorLoader, without endless=True"):
        trainer_in(tmp_path, max_steps=2).fit(Ensemble("mlp", [Replica(label_noise=0.1)] * 2), endless())


def test_what_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="endless=True needs path=\"mnist1d\": the data at path='a/b' have an end"):
        MNIST1DDataModule("a/b", endless=True)
    with pytest.raises(ValueError, match="steps_per_epoch=0 must be at least 1"):
        endless(steps_per_epoch=0)
    with pytest.raises(ValueError, match=r"classes=\(3, 12\) has 12"):
        endless(classes=(3, 12)).train_dataloader()
    with pytest.raises(ValueError, match="overfit_batches needs minibatches that come again"):
        trainer_in(tmp_path, max_steps=2, overfit_batches=3).fit(classifier(), endless())


def test_more_examples_than_memory_holds_are_streamed(cache, little_memory, tmp_path):
    data = MNIST1DDataModule("mnist1d", "large", recipe={"num_samples": 12_100}, batch_size=100, val=0.25)
    assert data.training_examples == 8000  # of 11,000 a quarter is held out, and whole blocks stay
    model, seen = classifier(), Seen()
    trainer = trainer_in(tmp_path, max_epochs=2, callbacks=[seen])
    trainer.fit(model, data)
    assert trainer.global_step == 160
    first, second = torch.cat(seen.labels).view(2, 8, 1000).tolist()
    rows = make_slice("large", "train", 0, 8000).y.reshape(8, 1000).tolist()
    assert sorted(first) == sorted(second) == sorted(rows)
    held = torch.cat([y for _, y in data.val_dataloader()])
    assert torch.equal(held, torch.tensor(make_slice("large", "train", 8000, 11_000).y))
    (tested,) = trainer.test(model, data, verbose=False)
    x, y = (torch.tensor(each) for each in vars_of(make_slice("large", "test", 0, 1100)))
    with torch.inference_mode():
        right = (model.eval()(x).argmax(1) == y).float().mean().item()
    assert tested["test/acc"] == pytest.approx(right, abs=1e-6)
    assert training_words.test_accuracy(model, data) == pytest.approx(right, abs=1e-6)
    assert "8,000 examples, 100 at a time" in training_words.announcement(model, data, trainer)
    assert not list(cache.rglob("*.arrow"))
    with pytest.raises(ValueError, match="num_samples=12100 is more than this machine's memory holds"):
        data.examples("train")
    with pytest.raises(ValueError, match=r"classes=\(1, 2\) with num_samples=12100"):
        MNIST1DDataModule("mnist1d", "large", recipe={"num_samples": 12_100}, classes=(1, 2)).train_dataloader()
    of_test = MNIST1DDataModule("mnist1d", "large", recipe={"num_samples": 12_100}, val="test")
    assert of_test.training_examples == 11_000
    assert sum(len(y) for _, y in of_test.val_dataloader()) == 1100


def vars_of(split):
    return split.x, split.y


def test_what_fits_is_held_as_before():
    assert not isinstance(MNIST1DDataModule().train_dataloader(), StreamLoader)
    assert "new examples at every step, 40 at a time" in training_words.announcement(
        classifier(), endless(), trainer_in(".")
    )

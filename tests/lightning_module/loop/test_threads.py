"""How many threads a model is trained on, and that there are as many as before afterwards."""

from contextlib import contextmanager
from functools import partial

import pytest
import torch
from fits import classifier, data_of, trainer_in
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lightning_module import MLP, Classifier, Ensemble, Replica, TensorLoader
from lightning_module.loop.threads import ThreadPerNetwork
from lightning_module.twin import pl


@contextmanager
def threads(count: int):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
        assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)


def counted(kind: type[Classifier] | type[Ensemble]) -> type[Classifier] | type[Ensemble]:
    class Counting(kind):
        def minibatch_loss(self, x, y):
            self.seen = {*getattr(self, "seen", ()), torch.get_num_threads()}
            return super().minibatch_loss(x, y)

    return Counting


@pytest.mark.parametrize("steps", ["auto", 1])
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: counted(Classifier)("mlp"), 1),
        (lambda: counted(Classifier)("gru"), 1),
        (lambda: counted(Ensemble)("cnn", 2), 2),
        (lambda: counted(Ensemble)("cnn", 9), 4),
        (lambda: counted(Classifier)(nn.Linear(40, 10)), 4),
        (lambda: counted(Classifier)(MLP(hidden_size=800)), 4),
        (lambda: counted(Ensemble)(partial(MLP, hidden_size=800), 2), 4),
        (lambda: counted(Ensemble)("mlp", [Replica(width=30), Replica(width=50)]), 4),
    ],
    ids=["mlp", "gru", "two", "nine", "own module", "large", "two large", "two widths"],
)
def test_at_most_one_for_each_small_network(folder, tmp_path, make, expected, steps):
    model = make()
    model.steps_per_execution = steps
    with threads(4):
        trainer_in(tmp_path, max_steps=2).fit(model, data_of(folder))
    assert model.seen == {expected}


def test_all_for_a_large_minibatch(folder, tmp_path):
    model = counted(Classifier)("mlp")
    with threads(2):
        trainer_in(tmp_path, max_steps=2).fit(model, data_of(folder, batch_size=1000))
    assert model.seen == {2}


@pytest.mark.parametrize(("piece", "expected"), [(400, 1), (2000, 2)])
@pytest.mark.parametrize("of", ["fit", "validate", "test"])
def test_in_an_evaluation_by_its_size(tmp_path, of, piece, expected):
    """A small one waits for no other thread; a large one has all of them."""
    seen = []

    class Watching(Classifier):
        def _evaluate(self, *arguments):
            seen.append(torch.get_num_threads())
            super()._evaluate(*arguments)

    rows = TensorDataset(torch.randn(piece, 40), torch.arange(piece) % 10)
    with threads(2):
        model, trainer = Watching("mlp"), trainer_in(tmp_path, max_steps=2)
        if of == "fit":
            trainer.fit(model, DataLoader(rows, batch_size=100), DataLoader(rows, batch_size=piece))
        else:
            getattr(trainer, of)(model, DataLoader(rows, batch_size=piece))
    assert set(seen) == {expected}


def test_as_before_after_a_failed_evaluation(folder, tmp_path):
    class Failing(Classifier):
        def validation_step(self, batch, batch_idx):
            raise RuntimeError("no")

    with threads(2), pytest.raises(RuntimeError, match="no"):
        trainer_in(tmp_path).validate(Failing("mlp"), data_of(folder))


def test_as_before_after_a_failure(folder, tmp_path):
    class Failing(Classifier):
        def minibatch_loss(self, x, y):
            raise RuntimeError("no")

    with threads(2), pytest.raises(RuntimeError, match="no"):
        trainer_in(tmp_path, max_steps=2).fit(Failing("mlp"), data_of(folder))


def test_as_before_after_a_skipped_batch(folder, tmp_path):
    class Skipping(Classifier):
        def on_train_batch_start(self, batch, batch_idx):
            return -1

    with threads(2):
        trainer_in(tmp_path, max_epochs=1).fit(Skipping("mlp"), data_of(folder))


def test_minibatches_of_a_data_loader(folder, tmp_path):
    model = counted(Classifier)("mlp")
    loader = DataLoader(TensorDataset(*data_of(folder).examples("train")), batch_size=100)
    with threads(2):
        trainer_in(tmp_path, max_steps=2).fit(model, loader)
    assert model.seen == {1}


def test_signals_of_another_length_without_a_data_module(tmp_path):
    """The classifier's own `length` is that of the default network."""
    model = counted(Classifier)(MLP(length=60))
    with threads(2):
        trainer_in(tmp_path, max_steps=2).fit(
            model, TensorLoader(torch.randn(80, 60), torch.ones(80).long(), batch_size=40)
        )
    assert model.seen == {1}


def test_callback_of_a_class_of_ones_own_is_not_added_again(folder, tmp_path):
    class Own(ThreadPerNetwork):
        pass

    trainer = trainer_in(tmp_path, max_steps=1, callbacks=[Own()])
    trainer.fit(classifier(), data_of(folder))
    assert [type(each) for each in trainer.callbacks if isinstance(each, ThreadPerNetwork)] == [Own]


def test_another_module_is_left_alone(folder, tmp_path):
    class Other(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(40, 10)

        def training_step(self, batch, batch_idx):
            assert torch.get_num_threads() == 2
            return nn.functional.cross_entropy(self.layer(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    with threads(2):
        trainer = trainer_in(tmp_path, max_steps=2, callbacks=[ThreadPerNetwork()])
        trainer.fit(Other(), data_of(folder))
    assert trainer.global_step == 2

"""`train` against loops over single networks that know nothing of ensembles and trainers."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from lightning_module import Examples, Replica
from lightning_module.networks import make_network
from lightning_module.studies.framework.data import frozen
from lightning_module.studies.framework.training import sha256, train, wrong_by
from lightning_module.twin import pl

STEPS, EVERY = 23, 10
TRAIN = Examples(*(tensor[:600] for tensor in frozen().train))
TEST = Examples(*(tensor[:250] for tensor in frozen().test))


def bare_loop(network, seed, lr, data=TRAIN, at=(10, 20, 23)):
    """Returns loss and accuracy on the test examples after some steps, as a notebook would compute them."""
    torch.manual_seed(seed)
    model = make_network(network)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    scores = {}
    for step in range(1, STEPS + 1):
        rows = torch.arange(100) + 100 * (step - 1) % 600
        loss = functional.cross_entropy(model(data.x[rows]), data.y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in at:
            with torch.no_grad():
                logits = model(TEST.x)
            accuracy = (logits.argmax(1) == TEST.y).double().mean().item()
            scores[step] = functional.cross_entropy(logits, TEST.y).item(), accuracy
    return scores


@pytest.mark.parametrize("network", ["logistic", "mlp", "cnn", "gru"])
def test_equals_a_bare_loop_for_each_replica(network):
    replicas = [Replica(seed=3, lr=1e-2), Replica(seed=0, lr=3e-3)]
    trained = train(network, replicas, TRAIN, steps=STEPS, evaluate={"train": TRAIN, "test": TEST}, every=EVERY)
    assert [(score.step, score.on) for score in trained.scores] == [
        (step, on) for step in (10, 20, 23) for on in ("train", "test")
    ]
    for k, replica in enumerate(replicas):
        expected = bare_loop(network, replica.seed, replica.lr)
        for score in trained.scores:
            if score.on == "test":
                loss, accuracy = expected[score.step]
                assert score.loss[k] == pytest.approx(loss, rel=1e-4)
                assert score.accuracy[k] == pytest.approx(accuracy, abs=1.01 / 250)  # a tie may fall either way


def test_each_replica_on_its_own_data():
    other = Examples(TRAIN.x.flip(0), TRAIN.y.flip(0))
    replicas = [Replica(seed=1), Replica(seed=1, data=other)]
    trained = train("mlp", replicas, TRAIN, steps=STEPS, evaluate={"test": TEST})
    for k, data in enumerate((TRAIN, other)):
        assert trained.at_end("test").loss[k] == pytest.approx(bare_loop("mlp", 1, 1e-2, data)[23][0], rel=1e-4)


@pytest.mark.parametrize(
    ("steps", "every", "at"),
    [(12, 4, [4, 8, 12]), (13, 4, [4, 8, 12, 13]), (3, 4, [3]), (14, 7, [7, 14]), (9, None, [9]), (3, 1, [1, 2, 3])],
)
def test_scores_are_taken_at_every_and_at_the_end(steps, every, at):
    # 600 examples are six minibatches: the steps above end within epochs, at their ends and beyond them.
    trained = train("logistic", 2, TRAIN, steps=steps, evaluate={"test": TEST}, every=every)
    assert [score.step for score in trained.scores] == at
    assert trained.at_end("test").step == steps


def test_evaluation_does_not_change_the_training():
    final = [
        train("cnn", 2, TRAIN, steps=STEPS, evaluate={"test": TEST}, every=every).at_end("test").loss
        for every in (None, 1, 10)
    ]
    assert final[0] == pytest.approx(final[1], rel=1e-4)
    assert final[0] == pytest.approx(final[2], rel=1e-4)


def test_the_same_again_is_the_same_to_the_last_bit():
    runs = [train("gru", 2, TRAIN, steps=8, evaluate={"test": TEST}, every=3, shuffle=True) for _ in range(2)]
    for a, b in zip(*(run.scores for run in runs), strict=True):
        assert (a.loss == b.loss).all()
        assert (a.accuracy == b.accuracy).all()


def test_leaves_no_trace(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    train("logistic", 1, TRAIN, steps=5, evaluate={"test": TEST}, every=2)
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_set_of_examples_for_each_replica():
    halves = Examples(TEST.x.view(2, 125, 40), TEST.y.view(2, 125))
    trained = train(
        "logistic", [Replica(seed=5), Replica(seed=5)], TRAIN, steps=5, evaluate={"halves": halves, "all": TEST}
    )
    assert trained.at_end("halves").accuracy.mean() == pytest.approx(trained.at_end("all").accuracy[0])


def test_rows_are_tidy():
    trained = train("logistic", [Replica(seed=7), Replica(seed=2)], TRAIN, steps=4, evaluate={"test": TEST}, every=2)
    rows = trained.rows(network="logistic")
    assert [(row["seed"], row["step"]) for row in rows] == [(7, 2), (2, 2), (7, 4), (2, 4)]
    assert rows[-1] == {
        "network": "logistic",
        "seed": 2,
        "step": 4,
        "on": "test",
        "loss": trained.scores[-1].loss[1],
        "accuracy": trained.scores[-1].accuracy[1],
    }


def test_accuracies_are_whole_hits():
    trained = train("logistic", 3, TRAIN, steps=2, evaluate={"test": TEST})
    hits = trained.at_end("test").accuracy * 250
    assert (hits == hits.round()).all()


def test_wrong_by_is_zero_where_right():
    predictions = torch.tensor([[1, 2, 9], [0, 2, 0]])
    y = torch.tensor([1, 3, 0])
    assert wrong_by(predictions, y).tolist() == [[0, 9, 9], [9, 9, 0]]
    restored = (torch.from_numpy(wrong_by(predictions, y).astype(np.int64)) + y) % 10
    assert torch.equal(restored, predictions)


def test_digest_is_that_of_the_bytes():
    examples = Examples(torch.tensor([[1.0, 2.0]]).t().contiguous().t(), torch.tensor([3]))
    # printf '\\x00\\x00\\x80\\x3f\\x00\\x00\\x00\\x40' | sha256sum, and of 3 in eight bytes.
    assert sha256(examples) == {
        "x": "b9c80b5adeca450753a16950c3cc655d271f7bef7a485bc83f112b72fef21d37",
        "y": "35be322d094f9d154a8aba4733b8497f180353bd7ae7b0a15f90b586b549f28b",
    }


@pytest.mark.parametrize("options", [{}, {"accelerator": "auto"}])
def test_the_device_is_the_processor_unless_it_is_said(options, monkeypatch):
    """On a Mac Lightning's own choice is its GPU, which has no float64 for the scores."""
    asked = []

    class Trainer(pl.Trainer):
        def __init__(self, **arguments):
            asked.append(arguments["accelerator"])
            super().__init__(**arguments | {"accelerator": "cpu"})

    monkeypatch.setattr(pl, "Trainer", Trainer)
    train("logistic", 1, frozen().train, steps=2, **options)
    assert asked == [options.get("accelerator", "cpu")]

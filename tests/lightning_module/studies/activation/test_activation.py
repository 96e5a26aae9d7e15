"""The activation study: a small run from cells to verdicts and figures, and an interruption."""

import numpy as np
import pytest
import torch

from lightning_module import LearnedActivation
from lightning_module.studies.activation import learned
from lightning_module.studies.activation.config import ActivationConfig
from lightning_module.studies.activation.learned import feature_row, shape_rows
from lightning_module.studies.activation.study import STUDY
from lightning_module.studies.framework.checkpoint import Scratch
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.methods.activation.functions import BASELINES


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("activation")
    rng = np.random.default_rng(0)
    # Noise instead of digits: what is tested is that a file that the user names is read.
    np.savez(folder / "images.npz", x=rng.integers(256, size=(450, 28, 28), dtype=np.uint8), y=np.arange(450) % 10)
    config = STUDY.config("smoke", mnist=str(folder / "images.npz"))
    return STUDY.run(config, folder=folder / "run")


def test_tables(result):
    rows = result.rows
    fresh = rows[rows.arm == "fresh"]
    assert set(fresh.function) == {"learned", "piecewise", "straightened", *BASELINES}
    assert set(fresh.setting) == {"published", "tuned"}
    assert len(fresh) == 9 * 2 * 2
    assert set(rows[rows.arm == "frozen"].function) == {"learned", "piecewise", *BASELINES}
    assert len(result.tables["outer"]) == 2 * 2
    assert set(result.tables["missing"].data) == {"cifar10"}
    assert set(result.tables["transfer"].data) == {"mnist", "digits"}
    ranks = result.tables["transfer"].groupby(["data", "seed"]).rank_test_loss.agg(["min", "count"])
    assert (ranks["min"] == 1).all()
    assert (ranks["count"] == 7).all()
    assert "/" not in str(result.data["mnist/0"])  # what a file is called, and not where it is


def test_learned_functions_are_kept(result):
    function = LearnedActivation.of(result, seed=1)
    shape = result.tables["shape"].query("seed == 1")
    y = function(torch.tensor(shape.x.to_numpy(), dtype=torch.float32))
    assert y.tolist() == pytest.approx(shape.y.tolist(), abs=1e-5)
    with pytest.raises(ValueError, match="seed=7 has no learned function"):
        LearnedActivation.of(result, seed=7)


def test_verdicts_and_figures(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    tested = {"objective-falls", "five-points", "ranking", "shape", "piecewise", "mnist-middle", "both-tuned"}
    assert all(verdicts[name].parts for name in tested)
    assert verdicts["cifar10-middle"].finding == "not tested"
    assert verdicts["objective-falls"].number in ("inside", "outside")
    assert not list(STUDY.outside(result))  # bands are about 301 inner steps
    for draw in STUDY.figures.values():
        assert draw(result).get_axes()


def test_an_interrupted_meta_training_comes_to_the_same(tmp_path, monkeypatch):
    config = ActivationConfig(outer_steps=7, steps=5, window=3)
    whole = learned.continued(config, 2, Scratch())
    monkeypatch.setattr(learned, "KEEP_EVERY", 3)
    meta_train, taken = learned.meta_train, []

    def interrupted(*args, **options):
        for step in meta_train(*args, **options):
            if len(taken) == 5:
                raise KeyboardInterrupt
            taken.append(step)
            yield step

    monkeypatch.setattr(learned, "meta_train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        learned.continued(config, 2, Scratch(tmp_path / "scratch.npz"))
    taken.clear()
    again = learned.continued(config, 2, Scratch(tmp_path / "scratch.npz"))
    assert len(taken) == 4  # three were kept
    for one, other in zip(whole, again, strict=True):
        assert one[:-1] == other[:-1]
        assert torch.equal(one.function, other.function)


def test_features_of_known_functions():
    row = feature_row(lambda x: torch.where(x < 0, torch.sin(x * torch.pi), -x * (2 - x)))
    assert row["bump"] == pytest.approx(1, abs=1e-3)  # at -1.5 and at -3.5
    assert row["dip"] == pytest.approx(-1, abs=1e-3)
    assert row["fall"] == pytest.approx(2, abs=1e-2)
    assert feature_row(torch.relu) == {"bump": 0, "dip": 0, "fall": 0}
    assert [row["y"] for row in shape_rows(torch.relu, points=3)] == [0, 0, 5]

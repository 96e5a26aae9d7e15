"""The study of the data set: what is counted against numbers by hand, and a small run from cells to verdicts."""

import hashlib

import numpy as np
import pytest
import torch

from lightning_module.networks import count_parameters
from lightning_module.studies.dataset.claims import CLAIMS, SIZES
from lightning_module.studies.dataset.facts import PUBLISHED_DIGESTS, digests, size_rows
from lightning_module.studies.dataset.study import STUDY
from lightning_module.studies.dataset.times import TorchGRU, published_experiments, time_rows
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.methods.person import HUMAN_ERRORS
from mnist1d_hf import make_mnist1d


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("dataset"))


def verdict(result, name):
    return next(v for v in judge(STUDY.claims, result.tables) if v.claim.name == name)


def test_sizes_are_those_that_everybody_knows():
    sizes = {row["dataset"]: row for row in size_rows()}
    assert sizes["mnist"]["numbers"] == 70_000 * 28 * 28
    assert sizes["cifar10"]["bytes"] == 60_000 * 32 * 32 * 3
    assert sizes["mnist1d"] == {
        "dataset": "mnist1d",
        "train": 4000,
        "test": 1000,
        "dimensions": 40,
        "example_bytes": 160,
        "numbers": 200_000,
        "bytes": 800_000,
    }


def test_a_changed_bit_is_another_data_set():
    data = make_mnist1d()
    assert digests(data) == PUBLISHED_DIGESTS
    data.test.x[0, 0] = np.nextafter(np.float32(data.test.x[0, 0]), np.float32(10))
    assert sum(digest == PUBLISHED_DIGESTS[name] for name, digest in digests(data).items()) == 4
    # The digests are those of the arrays as they lie in memory.
    assert digests(data)["t"] == hashlib.sha256(data.t.astype("<f4").tobytes()).hexdigest()


def test_exact_claims_do_not_need_a_run():
    found = {v.claim.name: v for v in judge(SIZES, {"sizes": _table(size_rows())})}
    assert found["smaller-in-numbers"].finding == "holds"
    assert found["smaller-in-bytes"].finding == "fails"
    assert found["two-orders-in-numbers"].parts[0].interval.estimate == pytest.approx(54_880_000 / 200_000)
    assert found["two-orders-in-bytes"].parts[0].interval.estimate == pytest.approx(68.6)


def _table(rows):
    from lightning_module.studies.framework.result import table_of

    return table_of(rows)


def test_facts(result):
    facts = result.tables["facts"].set_index("fact")["value"]
    assert facts["arrays as published"] == 5
    assert facts["parameters as published"] == 10
    assert (facts["smallest padding"], facts["largest padding"], facts["largest translation"]) == (36, 60, 47)
    assert facts["slope"] == pytest.approx(0.04, abs=0.005)  # as the notebook prints it
    x = np.concatenate([make_mnist1d().train.x, make_mnist1d().test.x])
    slopes = [np.polyfit(np.arange(40), signal, 1)[0] for signal in x[:500]]
    assert facts["slope"] == pytest.approx(np.std(slopes), rel=0.1)


def test_errors_of_the_person_are_the_published_ones_without_the_repeated_quiz():
    percent = (100 * HUMAN_ERRORS).round(1).tolist()
    assert percent == [6.7, 4.8, 11.1, 0.0, 6.4, 0.0, 0.0, 8.8, 0.0, 7.3]


def test_errors_by_digit_and_their_correlation(result):
    digits, profiles = result.tables["digits"], result.tables["profiles"]
    assert len(digits) == 2 * 10
    assert digits.cnn.between(0, 1).all()
    of_one = digits[digits.seed == 1]
    expected = np.corrcoef(of_one.cnn.astype(float), of_one.human.astype(float))[0, 1]
    assert profiles.set_index("seed").correlation[1] == pytest.approx(expected, abs=1e-4)


def test_methods_without_a_network(result):
    classical = result.tables["classical"]
    assert len(classical) == 2 * 9
    means = classical.groupby("dataset")[["linear", "kernel"]].mean()
    assert means.loc["iris"].min() > 0.85
    assert means.loc["circles", "linear"] < 0.7 < means.loc["circles", "kernel"]  # no line separates them
    assert means.loc["mnist1d", "linear"] == pytest.approx(0.32, abs=0.04)
    best = classical[classical.dataset != "mnist1d"].assign(best=classical[["linear", "kernel"]].max(axis=1))
    shares = (best.best > 0.9).groupby(best.seed).mean()
    assert result.tables["shares"].set_index("seed").share.to_dict() == shares.to_dict()
    assert result.tables["neighbours"].accuracy.mean() == pytest.approx(0.59, abs=0.05)


def test_the_gru_is_the_published_one():
    network = TorchGRU()
    assert count_parameters(network) == 5134
    assert network(torch.zeros(3, 40)).shape == (3, 10)


def test_experiments_have_as_many_steps_as_the_published_ones():
    pieces = {name: {piece.name: piece for piece in found} for name, found in published_experiments(0.02).items()}
    steps = [piece.times for name, piece in pieces["classification"].items() if name.endswith("step")]
    assert steps == 4 * [2 * 6000]
    assert pieces["classification"]["cnn signal evaluated"].times == 2 * 25 * 5000
    assert sum(piece.times for name, piece in pieces["pooling"].items() if name.endswith("step")) == 5 * 6 * 6000
    assert pieces["learning-rate"]["outer step"].times == 50
    assert pieces["activation"]["outer step"].times == 301
    assert [piece.times for piece in pieces["self-supervision, three"].values()] == 3 * [200]


def test_minutes_are_the_seconds_of_the_pieces_as_often_as_they_come():
    wholes, parts = time_rows(1, 0.02)
    for whole in wholes:
        of_one = [part for part in parts if part["experiment"] == whole["experiment"]]
        total = sum(part["seconds"] * part["times"] for part in of_one) / 60
        assert whole["minutes"] == pytest.approx(total, rel=0.01)
        assert whole["minutes"] > 0


def test_verdicts_and_figures(result):
    assert verdict(result, "as-published").finding == "holds"
    assert verdict(result, "neighbours-mean-nothing").finding in ("fails", "inconclusive")
    assert verdict(result, "time-lottery").finding == "not tested"
    judged = [v for v in judge(STUDY.claims, result.tables) if v.claim.findings]
    assert all(v.finding != "not tested" for v in judged)
    assert len({v.claim.name for v in judged}) == sum(bool(claim.findings) for claim in CLAIMS)
    assert not list(STUDY.outside(result))
    for draw in STUDY.figures.values():
        assert draw(result).axes


def test_every_claim_that_is_not_tested_says_why():
    assert all(len(claim.not_tested) > 20 for claim in CLAIMS if claim.not_tested is not None)

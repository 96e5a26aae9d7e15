"""Distances from a posterior: against scikit-learn and loops by hand; the temperature against a grid."""

import math

import numpy as np
import pytest
import torch
from sklearn.calibration import calibration_curve
from sklearn.metrics import log_loss

from lightning_module.datamodule import Examples
from lightning_module.replicas.ensemble import Ensemble
from lightning_module.replicas.replica import Replica
from lightning_module.studies.framework.data import fresh
from lightning_module.studies.framework.training import fit
from lightning_module.studies.methods.posterior_distance import (
    LOG_TEMPERATURES,
    EarlyStops,
    Stop,
    calibration_error,
    divergence,
    entropy,
    log_probabilities,
    logits_of,
    posterior_of,
    reliability,
    right_by,
    temperature,
)
from mnist1d_hf.bayes import bayes_limits

GENERATOR = np.random.default_rng(0)


def random_log_probabilities(*shape, sharpness=2.0):
    return log_probabilities(torch.from_numpy(sharpness * GENERATOR.normal(size=shape)))


def test_divergence_is_the_sum_that_a_loop_gives():
    log_p, log_q = random_log_probabilities(50, 10), random_log_probabilities(50, 10)
    for p, q, found in zip(np.exp(log_p), np.exp(log_q), divergence(log_p, log_q), strict=True):
        assert found == pytest.approx(sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)), abs=1e-12)


def test_divergence_is_expected_loss_minus_entropy():
    log_p, log_q = random_log_probabilities(5, 10), random_log_probabilities(5, 10)
    for k in range(5):  # each label, weighted by its probability
        loss = log_loss(range(10), np.tile(np.exp(log_q[k]), (10, 1)), sample_weight=np.exp(log_p[k]))
        assert loss - entropy(log_p)[k] == pytest.approx(divergence(log_p, log_q)[k], abs=1e-9)


def test_divergence_of_nearly_certain_posteriors_is_finite_and_zero_from_itself():
    logits = torch.zeros(1, 10)
    logits[0, 3] = 2000.0
    log_p = log_probabilities(logits)
    assert np.isfinite(log_p).all()
    assert divergence(log_p, log_p) == pytest.approx(0, abs=1e-12)
    assert divergence(log_p, log_probabilities(torch.zeros(1, 10))) == pytest.approx(math.log(10))


def test_right_by_is_the_share_of_labels_drawn_from_the_posterior():
    log_p = random_log_probabilities(4, 10)
    chosen = np.array([1, 5, 0, 9])
    drawn = np.array([GENERATOR.choice(10, size=40_000, p=np.exp(each)) for each in log_p])
    np.testing.assert_allclose(right_by(log_p, chosen), (drawn == chosen[:, None]).mean(1), atol=0.01)
    assert right_by(log_p, np.stack([chosen, chosen])).shape == (2, 4)


def test_reliability_is_that_of_scikit_learn():
    log_p, log_q = random_log_probabilities(3000, 10), random_log_probabilities(3000, 10, sharpness=3.0)
    labels = np.array([GENERATOR.choice(10, p=np.exp(each)) for each in log_p])
    bins = [each for each in reliability(log_p, log_q, labels) if each.count]
    hits, sure = log_q.argmax(1) == labels, np.exp(log_q.max(1))
    right, confidence = calibration_curve(hits, sure, n_bins=10)
    np.testing.assert_allclose([each.hits for each in bins], right, atol=1e-12)
    np.testing.assert_allclose([each.confidence for each in bins], confidence, atol=1e-12)
    assert sum(each.count for each in bins) == 3000
    away = sum(each.count / 3000 * abs(each.confidence - each.right) for each in bins)
    assert calibration_error(bins) == pytest.approx(away)
    # By the posterior and by labels it is the same up to the sampling of the labels.
    for each in bins:
        assert abs(each.right - each.hits) < 5 / math.sqrt(each.count)


def test_a_posterior_is_calibrated_by_itself():
    log_p = random_log_probabilities(500, 10)
    assert calibration_error(reliability(log_p, log_p, log_p.argmax(1))) == pytest.approx(0, abs=1e-12)


def test_certainty_has_a_bin():
    certain = np.log(np.full((1, 10), 1e-300))
    certain[0, 2] = 0.0
    bins = reliability(certain, certain, np.array([2]))
    assert [each.count for each in bins] == [0] * 9 + [1]


@pytest.mark.parametrize("scale", [0.2, 1.0, 7.0])
def test_temperature_is_the_best_of_a_grid_and_that_which_the_labels_were_drawn_with(scale):
    logits = 2 * GENERATOR.normal(size=(4000, 10))
    q = np.exp(log_probabilities(torch.from_numpy(logits)))
    labels = np.array([GENERATOR.choice(10, p=each) for each in q])
    found = temperature(scale * logits, labels)
    assert found == pytest.approx(scale, rel=0.1)

    def loss(heat):
        return log_loss(labels, np.exp(log_probabilities(torch.from_numpy(scale * logits / heat))), labels=range(10))

    grid = np.exp(np.linspace(*LOG_TEMPERATURES, 2001))
    best = grid[np.argmin([loss(heat) for heat in grid[::20]]) * 20]
    near = grid[np.abs(np.log(grid / best)) < 0.12]
    assert loss(found) <= min(loss(heat) for heat in near) + 1e-9


def test_temperature_stays_within_bounds_where_nothing_is_wrong():
    # The loss falls towards a temperature of 0 until its last digit is gone.
    found = temperature(np.eye(10) * 5, np.arange(10))
    assert math.exp(LOG_TEMPERATURES[0]) <= found < 0.2
    # And where all is chance, towards an infinite one.
    many = np.tile(np.arange(10), 10)
    found = temperature(np.eye(10)[np.repeat(np.arange(10), 10)], many)
    assert 300 < found <= math.exp(LOG_TEMPERATURES[1])


def test_posterior_of_a_draw_agrees_with_the_limits_of_its_recipe():
    draw = fresh(0, tests=400, iid_noise_scale=0.1)
    log_p = posterior_of(draw.test.x, draw, iid_noise_scale=0.1)
    known = bayes_limits(iid_noise_scale=0.1, n=400)
    error = math.hypot(known.accuracy.error, known.accuracy.error)
    assert np.exp(log_p.max(1)).mean() == pytest.approx(known.accuracy.mean, abs=4 * error)
    hits = (log_p.argmax(1) == draw.test.y.numpy()).mean()
    assert hits == pytest.approx(known.accuracy.mean, abs=0.08)


def trained_with(looks, *, every):
    data = fresh(0, tests=0).train
    model = Ensemble("mlp", [Replica(seed=0, lr=1e-2), Replica(seed=1, lr=0.3)])
    few = Examples(data.x[:200], data.y[:200])
    fit(model, few, steps=60, every=every, callbacks=[looks])
    looks.look(model, 60)
    return model


def test_the_stop_is_the_best_of_all_looks():
    data = fresh(1, tests=0).train
    validation = Examples(data.x[:100], data.y[:100])
    looks = EarlyStops(validation, {"own": validation.x})
    model = trained_with(looks, every=5)
    assert [step for step, _ in looks.looks] == list(range(5, 65, 5))
    losses = torch.stack([loss for _, loss in looks.looks])
    assert torch.equal(looks.best.validation_loss, losses.min(0).values)
    assert looks.best.step.tolist() == [looks.looks[k][0] for k in losses.argmin(0)]
    for stop in (looks.best, looks.last):  # what was kept is what has that loss
        for k in range(2):
            log_q = log_probabilities(stop.logits["own"][k])
            own = -sum(row[label] for row, label in zip(log_q, validation.y, strict=True)) / len(validation.y)
            assert own == pytest.approx(float(stop.validation_loss[k]), rel=1e-9)
    assert torch.equal(looks.last.logits["own"], logits_of(model, validation.x))
    assert looks.best.step[1] < 60  # a rate this high gets worse at some time: the test can fail


def test_labels_as_probabilities_are_the_labels():
    data = fresh(1, tests=0).train
    hard = EarlyStops(Examples(data.x[:50], data.y[:50]), {})
    soft = EarlyStops(Examples(data.x[:50], torch.eye(10)[data.y[:50]]), {})
    model = Ensemble("cnn", 2)
    hard.look(model, 1)
    soft.look(model, 1)
    torch.testing.assert_close(hard.best.validation_loss, soft.best.validation_loss)


def test_a_replica_that_overflowed_is_never_the_best():
    data = fresh(1, tests=0).train
    looks = EarlyStops(Examples(data.x[:50], data.y[:50]), {})
    model = Ensemble("logistic", 2)
    looks.look(model, 1)
    good = looks.best.validation_loss.clone()
    with torch.no_grad():
        model.network.get_parameter("linear.bias")[0].fill_(float("nan"))
    looks.look(model, 2)
    assert looks.best.step.tolist() == [1, 1]
    assert torch.equal(looks.best.validation_loss, good)
    assert isinstance(looks.last, Stop)


def test_logits_of_own_signals_are_those_of_each_replica():
    x = fresh(0, tests=2500).test.x
    model = Ensemble("mlp", 2)
    own = torch.stack([x[:1200], x[1200:2400]])
    both = logits_of(model, own)
    for k in range(2):
        torch.testing.assert_close(both[k], model.replica(k)(own[k]).detach(), rtol=1e-5, atol=1e-5)

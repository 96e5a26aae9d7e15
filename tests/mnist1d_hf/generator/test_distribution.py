"""The fast stream draws from the distribution of the reference: two-sample tests that do notice a wrong recipe."""

import numpy as np
import pytest
from two_samples import ALPHA, discrepancies, ks_distance

from mnist1d_hf import make_mnist1d

EXAMPLES = 60_000


def raw(stream, **changes):
    """Signals before normalisation, so that the scale counts too, and labels."""
    arrays = make_mnist1d(stream=stream, num_samples=EXAMPLES, train_split=1.0, **changes)
    return arrays.train.x.astype(np.float64) * arrays.std + arrays.mean, arrays.train.y


@pytest.fixture(scope="module")
def reference():
    return raw("reference")


def test_both_streams_have_the_same_distribution(reference):
    found = discrepancies(reference, raw("fast"))
    assert max(found.values()) < 1, found


@pytest.mark.parametrize(
    "changes",
    [
        {"final_seq_length": 72},
        {"max_translation": 1, "iid_noise_scale": 0.1},
        {"padding": (0, 30), "template_len": 20, "corr_noise_scale": 0.5, "flip_seq": True},
    ],
    ids=str,
)
def test_so_they_have_for_other_recipes(changes):
    found = discrepancies(raw("reference", **changes), raw("fast", **changes))
    assert max(found.values()) < 1, found


@pytest.mark.parametrize(
    "wrong",
    [
        {"iid_noise_scale": 0.03},
        {"corr_noise_scale": 0.27},
        {"scale_coeff": 0.8},
        {"shear_scale": 0.9},
        {"max_translation": 47},
        {"padding": (40, 60)},
        {"padding": (36, 56)},
        {"template_len": 13},
        {"flip_seq": True},
    ],
    ids=str,
)
def test_the_same_tests_reject_a_recipe_that_is_slightly_off(reference, wrong):
    found = discrepancies(reference, raw("fast", **wrong))
    assert max(found.values()) > 1, found


def test_they_reject_labels_that_do_not_belong_to_the_signals(reference):
    x, y = raw("fast")
    found = discrepancies(reference, (x, np.where(np.arange(len(y)) % 10 == 0, (y + 1) % 10, y)))
    assert max(found.values()) > 1, found


def test_the_two_sample_statistic_is_right_and_its_threshold_holds_under_the_null():
    assert ks_distance(np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0])) == pytest.approx(1 / 3)
    assert ks_distance(np.zeros(5), np.zeros(9)) == 0
    assert ks_distance(np.zeros(5), np.ones(9)) == 1
    random = np.random.RandomState(0)
    # At level 5 % the Kolmogorov bound is exceeded in at most about 5 % of pairs from one distribution.
    critical = np.sqrt(-np.log(0.05 / 2) / 2 * 2 / 200)
    exceeded = [ks_distance(random.standard_normal(200), random.standard_normal(200)) > critical for _ in range(2000)]
    assert 0.01 < np.mean(exceeded) < 0.065
    assert ALPHA <= 1e-6

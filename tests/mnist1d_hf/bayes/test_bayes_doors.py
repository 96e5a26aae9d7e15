"""What the public functions accept, refuse and say; scikit-learn's manner; the committed files."""

import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from mnist1d_hf import RECIPES, Recipe, Templates, digit_templates, make_mnist1d, make_slice
from mnist1d_hf.bayes import (
    BayesClassifier,
    bayes_limits,
    frozen_posterior,
    latent_posterior,
    log_evidence,
    log_posterior,
)
from mnist1d_hf.bayes.limits import committed_limits

X = np.zeros((3, 40))
FEW = {"padding": (40, 42), "max_translation": 12, "iid_noise_scale": 0.1}
FUNCTIONS = [log_posterior, log_evidence, latent_posterior]
REFUSED = {
    "no noise": ({"recipe": "no-noise"}, "iid_noise_scale=0.0.*iid_noise_scale > 0"),
    "hardly any noise": ({"iid_noise_scale": 9e-6}, "too small for an exact posterior.*at least 1e-05"),
    "hardly any beside the other": (
        {"iid_noise_scale": 1e-5, "corr_noise_scale": 1e3},
        "too small beside corr_noise_scale=1000.0",
    ),
    "too many components": ({"padding": (0, 2000), "max_translation": 4000}, r"tables of \d+\.\d GB, more than 2 GB"),
    "unknown config": ({"recipe": "high-nois"}, "did you mean 'high-noise'"),
    "unknown field": ({"iid_noise": 1}, "not a field of a recipe"),
    "unknown stream": ({"stream": "slow"}, "stream='slow' is not known"),
    "templates with fast": ({"stream": "fast", "templates": digit_templates()}, "for stream='reference'"),
    "mean alone": ({"mean": 0.0}, "give both or neither"),
    "std of zero": (
        {"mean": 0.0, "std": 0.0},
        "std=0.0 must be above 0.*: it is what the raw signals",
    ),
    "mean of nothing": ({"mean": float("nan"), "std": 1.0}, "mean=nan must be a number from -1e.100 to 1e.100"),
    "permutation too short": ({"permutation": [0, 1]}, "each of 0 to 39 once"),
    "permutation with a double": ({"permutation": [0, *range(39)]}, "each of 0 to 39 once"),
    "no workers": ({"workers": 0}, "workers=0 must be at least 1"),
    "workers by name": ({"workers": "two"}, "workers='two' must be an integer"),
    "one signal": ({"x": X[0]}, r"of one signal: x\[None\]"),
    "wrong length": ({"x": X[:, :39]}, r"\(3, 39\) must be \(n, 40\)"),
    "not finite": ({"x": np.where(np.eye(3, 40) > 0, np.nan, 0)[1:]}, "2 signals that are not finite.* row 0"),
    "infinite": ({"x": np.full((1, 40), np.inf)}, "not finite"),
    "texts": ({"x": np.full((1, 40), "a")}, "must be numbers"),
    "ragged": ({"x": [[0.0] * 40, [0.0] * 39]}, "x must be an array, all rows of one length"),
    "masked": ({"x": np.ma.masked_less(X - np.eye(3, 40), 0)}, "x has masked values"),
    "ragged permutation": ({"permutation": [[0], [1, 2]]}, "permutation must be an array"),
    "std beyond all floats": ({"mean": 0.0, "std": 10**400}, "std=.* must be above 0 and at most 1e.100"),
    "complex mean": ({"mean": np.complex128(1j), "std": 1.0}, "mean=.* must be a number from -1e.100"),
    "several means": ({"mean": np.zeros(2), "std": 1.0}, "mean=.* must be a number from -1e.100"),
    "splits": ({"x": {"train": X}}, r'pick a split, ds\["train"\]'),
}


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_and_the_remedy_named(function, case):
    arguments, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        function(**{"x": X, **arguments})


def test_signals_may_come_as_rows_of_a_data_set_or_as_any_tensor():
    x = make_slice("high-noise", "test", 0, 3).x
    expected = log_posterior(x, **FEW)
    wanting = torch.tensor(x, requires_grad=True)
    for same in (x.tolist(), {"x": x.tolist(), "y": [0, 0, 0]}, wanting, list(wanting.detach())):
        assert np.array_equal(log_posterior(same, **FEW), expected)
    assert np.abs(log_posterior(wanting.bfloat16(), **FEW) - expected).max() < 100  # NumPy has no such type


def test_a_score_needs_a_label_for_each_signal():
    x, y = X + np.eye(3, 40), np.array([1, 2, 3])
    classifier = BayesClassifier(Recipe(**FEW))
    assert classifier.score(x, y) == classifier.score(x, torch.tensor(y)) == classifier.score(x, y.tolist())
    for other in (y[:1], y[:2], y[:, None], 1, [[1], [2, 3], [4]]):
        with pytest.raises(ValueError, match=r"^y (of|must)"):
            classifier.score(x, other)
        with pytest.raises(ValueError, match=r"^y (of|must)"):
            classifier.fit(x, other)


def test_labels_are_clean_or_noisy():
    with pytest.raises(ValueError, match="labels='dirty' must be one of 'clean', 'noisy'"):
        log_posterior(X, labels="dirty")


def test_noisy_labels_are_a_mixture_with_the_uniform():
    x = make_slice("label-noise", "train", 0, 20, **FEW).x
    clean = np.exp(log_posterior(x, "label-noise", stream="fast", **FEW))
    noisy = log_posterior(x, "label-noise", stream="fast", labels="noisy", **FEW)
    np.testing.assert_allclose(np.exp(noisy), 0.85 * clean + 0.015, rtol=1e-12)
    every = log_posterior(x, stream="fast", labels="noisy", label_noise=1.0, **FEW)
    np.testing.assert_allclose(every, np.log(0.1))


def test_noisy_labels_are_as_probable_as_they_are_said_to_be():
    """Against the labels of train: the loss is the entropy, and for the clean posterior it is not."""
    limits = bayes_limits("label-noise", n=2000, labels="noisy", **FEW)
    gap = abs(limits.label_loss.mean - limits.entropy.mean)
    assert gap < 3 * limits.label_loss.error
    drawn = make_slice("label-noise", "train", 0, 2000, **FEW)
    clean = log_posterior(drawn.x, "label-noise", stream="fast", **FEW)
    assert -clean[np.arange(2000), drawn.y].mean() > 3 * limits.label_loss.mean


def test_templates_of_ones_own_and_labels_that_several_share():
    ten = digit_templates()
    own = Templates(x=ten.x[[3, 6, 1]], t=ten.t, y=np.array([7, 2, 7]))
    recipe = Recipe(num_samples=300, max_translation=3)
    data = make_mnist1d(recipe, templates=own)
    log_p = log_posterior(data.test.x, recipe, templates=own)
    assert log_p.shape == (60, 2)
    np.testing.assert_allclose(np.exp(log_p).sum(axis=1), 1)
    assert (np.array([2, 7])[log_p.argmax(axis=1)] == data.test.y).all()
    noisy = log_posterior(data.test.x, recipe, templates=own, labels="noisy", label_noise=1.0)
    np.testing.assert_allclose(np.exp(noisy), np.broadcast_to([1 / 3, 2 / 3], (60, 2)))  # as often as templates have it
    assert bayes_limits(recipe, templates=own, n=60).label_accuracy.mean == 1


def test_evidence_tells_what_is_out_of_distribution():
    own = make_slice("default", "test", 0, 50, max_translation=4).x
    other = make_slice("default", "test", 0, 50, max_translation=4, iid_noise_scale=0.1).x
    inside, outside = (log_evidence(x, stream="fast", max_translation=4) for x in (own, other))
    assert inside.min() > outside.max()


def test_limits_agree_with_themselves():
    limits = bayes_limits("high-noise", n=500, padding=(40, 42), max_translation=12)
    assert abs(limits.accuracy.mean - limits.label_accuracy.mean) < 3 * limits.label_accuracy.error
    assert abs(limits.entropy.mean - limits.label_loss.mean) < 3 * limits.label_loss.error
    assert limits.accuracy.error < limits.label_accuracy.error  # no label, less noise
    assert limits == type(limits).from_dict(limits.as_dict())
    for wrong in (1, 2.5, True, "many"):
        with pytest.raises(ValueError, match=re.escape(f"n={wrong!r} must be ")):
            bayes_limits(n=wrong)


class TestClassifier:
    data = make_mnist1d("no-shift", num_samples=200)
    classifier = BayesClassifier(Recipe(max_translation=1, num_samples=200))

    def test_predicts_what_log_posterior_says(self):
        x, y = self.data.test.x, self.data.test.y
        fitted = self.classifier.fit(self.data.train.x, self.data.train.y)
        assert fitted is self.classifier
        assert fitted.n_features_in_ == 40
        assert fitted.score(x, y) == 1
        np.testing.assert_array_equal(fitted.predict(x), y)
        expected = log_posterior(x, "no-shift", num_samples=200)
        np.testing.assert_array_equal(fitted.predict_log_proba(x), expected)
        np.testing.assert_allclose(fitted.predict_proba(x).sum(axis=1), 1)

    def test_stands_where_one_of_scikit_learn_can(self):
        copy = clone(self.classifier)
        assert copy.get_params() == self.classifier.get_params()
        assert (cross_val_score(copy, self.data.train.x, self.data.train.y, cv=2) == 1).all()
        assert make_pipeline(copy).fit(self.data.test.x).score(self.data.test.x, self.data.test.y) == 1
        assert copy.set_params(recipe="default", workers=2).workers == 2
        with pytest.raises(ValueError, match="no parameter"):
            copy.set_params(depth=3)

    def test_refuses_labels_that_no_template_has_and_signals_of_another_length(self):
        with pytest.raises(ValueError, match=r"labels \[10\]"):
            self.classifier.fit(self.data.train.x[:2], [1, 10])
        with pytest.raises(ValueError, match=r"\(n, 40\)"):
            self.classifier.fit(self.data.train.x[:2, :39])


class TestCommitted:
    def test_the_frozen_posteriors_are_those_of_the_frozen_data(self):
        frozen, data = frozen_posterior(), make_mnist1d()
        assert frozen.train.shape == (4000, 10)
        assert frozen.test.shape == (1000, 10)
        rows = np.random.default_rng().choice(4000, 60, replace=False)
        np.testing.assert_allclose(frozen.train[rows], log_posterior(data.train.x[rows]), rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(frozen.test[:60], log_posterior(data.test.x[:60]), rtol=1e-6, atol=1e-6)

    def test_no_frozen_signal_is_taken_for_another_digit(self):
        frozen, data = frozen_posterior(), make_mnist1d()
        assert (frozen.test.argmax(axis=1) == data.test.y).all()
        assert (frozen.train.argmax(axis=1) == data.train.y).all()
        assert np.isfinite(frozen.train).all()

    def test_every_config_with_noise_has_limits_and_they_are_these(self):
        limits = committed_limits()
        assert set(limits) == {name for name, named in RECIPES.items() if named.recipe.iid_noise_scale > 0}
        again = bayes_limits("high-noise", n=150)
        spread = np.hypot(again.accuracy.error, limits["high-noise"].accuracy.error)
        assert abs(again.accuracy.mean - limits["high-noise"].accuracy.mean) < 4 * spread

    def test_reading_them_needs_no_scipy(self, python):
        printed = python(
            "import sys\n"
            "sys.modules['scipy'] = None\n"
            "from mnist1d_hf.bayes import frozen_posterior, log_posterior\n"
            "from mnist1d_hf.bayes.limits import committed_limits\n"
            "print(frozen_posterior().test.shape, len(committed_limits()) > 10)\n"
            "try:\n    log_posterior([[0.0] * 40])\n"
            "except ImportError as error:\n    print(error)\n"
            "from lightning_module.commands.data import main\n"
            "print(main(['limits']))"  # its error goes to the other stream
        )
        assert printed == (
            '(1000, 10) True\nscipy is needed here and is not installed: pip install "mnist1d-hf[bayes]"\n2\n'
        )

"""Beside the installed reference: the same data, and the same global random state afterwards."""

import random
import sys

import mnist1d as reference
import mnist1d.data
import numpy as np
import pytest

from mnist1d_hf import compat

PACKAGES = [(reference, sys.modules["mnist1d.transform"]), (compat, sys.modules["mnist1d_hf.compat.transform"])]


def state():
    """Both global random states, comparable."""
    algorithm, key, *rest = np.random.get_state()
    return random.getstate(), (algorithm, key.tolist(), *rest)


def made(package, changes, template=None):
    args = package.get_dataset_args()
    for name, value in changes.items():
        setattr(args, name, value)
    return package.data.make_dataset(args, template=template)


CHANGES = {
    "default": {"num_samples": 300},
    "a remainder": {"num_samples": 237, "seed": 7},
    "an odd length": {"num_samples": 50, "padding": (36, 61), "seed": 2**32 - 1},
    "an array for padding": {"num_samples": 50, "padding": np.array([10, 20])},
    "shuffled points": {"num_samples": 50, "shuffle_seq": 1},
    "all to train": {"num_samples": 50, "train_split": 1},
    "numpy's numbers": {"num_samples": np.int64(50), "train_split": np.float32(0.5), "shear_scale": np.float64(0.5)},
    "negative scales": {"num_samples": 50, "scale_coeff": -0.4, "shear_scale": -1, "corr_noise_scale": -0.25},
    "a scale for each point": {"num_samples": 50, "corr_noise_scale": np.linspace(0, 1, 72), "shuffle_seq": True},
    "a list of shifts": {"num_samples": 50, "max_translation": [0, 12, -5, 100]},
    "no points of the template": {"num_samples": 50, "template_len": 0},
    "one point": {"num_samples": 50, "final_seq_length": 1},
}


@pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
def test_make_dataset_is_the_references_and_leaves_what_it_leaves(changes):
    outcomes = []
    for package, _ in PACKAGES:
        compat.set_seed(99)
        outcomes.append((made(package, changes), state()))
    (theirs, left), (ours, left_by_us) = outcomes
    assert left_by_us == left
    assert list(ours) == list(theirs)
    for name in ("x", "x_test", "t"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=1e-12, err_msg=name)
    for name in ("y", "y_test"):
        assert np.array_equal(ours[name], theirs[name])


def test_fewer_templates_than_digits_and_examples():
    template = {"x": np.random.RandomState(0).randn(3, 9), "t": np.arange(9.0), "y": np.array(["a", "b", "c"])}
    (theirs, left), (ours, left_by_us) = (
        (made(package, {"num_samples": 4}, template), state()) for package, _ in PACKAGES
    )
    assert left_by_us == left
    np.testing.assert_allclose(ours["x"], theirs["x"], rtol=0, atol=1e-12)
    assert ours["y"].tolist() == theirs["y"].tolist()


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_set_seed_sets_what_the_reference_sets(seed):
    states = []
    for package, _ in PACKAGES:
        package.set_seed(seed)
        states.append(state())
    assert states[0] == states[1]


SHAPES = [(12,), (1,), (7, 7), (12, 5), (5, 12), (1, 12), (12, 1), (4, 5, 6), (1, 1)]
CALLS = {
    "pad": [((3, 9),), ([0, 0],)],
    "shear": [(), (0.75,)],
    "translate": [(48,), (1,), ([1, 2, -3],)],
    "corr_noise_like": [(0.5,)],
    "iid_noise_like": [(0.5,)],
    "interpolate": [(20,), (1,), (5,)],
}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # the reference's, for a signal of one point
@pytest.mark.parametrize("kind", [float, int], ids=["floats", "integers"])
@pytest.mark.parametrize("name", CALLS)
def test_a_function_on_signals_takes_what_the_reference_takes(name, kind):
    """Of any shape, along the same axes, with as many draws; where the reference refuses, nothing is asked."""
    compared = 0
    for shape in SHAPES:
        x = (5 * np.random.RandomState(0).randn(*shape)).astype(kind)
        for arguments in CALLS[name]:
            outcomes = []
            for _, functions in PACKAGES:
                np.random.seed(5)
                try:
                    outcomes.append((getattr(functions, name)(x, *arguments), np.random.rand()))
                except ValueError as error:
                    outcomes.append(error)
            theirs, ours = outcomes
            if isinstance(theirs, ValueError) or not np.isfinite(theirs[0]).all():
                continue
            assert ours[0].shape == theirs[0].shape, (shape, arguments)
            assert ours[0].dtype == theirs[0].dtype, (shape, arguments)
            np.testing.assert_allclose(ours[0], theirs[0], rtol=0, atol=1e-12)
            assert ours[1] == theirs[1], (shape, arguments)
            compared += 1
    assert compared >= len(SHAPES) - 2


def test_a_ramp_that_does_not_fit_is_said():
    with pytest.raises(ValueError, match=r"shape \(12, 5\), and a ramp of 12 points .* one by one"):
        compat.shear(np.zeros((12, 5)))

from statistics import NormalDist

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recipes_strategy import recipes

from mnist1d_hf.generator import draws
from mnist1d_hf.generator.recipe import DEFAULT, Recipe


def concatenated(recipe):
    chunks = list(draws.reference_draws(recipe, np.random.RandomState(recipe.seed)))
    return {name: np.concatenate([getattr(chunk, name) for chunk in chunks]) for name in vars(chunks[0])}


@settings(max_examples=25)
@given(recipes())
def test_reference_draws_are_the_published_ones_in_their_order(recipe):
    found = concatenated(recipe)
    random = np.random.RandomState(recipe.seed)
    per_class = recipe.num_samples // 10
    assert found["label"].tolist() == [digit for digit in range(10) for _ in range(per_class)]
    for row in range(10 * per_class):
        low, high = recipe.padding
        assert found["padding"][row] == low + int(random.rand() * (high - low + 1))
        assert found["scale"][row] == 1 + recipe.scale_coeff * (random.rand() - 0.5)
        assert found["shift"][row] == random.choice(recipe.max_translation)
        assert np.array_equal(found["corr_noise"][row], random.randn(recipe.dilated_length))
        assert np.array_equal(found["iid_noise"][row], random.randn(recipe.dilated_length))
        assert found["shear"][row] == recipe.shear_scale * (random.rand() - 0.5)


def test_the_size_of_the_chunks_does_not_change_what_is_drawn(monkeypatch):
    recipe = Recipe(num_samples=230, template_len=3, padding=(0, 8))  # 11 points: an odd number of normals a noise
    whole = concatenated(recipe)
    monkeypatch.setattr(draws, "_CHUNK_SIZE", 7)
    assert len(list(draws.reference_draws(recipe, np.random.RandomState(0)))) == 33
    for name, column in concatenated(recipe).items():
        assert np.array_equal(column, whole[name]), name


def test_other_numbers_of_classes_share_the_examples():
    chunks = draws.reference_draws(Recipe(num_samples=20), np.random.RandomState(0), classes=3)
    assert np.concatenate([chunk.label for chunk in chunks]).tolist() == [0] * 6 + [1] * 6 + [2] * 6


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("block", [0, 1, 10**9])
def test_every_fast_block_is_balanced_and_inside_the_recipes_bounds(split, block):
    recipe = Recipe(padding=(2, 5), scale_coeff=0.4, max_translation=7, shear_scale=0.8)
    found = draws.fast_draws(recipe, split, block)
    assert np.bincount(found.label).tolist() == [draws.BLOCK_SIZE // 10] * 10
    assert set(found.padding) == {2, 3, 4, 5}
    assert set(found.shift) == set(range(7))
    # 1000 uniform draws come within 2 % of both ends but for a probability of 4e-9.
    for values, low, high in ((found.scale, 0.8, 1.2), (found.shear, -0.4, 0.4)):
        margin = 0.02 * (high - low)
        assert low <= values.min() < low + margin
        assert high - margin < values.max() <= high
    for noise in (found.corr_noise, found.iid_noise):
        assert noise.dtype == np.float32
        assert noise.shape == (1000, 17)
        assert abs(noise.mean()) < 5 / np.sqrt(noise.size)
        assert abs(noise.std() - 1) < 5 / np.sqrt(2 * noise.size)


def normality(first, second):
    """Distances of pairs of numbers from independent standard normals, in standard errors; about 1 if they are such."""
    n = first.size
    normal = NormalDist()
    edges = np.array([normal.inv_cdf(part / 100) for part in range(1, 100)])
    distances = {}
    for name, z in (("first", first), ("second", second)):
        counts = np.bincount(np.searchsorted(edges, z), minlength=100)
        chi_squared = float(((counts - n / 100) ** 2 / (n / 100)).sum())  # of 99 degrees: mean 99, variance 198
        distances[f"histogram of {name}"] = (chi_squared - 99) / np.sqrt(198)
        for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96), (6, 15, 10_170)):
            distances[f"moment {power} of {name}"] = ((z**power).mean() - mean) / np.sqrt(variance / n)
        beyond = 2 * normal.cdf(-4.0)
        distances[f"tail of {name}"] = ((np.abs(z) > 4).mean() - beyond) / np.sqrt(beyond / n)
    distances["covariance"] = (first * second).mean() * np.sqrt(n)
    distances["covariance of squares"] = ((first**2 - 1) * (second**2 - 1)).mean() / 2 * np.sqrt(n)
    distances["skew pairs"] = (first * (second**2 - 1)).mean() / np.sqrt(2) * np.sqrt(n)
    return {name: abs(float(distance)) for name, distance in distances.items()}


def test_fast_noise_is_standard_normal_and_independent_in_every_direction():
    blocks = [draws.fast_draws(DEFAULT, "train", block) for block in range(10)]
    correlated, iid = (
        np.stack([getattr(one, name) for one in blocks]).astype(float) for name in ("corr_noise", "iid_noise")
    )
    pairs = {
        "the two noises at one point": (correlated, iid),
        "neighbouring points": (iid[:, :, 1:], iid[:, :, :-1]),
        "neighbouring examples": (correlated[:, 1:], correlated[:, :-1]),
        "neighbouring blocks": (iid[1:], iid[:-1]),
    }
    for name, (first, second) in pairs.items():
        found = normality(first.ravel(), second.ravel())
        assert max(found.values()) < 5, (name, found)


def test_the_same_distances_reject_what_is_only_nearly_normal():
    random = np.random.RandomState(0)
    n = 400_000
    normal, other = random.standard_normal((2, n))
    assert max(normality(normal, other).values()) < 5
    twelve = random.random_sample((12, n)).sum(axis=0) - 6  # mean 0, variance 1, tails too light
    for wrong in (
        (1.01 * normal, other),
        (normal, twelve),
        (normal, random.standard_t(30, n)),
        (normal, np.abs(normal) * np.sign(other)),
    ):
        assert max(normality(*wrong).values()) > 5


def test_fast_blocks_repeat_and_share_nothing():
    keys = [(seed, split, block) for seed in (0, 1, 42) for split in ("train", "test") for block in (0, 1, 2)]
    drawn = [draws.fast_draws(Recipe(seed=seed), split, block) for seed, split, block in keys]
    again = draws.fast_draws(Recipe(seed=1), "test", 2)
    assert np.array_equal(again.iid_noise, drawn[keys.index((1, "test", 2))].iid_noise)
    values = np.concatenate([one.iid_noise.ravel()[:2000] for one in drawn])
    # Float32 normals are not all distinct by themselves; a shared generator would repeat at least 2000 of 36,000.
    assert len(np.unique(values)) > len(values) - 500
    assert len({tuple(one.label[:30]) for one in drawn}) == len(drawn)


def test_noise_is_drawn_where_its_scale_is_zero_so_that_the_rest_stays():
    silent = DEFAULT.replace(corr_noise_scale=0, iid_noise_scale=0, shear_scale=0, scale_coeff=0)
    loud, quiet = (draws.fast_draws(recipe, "train", 3) for recipe in (DEFAULT, silent))
    assert np.array_equal(loud.shift, quiet.shift)
    assert np.array_equal(loud.iid_noise, quiet.iid_noise)
    assert set(quiet.scale) == {1.0}
    assert set(quiet.shear) == {0.0}


def test_the_fast_permutation_is_one_and_depends_on_the_seed():
    first, second = (draws.fast_permutation(Recipe(seed=seed)) for seed in (1, 2))
    assert sorted(first) == list(range(40))
    assert not np.array_equal(first, second)
    assert np.array_equal(first, draws.fast_permutation(Recipe(seed=1, num_samples=99, iid_noise_scale=0)))


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.lists(st.integers(0, 9), max_size=60))
def test_reference_label_noise_is_the_naive_one(seed, probability, labels):
    recipe = Recipe(label_noise=probability, label_noise_seed=seed)
    noisy = draws.reference_label_noise(recipe, np.array(labels, dtype=np.int64), np.arange(10))
    assert noisy.dtype == np.int64
    assert noisy.tolist() == naive.noisy(labels, len(labels), {"label_noise": probability, "label_noise_seed": seed})


def test_fast_label_noise_differs_from_block_to_block_and_not_with_the_data_seed():
    clean = np.zeros(draws.BLOCK_SIZE, dtype=np.int64)
    recipe = Recipe(label_noise=0.5, label_noise_seed=3)
    first = draws.fast_label_noise(recipe, 0, clean)
    assert not np.array_equal(first, draws.fast_label_noise(recipe, 1, clean))
    assert not np.array_equal(first, draws.fast_label_noise(recipe.replace(label_noise_seed=4), 0, clean))
    assert np.array_equal(first, draws.fast_label_noise(recipe.replace(seed=1), 0, clean))
    assert set(first) == set(range(10))

from dataclasses import asdict, replace

import naive
import numpy as np
import pytest
from hypothesis import given, settings
from recipes_strategy import recipes

from mnist1d_hf.generator.draws import Draws, fast_draws, reference_draws
from mnist1d_hf.generator.recipe import Recipe
from mnist1d_hf.generator.stages import STAGES, apply, apply_traced, dilated_templates, positions
from mnist1d_hf.generator.templates import digit_templates

DIGITS = digit_templates()


def drawn(recipe):
    return next(reference_draws(recipe, np.random.RandomState(recipe.seed)))


def in_precision(draws: Draws, dtype) -> Draws:
    real = ("scale", "shear", "corr_noise", "iid_noise")
    return replace(draws, **{name: getattr(draws, name).astype(dtype) for name in real})


@settings(max_examples=30)
@given(recipes())
def test_every_stage_is_the_naive_one(recipe):
    traced = apply_traced(recipe, drawn(recipe), dilated_templates(recipe, DIGITS), DIGITS)
    assert tuple(traced) == STAGES
    random = np.random.RandomState(recipe.seed)
    curves, _ = naive.templates()
    rows = [curve for curve in curves for _ in range(recipe.num_samples // 10)]
    for row, curve in enumerate(rows):
        expected, _ = naive.example(curve, asdict(recipe), random)
        for stage in STAGES:
            found = traced[stage][row]
            kept = found[~np.isnan(found)] if stage == "pad" else found
            np.testing.assert_allclose(kept, expected[stage], rtol=0, atol=1e-14, err_msg=stage)


@settings(max_examples=30)
@given(recipes())
def test_with_and_without_a_trace_the_last_bit_is_the_same(recipe):
    dilated = dilated_templates(recipe, DIGITS)
    draws = drawn(recipe)
    assert np.array_equal(apply(recipe, draws, dilated), apply_traced(recipe, draws, dilated, DIGITS)["resample"])


@settings(max_examples=30)
@given(recipes())
def test_single_precision_is_double_precision_but_for_rounding(recipe):
    dilated = dilated_templates(recipe, DIGITS)
    # The same draws: rounded to single precision first, then used in both.
    single = in_precision(drawn(recipe), np.float32)
    coarse, fine = (apply(recipe, in_precision(single, dtype), dilated) for dtype in (np.float32, np.float64))
    assert (coarse.dtype, fine.dtype) == (np.float32, np.float64)
    np.testing.assert_allclose(coarse, fine, rtol=0, atol=1e-5)


def test_fast_draws_make_single_precision_within_1e5_of_double():
    recipe = Recipe()
    dilated = dilated_templates(recipe, DIGITS)
    draws = fast_draws(recipe, "train", 0)
    coarse, fine = (apply(recipe, in_precision(draws, dtype), dilated) for dtype in (np.float32, np.float64))
    assert coarse.dtype == np.float32
    np.testing.assert_allclose(coarse, fine, rtol=0, atol=1e-6)
    assert np.abs(coarse - fine).max() > 0  # or the comparison would not be one


@pytest.mark.parametrize("recipe", [Recipe(), Recipe(template_len=5, padding=(0, 3), final_seq_length=2)], ids=str)
def test_the_table_holds_every_padding_of_every_digit(recipe):
    table = dilated_templates(recipe, DIGITS)
    low, high = recipe.padding
    assert table.shape == (high - low + 1, 10, recipe.dilated_length)
    curves, _ = naive.templates()
    for padding in range(low, high + 1):
        for digit, curve in enumerate(curves):
            padded = [height + 1e-8 for height in curve] + [0.0] * padding
            expected = naive.interpolate(padded, recipe.dilated_length)
            np.testing.assert_allclose(table[padding - low, digit], expected, rtol=0, atol=1e-15)


def test_positions_are_equidistant_from_end_to_end():
    t = positions(Recipe(final_seq_length=7), DIGITS)
    np.testing.assert_allclose(t, np.linspace(-5 / 6, 5 / 6, 7), atol=1e-15)

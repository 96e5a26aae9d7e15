"""The recipe sweep at its smallest: against a bare loop, NumPy's least squares, and data made by hand."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_module import make_network
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import TEST_SEED
from lightning_module.studies.framework.quantities import Slope, value
from lightning_module.studies.recipe_sweep.claims import AXES, DEFAULTS, lead, slope
from lightning_module.studies.recipe_sweep.study import STUDY, RecipeSweepConfig, cells, log_odds
from mnist1d_hf import Recipe, make_slice

STEPS, TESTS = 3, 200


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("recipe_sweep"))


def bare_loop(name, recipe, seed):
    """The published loop, by torch alone, on a draw of the recipe; returns its accuracy on the fresh tests."""
    torch.manual_seed(seed)
    network = make_network(name, length=recipe.final_seq_length)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    train = make_slice(recipe.replace(seed=seed), "train", 0, 100 * STEPS)
    test = make_slice(recipe.replace(seed=TEST_SEED), "test", 0, TESTS)
    x, y = torch.tensor(train.x).float(), torch.tensor(train.y).long()
    for step in range(STEPS):
        rows = slice(100 * step, 100 * step + 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimizer.step()
    with torch.no_grad():
        return float((network(torch.tensor(test.x).float()).argmax(1) == torch.tensor(test.y)).float().mean())


@pytest.mark.parametrize("changes", [{"final_seq_length": 80}, {"max_translation": 1}, {"iid_noise_scale": 0.08}])
@pytest.mark.parametrize("name", ["logistic", "mlp", "cnn", "gru"])
def test_a_row_is_the_published_loop_on_that_recipe(result, name, changes):
    rows = result.rows[(result.rows.network == name) & (result.rows.seed == 1) & (result.rows["on"] == "fresh test")]
    for axis, level in {**DEFAULTS, **changes}.items():
        rows = rows[rows[axis] == level]
    assert len(rows) == 1
    assert rows.accuracy.iloc[0] == pytest.approx(bare_loop(name, Recipe(**changes), 1), abs=1.5 / TESTS)


def test_each_recipe_is_trained_once_and_the_default_is_on_every_axis(result):
    rows = result.rows
    assert not rows.duplicated(["network", *AXES, "seed", "on"]).any()
    for axis in AXES:
        along = rows
        for other in set(AXES) - {axis}:
            along = along[along[other] == DEFAULTS[other]]
        assert DEFAULTS[axis] in set(along[axis])
        assert set(along[axis]) == set(getattr(RecipeSweepConfig(), axis))


def test_default_levels_are_those_of_the_recipe_and_all_levels_are_recipes():
    assert {axis: getattr(Recipe(), axis) for axis in AXES} == DEFAULTS
    for cell in cells(RecipeSweepConfig()):
        Recipe(**{axis: cell[axis] for axis in AXES})  # raises where a level is none


def test_seventy_two_shifts_are_all_there_are():
    assert max(RecipeSweepConfig().max_translation) == Recipe().dilated_length


def test_levels_of_a_seed_have_the_same_random_numbers():
    quiet, noisy = (
        make_slice(Recipe(seed=3, iid_noise_scale=scale, shear_scale=0.0, corr_noise_scale=0.0), "train", 0, 50)
        for scale in (0.0, 1e-6)
    )
    np.testing.assert_allclose(quiet.x, noisy.x, atol=1e-3)
    np.testing.assert_array_equal(quiet.y, noisy.y)


@pytest.mark.parametrize("preset", ["smoke", "quick", "paper"])
def test_every_preset_has_the_levels_that_the_claims_are_about(preset):
    config = STUDY.config(preset)
    for axis, about in AXES.items():
        assert {*about.levels, DEFAULTS[axis]} <= set(getattr(config, axis))


def test_every_question_has_an_answer(result):
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims, result.tables)}
    assert verdicts.pop("smoothly-varied").finding == "not tested"
    assert all(verdict.finding != "not tested" and verdict.parts for verdict in verdicts.values())
    assert all(verdict.claim.exploratory for verdict in verdicts.values())


def test_lead_is_cnn_minus_mlp_seed_by_seed(result):
    rows = result.rows[(result.rows["on"] == "fresh test") & (result.rows.max_translation == 1)]
    by_seed = rows.pivot(index="seed", columns="network", values="accuracy")
    expected = by_seed["cnn"] - by_seed["mlp"]
    pd.testing.assert_series_equal(lead("max_translation", 1).per_unit(result.tables), expected, check_names=False)


def test_slope_is_that_of_least_squares():
    at, generator = (0.0, 1.0, 4.0, 4.5), np.random.default_rng(0)
    table = pd.DataFrame({"seed": np.repeat(range(3), 4), "level": 3 * list(at), "score": generator.normal(size=12)})
    slopes = Slope(at, tuple(value("score", level=level) for level in at)).per_unit({"rows": table})
    for seed, rows in table.groupby("seed"):
        assert slopes[seed] == pytest.approx(np.polyfit(rows.level, rows.score, 1)[0])


def test_slope_needs_places_apart_and_the_same_units():
    same = value("score", level=1.0)
    with pytest.raises(ValueError, match="two of them apart"):
        Slope((1.0, 1.0), (same, same))
    table = pd.DataFrame({"seed": [0, 1, 0], "level": [0.0, 0.0, 1.0], "score": [1.0, 2.0, 3.0]})
    with pytest.raises(ValueError, match="units"):
        Slope((0.0, 1.0), (value("score", level=0.0), same)).per_unit({"rows": table})


def test_slopes_are_per_default_or_per_doubling():
    assert slope("iid_noise_scale", "cnn").at == (0.0, 1.0, 2.0)
    lengths = slope("final_seq_length").at
    assert np.diff(lengths) == pytest.approx([1.0, 1.0])


def test_log_odds_are_finite_and_antisymmetric():
    assert log_odds(0.5, 100) == 0
    assert log_odds(1.0, 100) == pytest.approx(math.log(201), abs=1e-6)
    assert log_odds(0.2, 1000) == pytest.approx(-log_odds(0.8, 1000))
    assert log_odds(0.9, 20_000) == pytest.approx(math.log(9), abs=1e-3)


def test_figures_have_a_panel_for_each_axis(result):
    figures = {name: draw(result) for name, draw in STUDY.figures.items()}
    assert len(figures["figure"].axes) == 4
    assert len(figures["gap"].axes) == 8
    assert [axes.get_title() for axes in figures["figure"].axes] == [axis.name for axis in AXES.values()]
    for figure in figures.values():
        figure.draw_without_rendering()


def test_bands_say_nothing_of_a_run_with_fewer_steps(result):
    assert not list(STUDY.outside(result))

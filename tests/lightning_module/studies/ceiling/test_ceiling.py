"""The study of the ceiling at its smallest: against bare loops and sums, and its claims on made-up results."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from lightning_module import make_network
from lightning_module.studies.ceiling.claims import CLAIMS, NETWORKS, QUIET, share_removed
from lightning_module.studies.ceiling.config import BLOCKS, DEFAULTS, KNOBS, VALIDATION_SEED, CeilingConfig, recipes
from lightning_module.studies.ceiling.study import STUDY, cells, limits
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.data import TEST_SEED, fresh
from mnist1d_hf import Recipe, make_slice
from mnist1d_hf.bayes import log_posterior

STEPS, TESTS = 4, 40


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return STUDY.run("smoke", folder=tmp_path_factory.mktemp("ceiling"))


def bare_loop(name, recipe, seed, validation, steps=STEPS):
    """The published loop by torch alone; returns logits on the seed's test signals, those, and the validation loss."""
    torch.manual_seed(seed)
    network = make_network(name, length=recipe.final_seq_length)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    train = make_slice(recipe.replace(seed=seed), "train", 0, 100 * steps)
    x, y = torch.tensor(train.x).float(), torch.tensor(train.y).long()
    for step in range(steps):
        rows = slice(100 * step, 100 * step + 100)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(x[rows]), y[rows]).backward()
        optimizer.step()
    test = make_slice(recipe.replace(seed=TEST_SEED), "test", seed * TESTS, (seed + 1) * TESTS)
    with torch.no_grad():
        loss = torch.nn.functional.cross_entropy(network(validation.x), validation.y)
        return network(torch.tensor(test.x).float()).double(), test, float(loss)


@pytest.mark.parametrize("changes", [{}, {"iid_noise_scale": 0.08}, {"max_translation": 1}])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_row_is_the_published_loop_beside_the_posterior(result, name, changes):
    recipe, seed = Recipe(**changes), 1
    validation = fresh(VALIDATION_SEED + seed, tests=0, num_samples=50, train_split=1.0, **changes).train
    logits, test, loss = bare_loop(name, recipe, seed, validation)
    p = np.exp(log_posterior(test.x, recipe, stream="fast"))
    q = logits.softmax(1).numpy()
    rows = result.rows[(result.rows.network == name) & (result.rows.seed == seed)]
    for knob, level in {**DEFAULTS, **changes}.items():
        rows = rows[rows[knob] == level]
    final, stopped = (rows[rows.arm == arm].iloc[0] for arm in ("final", "stopped"))
    kl = np.mean(
        [sum(a * math.log(a / b) for a, b in zip(*pair, strict=True) if a > 0) for pair in zip(p, q, strict=True)]
    )
    assert final.divergence == pytest.approx(kl, abs=1e-4)
    expected = 1 - np.mean([p[i, q[i].argmax()] for i in range(TESTS)])
    assert final.error == pytest.approx(expected, abs=1e-6)
    assert final.avoidable == pytest.approx(expected - (1 - p.max(1).mean()), abs=1e-6)
    assert final.data_share == pytest.approx((1 - p.max(1).mean()) / expected, rel=1e-3, abs=1e-8)
    assert final.label_error == pytest.approx(np.mean(q.argmax(1) != test.y))
    assert final.step == STEPS
    if stopped.step == STEPS:
        assert stopped.divergence == final.divergence
    *_, early = bare_loop(name, recipe, seed, validation, steps=2)
    assert stopped.step == (2 if early < loss else STEPS)


def test_a_stored_posterior_is_the_exact_one_to_three_digits(result):
    assert len(result.arrays) == len(recipes(STUDY.presets["smoke"]))
    (name,) = (name for name in result.arrays if "iid_noise_scale=0.08" in name)
    test = make_slice(Recipe(seed=TEST_SEED, iid_noise_scale=0.08), "test", 0, TESTS)
    exact = np.exp(log_posterior(test.x, Recipe(iid_noise_scale=0.08), stream="fast"))
    np.testing.assert_allclose(result.arrays[name].astype(float), exact, atol=5e-4)


def test_the_paper_has_thirty_recipes_and_each_is_a_recipe_with_a_density():
    config = CeilingConfig()
    assert len(cells(config)) == 30
    for cell in cells(config):
        assert Recipe(**{knob: cell[knob] for knob in KNOBS}).iid_noise_scale > 0
    assert {knob: getattr(Recipe(), knob) for knob in KNOBS} == DEFAULTS


def test_no_validation_signal_is_one_to_train_or_test_on(result):
    digests = {}
    for label, what in result.data.items():
        split = what["sha256"]["test" if label.endswith(", test") else "train"]
        digests.setdefault(split["x"], []).append(label)
    assert all(len(labels) == 1 for labels in digests.values())
    # Prefixes of one stream have other digests than the whole: so the rows themselves.
    validation = fresh(VALIDATION_SEED, tests=0, num_samples=50, train_split=1.0).train.x
    for other in (fresh(0, tests=0).train.x, fresh(0, tests=2 * TESTS).test.x):
        assert not (validation[:, None] == other[None, :50]).all(-1).any()


def test_limits_are_means_over_blocks_of_the_test_signals():
    generator = np.random.default_rng(0)
    p = generator.dirichlet(np.ones(10), size=2 * BLOCKS)
    labels = np.array([generator.choice(10, p=each) for each in p])
    rows = limits(np.log(p), labels, {})
    assert len(rows) == BLOCKS
    for block, row in enumerate(rows):
        own = p[2 * block : 2 * block + 2]
        assert row["error"] == pytest.approx(1 - own.max(1).mean(), abs=1e-6)
        assert row["entropy"] == pytest.approx(-sum(x * math.log(x) for x in own.ravel()) / 2, abs=1e-6)
        assert row["label_loss"] == pytest.approx(
            -np.mean(np.log(own[[0, 1], labels[2 * block : 2 * block + 2]])), abs=1e-6
        )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"iid_noise_scale": (0.0, 0.02)}, "above 0"),
        ({"every": 7000}, "every=7000"),
        ({"tests": 30}, f"multiple of {BLOCKS}"),
        ({"validation": 1}, "validation=1"),
    ],
)
def test_numbers_that_cannot_be_are_errors_with_a_remedy(changes, words):
    with pytest.raises(ValueError, match=words):
        CeilingConfig(**changes)


def made_up(**columns):
    """A paper-scale result as it might come out: every column of a row by a function of network, recipe and arm."""
    generator = np.random.default_rng(1)
    rows, blocks = [], []
    for recipe in recipes(CeilingConfig()):
        for network in NETWORKS:
            for arm in ("final", "stopped"):
                of = {"network": network, "arm": arm, **recipe}
                for seed in range(5):
                    values = {
                        name: number(of) * math.exp(0.01 * generator.normal()) for name, number in columns.items()
                    }
                    rows.append({**of, "seed": seed, **values})
        blocks += [{**recipe, "block": b, "error": columns["least"](recipe) * (1 + b / 100)} for b in range(BLOCKS)]
    return {"rows": pd.DataFrame(rows), "limits": pd.DataFrame(blocks)}


def expected_columns():
    def share(of):
        return {0.16: 0.7}.get(of["iid_noise_scale"], 0.01)

    def avoidable(of):
        return {0.08: 0.3, 0.24: 0.1}.get(of["iid_noise_scale"], 0.2)

    return {
        "least": lambda recipe: 0.001,
        "data_share": share,
        "avoidable": avoidable,
        "removed": lambda of: 0.7 if of["arm"] == "final" else 0.03,
        "tempered_calibration_error": lambda of: 0.02,
        "tempered_divergence": lambda of: 1.0,
        "divergence": lambda of: (3.0 if of["arm"] == "final" else 1.0) * (0.2 if of["network"] == "cnn" else 1.0),
    }


DENIED = {
    "learner-not-data": {"data_share": lambda of: 0.4},
    "data-not-learner": {"data_share": lambda of: 0.05},
    "only-noise-lowers-the-ceiling": {"least": lambda recipe: 0.03},
    "noise-costs-learners-more": {"avoidable": lambda of: 0.3 if of["iid_noise_scale"] == 0.02 else 0.2},
    "avoidable-error-falls-again": {"avoidable": lambda of: of["iid_noise_scale"]},
    "temperature-after-full-training": {"removed": lambda of: 0.2},
    "temperature-after-stopping": {"removed": lambda of: 0.3},
    "calibrated-and-far": {"tempered_divergence": lambda of: 0.2},
    "stopping-removes-most": {"divergence": lambda of: 1.0 if of["arm"] == "final" else 0.8},
    "cnn-nearest-in-divergence": {"divergence": lambda of: 2.0 if of["network"] == "cnn" else 1.0},
}


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.name)
def test_each_claim_holds_on_the_result_that_it_expects_and_fails_on_the_opposite(claim):
    assert judge([claim], made_up(**expected_columns()))[0].finding == "holds"
    assert judge([claim], made_up(**{**expected_columns(), **DENIED[claim.name]}))[0].finding == "fails"


def test_the_share_removed_counts_each_recipe_once():
    tables = made_up(**expected_columns())
    rows = tables["rows"]
    chosen = rows[(rows.network == "mlp") & (rows.arm == "final")]
    assert len(chosen) == 30 * 5
    expected = chosen.groupby("seed").removed.mean()
    pd.testing.assert_series_equal(share_removed("mlp", "final").per_unit(tables), expected, check_names=False)


def test_quiet_recipes_have_the_default_noise_and_are_no_default():
    assert len(QUIET) == len(set(QUIET)) == 15
    assert not {knob for knob, _ in QUIET} & {"iid_noise_scale", "corr_noise_scale"}
    assert all(level != DEFAULTS[knob] for knob, level in QUIET)


def test_figures_have_their_panels(result):
    figures = {name: draw(result) for name, draw in STUDY.figures.items()}
    assert len(figures["figure"].axes) == 2 * len(KNOBS)
    assert len(figures["divergence"].axes) == 4 * len(KNOBS)
    assert len(figures["reliability"].axes) == 2 * 4
    for figure in figures.values():
        figure.draw_without_rendering()


def test_bands_say_nothing_of_a_run_with_fewer_steps(result):
    assert not list(STUDY.outside(result))

import numpy as np
import pytest

from lightning_module.quiz.questions import Questions
from mnist1d_hf import RECIPES, make_mnist1d, make_slice


def test_questions_are_rows_of_the_frozen_test_split():
    questions = Questions.draw(number=30, seed=1)
    test = make_mnist1d().test
    assert len(set(questions.rows)) == 30
    np.testing.assert_array_equal(questions.x, test.x[questions.rows])
    np.testing.assert_array_equal(questions.y, test.y[questions.rows])
    assert (questions.config, questions.seed, questions.are_frozen) == ("default", 1, True)


def test_the_seed_decides_which():
    assert Questions.draw(seed=1).rows == Questions.draw(seed=1).rows != Questions.draw(seed=2).rows
    assert Questions.draw().rows != Questions.draw().rows
    one = Questions.draw()
    assert Questions.draw(seed=one.seed).rows == one.rows


def test_all_of_a_split_can_be_asked_for():
    assert sorted(Questions.draw(number=1000, seed=0).rows) == list(range(1000))


@pytest.mark.parametrize("config", ["high-noise", "shuffled", "long", "large"])
def test_other_configs_have_signals_of_their_own(config):
    questions = Questions.draw(config, number=5, seed=3)
    recipe = RECIPES[config].recipe
    for row, x, y in zip(questions.rows, questions.x, questions.y, strict=True):
        split = make_slice(recipe, "test", row, row + 1) if config == "large" else make_mnist1d(recipe).test[[row]]
        np.testing.assert_array_equal(x, split.x[0])
        assert y == split.y_clean[0]
    assert not questions.are_frozen


def test_the_config_with_latents_is_the_frozen_data():
    assert Questions.draw("latents", number=1).are_frozen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"config": "high-nois"}, "there is no config 'high-nois'; did you mean 'high-noise'"),
        ({"number": 0}, "number=0 must be from 1 to 1000, the test signals of 'default'"),
        ({"number": 1001}, "number=1001 must be from 1 to 1000"),
        ({"seed": -1}, "seed=-1 must be 0 or more"),
    ],
)
def test_what_cannot_be_asked_is_an_error(changes, said):
    with pytest.raises(ValueError, match=said):
        Questions.draw(**changes)

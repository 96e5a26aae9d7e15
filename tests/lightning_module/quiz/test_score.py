import pytest
from scipy import stats

from lightning_module.quiz.score import QuizScore, published_person


@pytest.mark.parametrize(("right", "of"), [(0, 1), (1, 1), (0, 40), (40, 40), (36, 40), (383, 400), (1, 1000)])
def test_the_interval_is_wilsons(right, of):
    score = QuizScore(right, of)
    expected = stats.binomtest(right, of).proportion_ci(0.95, method="wilson")
    assert score.interval == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert score.accuracy == right / of
    low, high = score.interval
    assert 0 <= low <= score.accuracy <= high <= 1


def test_no_answers_have_no_accuracy():
    assert QuizScore.count([]).accuracy is None
    assert QuizScore.count([]).interval is None


def test_answers_are_counted():
    assert QuizScore.count(iter([True, False, True])) == QuizScore(2, 3)


def test_the_published_person_answered_400_distinct_signals():
    person = published_person()
    assert (person.right, person.of) == (383, 400)
    assert person.accuracy == 0.9575

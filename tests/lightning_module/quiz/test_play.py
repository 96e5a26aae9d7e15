import numpy as np
import pytest

from lightning_module.quiz.play import Answer, Play, in_words, read_digits, told
from lightning_module.quiz.questions import Questions
from lightning_module.quiz.score import QuizScore


class Script:
    """A terminal at which the answers are known beforehand; each takes as many seconds as it has characters."""

    def __init__(self, *typed):
        self.typed, self.said, self.prompts, self.shown, self.time = list(typed), [], [], [], 0.0

    def ask(self, prompt):
        self.prompts.append(prompt)
        if not self.typed:
            raise EOFError
        text = self.typed.pop(0)
        if text is KeyboardInterrupt:
            raise KeyboardInterrupt
        self.time += len(text)
        return text

    def say(self, text=""):
        self.said.append(text)

    def show(self, signals):
        self.shown.append(signals)


def played(*typed, number=23):
    script = Script(*typed)
    play = Play(Questions.draw(number=number, seed=5), script, clock=lambda: script.time)
    batches = [list(batch) for batch in play.batches()]
    return play, script, batches


TRUTH = [int(y) for y in Questions.draw(number=23, seed=5).y]
RIGHT = ["".join(map(str, TRUTH[first : first + 10])) for first in (0, 10, 20)]


def test_ten_at_a_time_with_everything_right():
    play, script, batches = played(*RIGHT)
    assert [len(batch) for batch in batches] == [10, 10, 3]
    assert play.is_complete
    assert play.score == QuizScore(23, 23)
    np.testing.assert_array_equal(np.concatenate(script.shown), play.questions.x)
    assert [answer.row for answer in play.answers] == play.questions.rows
    assert [answer.truth for answer in play.answers] == TRUTH
    assert script.prompts == ["1 to 10: ", "1 to 10: ", "1 to 3: "]


def test_digits_may_come_one_by_one_or_in_groups_and_the_time_is_shared_among_a_line():
    play, script, _ = played(*RIGHT[0][:3], RIGHT[0][3:5], " ", f"{RIGHT[0][5]}, {RIGHT[0][6:]}", *RIGHT[1:])
    assert play.is_complete
    assert play.score.right == 23
    assert [answer.seconds for answer in play.answers[:10]] == [1, 1, 1, 1, 1, *[7 / 5] * 5]
    assert script.prompts[:6] == ["1 to 10: ", "2 to 10: ", "3 to 10: ", "4 to 10: ", "6 to 10: ", "6 to 10: "]


def test_the_last_one_is_asked_for_by_its_number():
    _, script, _ = played(RIGHT[0][:9], RIGHT[0][9:], number=10)
    assert script.prompts == ["1 to 10: ", "10: "]


@pytest.mark.parametrize("end", [["q"], ["Q "], ["quit"], []])
def test_who_stops_keeps_what_was_answered(end):
    play, _, batches = played(RIGHT[0], "12", *end)
    assert [len(batch) for batch in batches] == [10, 2]
    assert [answer.answer for answer in play.answers[10:]] == [1, 2]
    assert not play.is_complete


def test_who_interrupts_keeps_what_was_answered():
    script = Script(RIGHT[0], "12", KeyboardInterrupt)
    play = Play(Questions.draw(number=23, seed=5), script)
    with pytest.raises(KeyboardInterrupt):
        list(play.batches())
    assert len(play.answers) == 12


def test_who_never_starts_has_no_answers():
    play, _, batches = played("q")
    assert (batches, play.answers) == ([], [])
    assert in_words(play.score, "right so far") == "0 of 0 right so far"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("12x", "'12x' was not taken: type digits from 0 to 9, or q to stop"),
        ("-1", "'-1' was not taken"),
        ("²", "'²' was not taken"),
        ("1234", "'1234' was not taken: 4 digits for 3 signals"),
    ],
)
def test_a_line_that_cannot_be_answers_is_not_taken_at_all(text, said):
    with pytest.raises(ValueError, match="was not taken") as caught:
        read_digits(text, most=3)
    assert said in str(caught.value)
    play, script, _ = played("12", text, "3", number=3)
    assert [answer.answer for answer in play.answers] == [1, 2, 3]
    assert any("was not taken" in line for line in script.said)


def test_the_truth_stands_below_the_answers_and_the_wrong_are_marked():
    batch = [Answer(0, 3, 3, 1.0), Answer(1, 4, 9, 1.0), Answer(2, 1, 1, 1.0)]
    signal, you, truth, marks, cnns = told(batch, [10, 0, 7]).split("\n")
    assert signal.split() == ["signal", "1", "2", "3"]
    assert you.split() == ["you", "3", "9", "1"]
    assert truth.split() == ["truth", "3", "4", "1"]
    assert marks.index("x") == you.index("9") == truth.index("4")
    assert cnns.split() == ["CNNs", "10", "0", "7"]
    assert "CNNs" not in told(batch)
    assert "x" not in told(batch[:1])


def test_feedback_says_how_it_stands():
    _, script, _ = played(RIGHT[0], "x", "0" * 10)
    text = "\n".join(script.said)
    assert "10 of 10 right so far: 100.0% (95 % interval 72.2% to 100.0%)" in text
    assert "Signals 11 to 20 of 23" in text

"""What rounding explains is measured: three outcomes that differ by it are alike, one that was changed stands apart."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightning_module.studies.framework.proof.likeness import NEAR, Part, apart, distances, share_near

ENTRIES = st.one_of(st.floats(width=32), st.sampled_from([0.0, -0.0, float("nan"), float("inf"), -float("inf")]))


def part(numbers, texts=None, rows=None):
    table = pd.DataFrame({"number": np.asarray(numbers, dtype="float64")})
    if texts is not None:
        table["text"] = pd.Series(texts, dtype="str")
    return Part({"rows": table}, {} if rows is None else {"a": np.asarray(rows)})


def judged(saved, ours, control):
    whole = saved
    return apart(*(distances(one, other, whole) for one, other in ((ours, saved), (control, saved), (ours, control))))


@given(st.lists(st.tuples(ENTRIES, ENTRIES), min_size=1, max_size=9))
def test_a_distance_is_0_for_the_same_number_only_and_1_at_most(pairs):
    one, other = (np.array(column) for column in zip(*pairs, strict=True))
    far = distances(part(one), part(other), part(one))["rows.number"].far
    for a, b, distance in zip(one, other, far, strict=True):
        same = a == b or (a != a and b != b)
        assert (distance == 0) == same
        assert 0 <= distance <= 1
        if np.isfinite(a) != np.isfinite(b):
            assert distance == 1
    assert np.array_equal(far, distances(part(other), part(one), part(one))["rows.number"].far)


def test_distances_are_in_units_of_the_column_but_for_one_that_diverged():
    numbers = np.linspace(0.0, 1.0, 101)
    far = distances(part(numbers[:1]), part([0.45]), part([*numbers, 1e30]))["rows.number"].far
    assert far == pytest.approx([0.5], rel=0.05)
    far = distances(part([2.0]), part([2.001]), part([2.0, 2.0, 2.0]))["rows.number"].far  # all the same: by their size
    assert far == pytest.approx([0.5])


def test_rows_that_only_one_has_are_counted_and_the_others_compared():
    one = Part({"m": pd.DataFrame({"seed": [0, 0, 1, 2], "seen": [3, 4, 3, 9], "x": [1.0, 2.0, 3.0, 4.0]})}, {})
    other = Part({"m": pd.DataFrame({"seed": [0, 1, 2], "seen": [4, 3, 9], "x": [2.0, 3.0, 0.0]})}, {})
    far = distances(one, other, one)
    assert sorted(far["the rows of m"].far) == [0, 0, 0, 1]
    assert far["m.x"].far[:2] == pytest.approx([0, 0])
    assert far["m.x"].far[2] == 1.0
    assert not any(gap.far.any() for gap in distances(one, one, one).values())


def test_texts_are_the_same_or_not():
    far = distances(
        part([1.0, 2.0, 3.0], ["a", None, "b"]), part([1.0, 2.0, 3.0], ["a", None, "c"]), part([1.0], ["a"])
    )
    assert far["rows.text"].far.tolist() == [0, 0, 1]
    assert share_near(far) == pytest.approx(8 / 9)  # 3 rows, 3 numbers, 3 texts
    assert share_near({}) == 1.0


SHAPES = {
    "as wide as seeds": lambda random, n: random.normal(size=n) * 0.1,
    "narrow": lambda random, n: random.normal(size=n) * 0.01,
    "mostly the same": lambda random, n: random.normal(size=n) * (random.random(n) < 0.3) * 0.05,
    "with some far away": lambda random, n: random.standard_t(2, size=n) * 0.03,
}


def columns(shape, n, count, change):
    """Returns in how many of so many results a changed column stands apart from two more that only rounding changed."""
    random, found = np.random.default_rng([n, count]), 0
    for _ in range(count):
        spread = np.linspace(0.0, 1.0, 101)
        plain = random.uniform(0, 1, n)
        saved, ours, *controls = (plain + SHAPES[shape](random, n) for _ in range(4))
        whole = part(spread)
        each = [
            apart(
                distances(part(ours), part(change(saved)), whole),
                distances(part(control), part(change(saved)), whole),
                distances(part(ours), part(control), whole),
            )
            for control in controls
        ]
        found += all(each)
    return found / count


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "at_most"), [(1, 0.1), (10, 0.03), (500, 0.03)])
def test_what_rounding_changed_seldom_stands_apart(shape, n, at_most):
    assert columns(shape, n, 200, lambda saved: saved) <= at_most


@pytest.mark.parametrize(
    ("shape", "n", "change"),
    [
        ("narrow", 10, lambda saved: saved + 0.05),  # three points of the accuracies of a sweep
        ("narrow", 500, lambda saved: saved + 0.03),
        ("mostly the same", 10, lambda saved: saved + 0.2),
        ("as wide as seeds", 500, lambda saved: saved + 0.5),
        ("narrow", 500, lambda saved: np.where(np.arange(len(saved)) == 3, saved + 0.5, saved)),  # one of many
        ("as wide as seeds", 500, lambda saved: saved[::-1]),
    ],
)
def test_what_was_changed_stands_apart(shape, n, change):
    assert columns(shape, n, 40, change) >= 0.95


def test_what_rounding_never_changes_may_be_near_and_no_more():
    same = part([0.1, 0.5, 0.9], ["a", "b", "c"], [1, 2, 3])
    assert judged(same, same, same) == []
    assert judged(part([0.1, 0.5 + NEAR / 4, 0.9], ["a", "b", "c"], [1, 2, 3]), same, same) == []
    assert judged(part([0.1, 0.7, 0.9], ["a", "b", "c"], [1, 2, 3]), same, same) == ["rows.number"]
    assert judged(part([0.1, 0.5, 0.9], ["a", "x", "c"], [1, 2, 3]), same, same) == ["rows.text"]
    assert judged(part([0.1, 0.5, 0.9], ["a", "b", "c"], [1, 2, 1]), same, same) == ["array a"]
    short = Part({"rows": same.tables["rows"].iloc[:2]}, same.arrays)
    assert "the rows of rows" in judged(short, same, same)


def test_of_ten_choices_rounding_may_change_one_and_of_fewer_none_without_a_sign_that_it_does():
    for n, changed, expected in ((10, 1, []), (10, 2, ["rows.text"]), (9, 1, ["rows.text"])):
        texts = ["a"] * n
        others = ["b"] * changed + ["a"] * (n - changed)
        plain, other = part(range(n), texts), part(range(n), others)
        assert judged(other, plain, plain) == expected
        assert judged(other, plain, part(range(n), ["a"] * (n - changed) + ["b"] * changed)) == []


def test_rows_that_nothing_tells_apart_are_not_matched():
    far = distances(part([1.0, 2.0]), part([1.0]), part([1.0, 2.0]))
    assert far["the rows of rows"].far.tolist() == [1, 1, 1]
    assert far["rows.number"].far.size == 0

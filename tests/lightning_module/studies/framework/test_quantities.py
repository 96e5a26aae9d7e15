import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_module.studies.framework.quantities import (
    NoRowsError,
    Unpaired,
    largest,
    mean_of,
    proportion,
    smallest,
    value,
)
from lightning_module.studies.framework.result import table_of

ROWS = [
    {"network": network, "seed": seed, "step": step, "accuracy": base + seed / 100 + step / 1000}
    for network, base in (("cnn", 0.9), ("mlp", 0.6))
    for seed in range(3)
    for step in (10, 20)
]
TABLES = {"rows": table_of(ROWS), "people": table_of([{"hits": 96, "trials": 100}, {"hits": 94, "trials": 100}])}


def cnn(**where):
    return value("accuracy", network="cnn", **where)


def numbers(quantity, tables=TABLES):
    return pytest.approx(dict(quantity.per_unit(tables)))


def test_value_has_a_number_for_each_seed():
    assert numbers(cnn(step=20)) == {0: 0.92, 1: 0.93, 2: 0.94}
    assert numbers(cnn()) == {0: 0.915, 1: 0.925, 2: 0.935}  # the mean of its rows
    assert numbers(cnn(step=(10, 20), seed=1)) == {1: 0.925}
    assert numbers(value("accuracy", unit="network", step=10)) == {"cnn": 0.92, "mlp": 0.62}


def test_differences_and_ratios_go_unit_by_unit():
    mlp = value("accuracy", network="mlp", step=20)
    assert numbers(cnn(step=20) - mlp) == {0: 0.3, 1: 0.3, 2: 0.3}
    assert numbers(cnn(step=20) / mlp) == {seed: (0.92 + seed / 100) / (0.62 + seed / 100) for seed in range(3)}
    assert numbers(cnn(step=20) - 0.9) == {0: 0.02, 1: 0.03, 2: 0.04}
    assert numbers(1 - cnn(step=20)) == {0: 0.08, 1: 0.07, 2: 0.06}
    assert numbers(cnn(step=20) - value("accuracy", unit=None, network="mlp")) == {
        seed: 0.92 + seed / 100 - 0.625 for seed in range(3)
    }


def test_largest_smallest_and_mean():
    mlp = value("accuracy", network="mlp", step=20)
    assert numbers(largest(cnn(step=10), cnn(step=20))) == {0: 0.92, 1: 0.93, 2: 0.94}
    assert numbers(smallest(cnn(step=20), mlp)) == {0: 0.62, 1: 0.63, 2: 0.64}
    assert numbers(mean_of(cnn(step=20), mlp)) == {0: 0.77, 1: 0.78, 2: 0.79}


def test_proportion_sums_over_rows():
    people = proportion("hits", "trials", table="people")
    assert people.counts(TABLES) == (190, 200)
    assert people.per_unit(TABLES).tolist() == [0.95]
    assert Unpaired(people, cnn(step=20)).per_unit(TABLES).tolist() == pytest.approx([0.95 - 0.93])


@pytest.mark.parametrize(
    ("quantity", "message"),
    [
        (cnn(step=30), "no rows with network='cnn', step=30"),
        (value("loss"), "no column 'loss', but network, seed, step, accuracy"),
        (value("accuracy", table="others"), "no table 'others'"),
        (value("accuracy", arm="frozen"), "no column 'arm'"),
        (value("accuracy", unit="draw"), "no column 'draw'"),
    ],
)
def test_what_is_not_there_is_named(quantity, message):
    with pytest.raises(NoRowsError, match=message):
        quantity.per_unit(TABLES)


def test_pairs_need_the_same_units():
    with pytest.raises(ValueError, match=r"units \[1\] and \[0, 1, 2\] must be the same"):
        (cnn() - cnn(seed=1)).per_unit(TABLES)


@settings(deadline=None, max_examples=40)
@given(st.permutations(ROWS))
def test_order_of_rows_is_irrelevant(rows):
    quantity = cnn(step=20) - value("accuracy", network="mlp", step=10)
    shuffled = quantity.per_unit({"rows": table_of(rows)})
    assert dict(shuffled) == dict(quantity.per_unit(TABLES))


@settings(deadline=None, max_examples=40)
@given(st.floats(-10, 10))
def test_a_constant_shifts_every_unit(shift):
    shifted = (cnn(step=20) - shift).per_unit(TABLES)
    assert dict(shifted) == pytest.approx({0: 0.92 - shift, 1: 0.93 - shift, 2: 0.94 - shift})


def test_missing_entries_are_no_rows():
    table = table_of([{"seed": 0, "accuracy": 0.5}, {"seed": 1, "accuracy": None}])
    assert dict(value("accuracy").per_unit({"rows": table})) == {0: 0.5}


def test_whole_numbers_and_truth_values_have_means():
    table = table_of([{"seed": 0, "hit": True, "count": 3}, {"seed": 0, "hit": False, "count": 4}])
    assert value("hit").per_unit({"rows": table}).tolist() == [0.5]
    assert value("count").per_unit({"rows": table}).tolist() == [3.5]


def test_order_of_conditions_is_irrelevant():
    assert repr(value("accuracy", a=1, b=2)) == repr(value("accuracy", b=2, a=1))

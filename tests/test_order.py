"""Tests that several processes share: the slow files are begun first, and those that are named are there."""

from pathlib import Path

from slow_first import BEGUN_FIRST, in_order

TESTS = Path(__file__).parent


def test_files_that_are_begun_first_are_there_once():
    for name in BEGUN_FIRST:
        assert len(list(TESTS.rglob(name))) == 1, name


def test_no_two_files_of_tests_have_one_name():
    """Of two, pytest would import the first alone, and refuse the other one."""
    names = [file.name for file in TESTS.rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


def test_slow_files_come_first_then_those_of_many_tests_and_each_files_stay_in_their_order():
    given = [
        ("a.py", 1),
        ("few.py", 1),
        ("many.py", 1),
        ("many.py", 2),
        ("b.py", 1),
        (BEGUN_FIRST[1], 1),
        ("many.py", 3),
    ]
    given += [("a.py", 2), (BEGUN_FIRST[0], 1), (BEGUN_FIRST[0], 2)]
    names = [f"{name}:{number}" for name, number in in_order(given, lambda item: Path(item[0]))]
    first = [f"{BEGUN_FIRST[0]}:1", f"{BEGUN_FIRST[0]}:2", f"{BEGUN_FIRST[1]}:1"]
    assert names == [*first, "many.py:1", "many.py:2", "many.py:3", "a.py:1", "a.py:2", "b.py:1", "few.py:1"]


def test_xdist_leaves_the_order(pytestconfig):
    assert pytestconfig.getoption("loadscopereorder", False) is False

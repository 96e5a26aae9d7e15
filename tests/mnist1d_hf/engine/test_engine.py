"""Tasks, results, what fails and what is killed: the same by every engine, and held to plain Python."""

import logging
import os
import signal
import time
from pathlib import Path

import pytest

from mnist1d_hf.engine.choose import engine_of
from mnist1d_hf.engine.engine import TasksError, Turn, WorkerError
from mnist1d_hf.engine.local import LocalEngine
from mnist1d_hf.extras import missing_extra


class Noted:
    """Squares numbers; notes each that it is at, and does with some what the test wants. Other processes load it."""

    def __init__(self, notes, **special):
        self.notes, self.special = str(notes), special

    def __call__(self, task):
        Path(self.notes, f"{task}-{time.time_ns()}").touch()
        what = self.special.get(f"at{task}")
        tries = len(list(Path(self.notes).glob(f"{task}-*")))
        if what == "raise" or (what == "raise once" and tries == 1):
            raise LookupError("no such thing")
        if what == "lack":
            raise missing_extra(ModuleNotFoundError("No module named 'ray'", name="ray"))
        if what == "die" or (what == "die once" and tries == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if what == "unpicklable":
            return lambda: None
        return task**2, os.getpid()

    def count(self, task):
        return len(list(Path(self.notes).glob(f"{task}-*")))


@pytest.fixture(params=[1, 2])
def workers(request):
    return request.param


def squares(answers):
    return {index: value for index, (value, _) in answers}


def variable(name):
    return os.environ.get(name), os.getpid()


def test_processes_have_the_variables_that_they_are_given_and_this_one_does_not(monkeypatch):
    monkeypatch.setenv("MNIST1D_TEST_OLD", "here")
    engine = LocalEngine(environment={"MNIST1D_TEST_OLD": "there", "MNIST1D_TEST_NEW": "new"})
    found = dict(engine.map(variable, ["MNIST1D_TEST_OLD", "MNIST1D_TEST_NEW"]))
    assert [value for value, _ in found.values()] == ["there", "new"]
    assert os.getpid() not in {pid for _, pid in found.values()}
    assert (os.environ["MNIST1D_TEST_OLD"], os.environ.get("MNIST1D_TEST_NEW")) == ("here", None)


def test_every_task_has_its_result(tmp_path, workers):
    found = list(LocalEngine(workers).map(Noted(tmp_path), [3, 1, 4, 1, 5]))
    assert squares(found) == {0: 9, 1: 1, 2: 16, 3: 1, 4: 25}
    pids = {pid for _, (_, pid) in found}
    assert pids == {os.getpid()} if workers == 1 else os.getpid() not in pids
    assert len(pids) <= workers
    if workers == 1:
        assert [index for index, _ in found] == [0, 1, 2, 3, 4]
    assert list(LocalEngine(workers).map(Noted(tmp_path), [])) == []


def test_what_fails_once_is_tried_again_and_said(tmp_path, caplog, workers):
    function = Noted(tmp_path, at1="raise once")
    with caplog.at_level(logging.WARNING):
        found = squares(LocalEngine(workers).map(function, [0, 1, 2], label=lambda task: f"cell {task}"))
    assert found == {0: 0, 1: 1, 2: 4}
    assert [record.getMessage() for record in caplog.records] == [
        "cell 1: LookupError: no such thing; it is tried again"
    ]


def test_what_always_fails_is_named_at_the_end_and_the_rest_goes_on(tmp_path, workers):
    function, found = Noted(tmp_path, at1="raise", at2="lack"), {}
    answers = LocalEngine(workers).map(function, [0, 1, 2, 3], label=lambda task: f"shard {task}")
    with pytest.raises(TasksError) as caught:
        found.update((index, value) for index, (value, _) in answers)
    assert found == {0: 0, 3: 9}
    assert "shard 1: LookupError: no such thing" in str(caught.value)
    assert "2 of 4 tasks failed" in str(caught.value)
    assert (function.count(1), function.count(2)) == (3, 1)  # no package comes by waiting
    assert sorted(caught.value.failures) == [1, 2]
    assert caught.value.failures[2].is_final
    assert isinstance(caught.value.__cause__, LookupError | ImportError if workers == 1 else WorkerError)


def test_a_killed_process_takes_no_other_with_it(tmp_path, caplog):
    function = Noted(tmp_path, at1="die once", at2="die")
    with pytest.raises(TasksError, match="2: its process ended by signal SIGKILL"):
        list(LocalEngine(2).map(function, [0, 1, 2, 3]))
    assert [function.count(task) for task in range(4)] == [1, 2, 3, 1]


def test_a_result_that_no_other_process_can_load_is_an_error_of_its_task(tmp_path):
    with pytest.raises(TasksError, match=r"1: .*pickle"):
        list(LocalEngine(2).map(Noted(tmp_path, at1="unpicklable"), [0, 1, 2]))


def test_the_turn_of_a_task_is_asked_for_until_it_has_come(tmp_path, workers):
    asked = []

    def turn(index):
        asked.append(index)
        return {0: Turn.NOW, 1: Turn.NEVER, 2: Turn.NOW if asked.count(2) == 3 else Turn.LATER, 3: Turn.NOW}[index]

    function = Noted(tmp_path)
    assert squares(LocalEngine(workers).map(function, [0, 1, 2, 3], turn=turn)) == {0: 0, 2: 4, 3: 9}
    assert asked.count(2) == 3
    assert function.count(1) == 0


def test_results_come_before_the_next_task_of_this_process_begins(tmp_path):
    function = Noted(tmp_path)
    for index, _ in LocalEngine(1).map(function, [10, 11, 12]):
        assert [function.count(task) for task in (10, 11, 12)] == [int(i <= index) for i in range(3)]


def test_no_process_is_left_when_nobody_wants_more(tmp_path):
    import multiprocessing

    before = set(multiprocessing.active_children())
    results = LocalEngine(2).map(Noted(tmp_path), list(range(6)))
    next(results)
    results.close()
    assert set(multiprocessing.active_children()) <= before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"workers": 0}, r"workers=0 must be at least 1"),
        ({"name": "rai"}, r"engine='rai' must be one of 'local', 'ray'"),
        ({"address": "auto"}, r"address='auto' must be left out with engine='local'; or take engine='ray'"),
    ],
)
def test_an_engine_that_there_is_not(arguments, message):
    with pytest.raises(ValueError, match=message):
        engine_of(**arguments)


def test_without_ray_the_error_says_what_installs_it(monkeypatch):
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r'ray is needed here .*: pip install "mnist1d-hf\[scale\]"'):
        engine_of("ray")

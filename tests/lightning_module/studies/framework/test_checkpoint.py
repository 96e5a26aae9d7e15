"""A long cell that is interrupted goes on where it was, and comes to the same."""

import numpy as np
import pytest

from lightning_module.studies import Cell, Config, Outcome, Study
from lightning_module.studies.framework.checkpoint import Scratch

interruptions: list[int] = []
computed: list[int] = []


def run_cell(config, cell):
    """Ten random numbers, each drawn by the generator as the one before has left it."""
    record, arrays = cell.scratch.load()
    rows = record.get("rows", [])
    generator = np.random.RandomState(7)
    if arrays:
        generator.set_state(("MT19937", arrays["key"], record["position"], 0, 0.0))
    for step in range(len(rows), 10):
        if interruptions and step == interruptions[0]:
            interruptions.pop(0)
            raise KeyboardInterrupt
        computed.append(step)
        rows.append({"seed": step, "number": generator.uniform()})
        _, key, position, *_ = generator.get_state()
        cell.scratch.save({"rows": rows, "position": position}, {"key": key})
    return Outcome({"rows": rows})


CHAIN = Study(
    name="chain",
    question="Is it the same?",
    presets={"smoke": Config()},
    cells=lambda _: [Cell({"part": "all"})],
    run_cell=run_cell,
)


def test_an_interrupted_cell_comes_to_the_same_and_computes_no_step_again(tmp_path):
    whole = CHAIN.run("smoke", folder=tmp_path / "whole")
    computed.clear()
    interruptions[:] = [3, 8]
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            CHAIN.run("smoke", folder=tmp_path / "parts")
    assert CHAIN.run("smoke", folder=tmp_path / "parts") == whole
    assert computed == list(range(10))


def test_what_a_cell_kept_goes_when_it_is_done(tmp_path):
    CHAIN.run("smoke", folder=tmp_path)
    assert not list(tmp_path.rglob("*.scratch.npz"))


def test_seconds_before_an_interruption_count(tmp_path):
    scratch = Scratch(tmp_path / "state.npz")
    scratch._before = 100.0
    scratch.save({"step": 1})
    again = Scratch(tmp_path / "state.npz")
    assert again.load() == ({"step": 1}, {})
    assert again.seconds >= 100


def test_without_a_file_nothing_is_kept():
    scratch = Scratch()
    scratch.save({"step": 1})
    assert scratch.load() == ({}, {})


def test_the_records_name_is_taken(tmp_path):
    with pytest.raises(ValueError, match="another name"):
        Scratch(tmp_path / "state.npz").save({}, {"record": np.zeros(1)})

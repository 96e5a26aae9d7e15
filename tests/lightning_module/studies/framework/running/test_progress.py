import re

import counting
import pytest
from counting import STUDY, CountingConfig

from lightning_module.studies.framework.running.progress import Account


def test_bar_tells_the_time_that_is_left():
    clock = [0.0]
    cells = counting.cells(CountingConfig())  # costs 1, 2, 3, 4
    account = Account("counting", cells, cells[1:], clock=lambda: clock[0])
    said = lambda: [part.text for part in account.parts()]  # noqa: E731
    assert said() == ["counting", "1/4 cells"]
    clock[0] = 600.0
    assert account.done(cells[1])
    assert not account.done(cells[1])  # twice counts once
    assert account.share == pytest.approx(0.3)
    assert said() == ["counting", "2/4 cells", "35:00 left"]  # 2 of 9 in ten minutes: 7 more take 35
    clock[0] = 660.0
    assert said()[-1] == "34:00 left"
    clock[0] = 6000.0
    assert said()[-1] == "0:00 left"
    assert account.done(cells[2])
    assert account.done(cells[3])
    assert said() == ["counting", "4/4 cells", "in 1:40:00"]


def test_a_run_says_how_far_it_is_in_lines_without_control_codes(tmp_path, capsys):
    STUDY.run(CountingConfig(), folder=tmp_path, progress=True)
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert re.fullmatch(r"counting - 4/4 cells - in 0:\d\d\n", err)
    STUDY.run(CountingConfig(), folder=tmp_path, progress=True)  # there is nothing to do
    assert capsys.readouterr() == ("", "")

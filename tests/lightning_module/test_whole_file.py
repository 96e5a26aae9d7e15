import os

import pytest

from lightning_module.whole_file import replace


def test_a_crash_while_writing_leaves_what_was_there(tmp_path):
    file = tmp_path / "rows.csv"

    def half(part):
        part.write_text("seed,accu")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace(file, half)
    assert os.listdir(tmp_path) == []
    file.write_text("old")
    with pytest.raises(KeyboardInterrupt):
        replace(file, half)
    assert os.listdir(tmp_path) == ["rows.csv"]
    assert file.read_text() == "old"

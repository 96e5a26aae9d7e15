"""Protocols are Markdown files beside their studies, read when somebody asks for them."""

import re
import string
from dataclasses import replace
from pathlib import Path

import pytest

import lightning_module.studies as package
from lightning_module.studies import STUDIES, Config, Study, grid
from lightning_module.studies.framework.protocol import ProtocolFile

FOLDER = Path(package.__file__).parent
TEMPLATE = FOLDER / "framework" / "listing" / "template" / "protocol.md"  # of no packaged study


def study(protocol):
    return Study(
        name="s", question="?", presets={"smoke": Config()}, cells=grid(), run_cell=lambda *_: [], protocol=protocol
    )


def kept(name):
    return vars(STUDIES[name])["_protocol"]


@pytest.mark.parametrize("name", STUDIES)
def test_each_packaged_study_has_a_file(name):
    file = kept(name)
    written = file.path.read_text(encoding="utf-8")
    used = {field for _, field, _, _ in string.Formatter().parse(written) if field} if file.numbers else set()
    assert used == file.numbers.keys()
    assert STUDIES[name].protocol == file.read()
    assert not re.search(r"\{[a-z_]+[:}]", STUDIES[name].protocol)
    assert len(STUDIES[name].protocol) > 300
    assert written == f"{written.strip()}\n"


def test_no_file_is_without_a_study():
    assert {kept(name).path for name in STUDIES} == {*FOLDER.rglob("*protocol.md")} - {TEMPLATE}


def test_numbers_are_those_of_the_study():
    from lightning_module.studies.pooling import study as pooling
    from lightning_module.studies.thresholds import study as thresholds

    assert f"pooling with {pooling.MATCHED_CHANNELS} channels" in pooling.STUDY.protocol
    assert f"first {pooling.CURVE_ROWS:,} fresh signals" in pooling.STUDY.protocol
    assert f"at most {100 * thresholds.LOSS_BOUND:g} % of that" in thresholds.STUDY.protocol


def test_the_file_is_read_when_it_is_asked_for(tmp_path):
    made = study(ProtocolFile(str(tmp_path / "mine.py")))
    with pytest.raises(FileNotFoundError, match=r"mine_protocol\.md"):
        made.protocol  # noqa: B018
    (tmp_path / "mine_protocol.md").write_text("**±** {as it is}\n", encoding="utf-8")
    assert made.protocol == "**±** {as it is}\n"
    assert replace(made, name="other").protocol == made.protocol


def test_a_study_in_a_folder_of_its_own(tmp_path):
    (tmp_path / "protocol.md").write_text("{epochs:,} of it")
    assert study(ProtocolFile(str(tmp_path / "study.py"), {"epochs": 4000})).protocol == "4,000 of it"


def test_a_name_without_a_number_is_refused(tmp_path):
    (tmp_path / "protocol.md").write_text("{epoch} of it")
    with pytest.raises(ValueError, match=r"protocol\.md: \{epoch\} must be one of epochs; add it to `numbers`"):
        study(ProtocolFile(str(tmp_path / "study.py"), {"epochs": 4000})).protocol  # noqa: B018


def test_a_text_is_itself():
    assert study("What was done.").protocol == "What was done."
    assert (
        Study(name="s", question="?", presets={"smoke": Config()}, cells=grid(), run_cell=lambda *_: []).protocol == ""
    )

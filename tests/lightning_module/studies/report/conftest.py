"""Results of small studies and the report on them, made once for all tests of this folder."""

import shutil
from pathlib import Path

import pytest
from tiny_study import STUDIES, TINY, study

from lightning_module.studies.report.pages import write_report


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "results"
    TINY.run("paper", folder=folder / "tiny")
    study("foreign").run("paper", folder=folder / "foreign")
    shutil.rmtree(folder / "tiny" / "cells")
    return folder


@pytest.fixture(scope="session")
def files(results: Path) -> dict[str, Path]:
    """Returns the files of the report by their ways from the first page's folder."""
    written = write_report(results, results.parent, studies=STUDIES)
    return {file.relative_to(results.parent).as_posix(): file for file in written}


@pytest.fixture(scope="session")
def texts(files: dict[str, Path]) -> dict[str, str]:
    return {name: file.read_text(encoding="utf-8") for name, file in files.items()}

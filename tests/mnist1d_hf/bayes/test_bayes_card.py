"""The column "Bayes accuracy" of the card: where it is known, where there is none, where nobody computed it."""

import json
from pathlib import Path

import pytest

from mnist1d_hf import MNIST1D, RECIPES, make_mnist1d
from mnist1d_hf.bayes import frozen_posterior, limits, renew
from mnist1d_hf.bayes.limits import committed_limits
from mnist1d_hf.hub.card import builtin_card, new_card
from mnist1d_hf.hub.card_records import ConfigRecord

HEADER = "Bayes accuracy"


def column(card):
    """The cells of the column by config."""
    lines = card.splitlines()
    first = next(i for i, line in enumerate(lines) if HEADER in line and line.startswith("|"))
    which = [cell.strip() for cell in lines[first].split("|")].index(HEADER)
    rows = [[cell.strip() for cell in line.split("|")] for line in lines[first + 2 :]]
    return {row[1].strip("`"): row[which] for row in rows[: next(i for i, row in enumerate(rows) if len(row) < 3)]}


def card_of(**keywords):
    builder = MNIST1D(**keywords)
    record = ConfigRecord.of(builder, {})
    return new_card({record.config_name: record}, {record.config_name: builder.info}, path="owner/name")


def test_every_config_has_its_limit_and_no_noise_has_none():
    cells = column(builtin_card())
    assert set(cells) == set(RECIPES)
    assert cells.pop("no-noise") == "none"
    for name, cell in cells.items():
        mean, error = (float(number) for number in cell.removesuffix(" %").split(" ± "))
        limits = committed_limits()[name].accuracy
        assert mean == pytest.approx(100 * limits.mean, abs=6e-4)
        assert error == pytest.approx(100 * limits.error, abs=6e-4)


def test_a_variant_has_no_limit_of_the_config_that_it_started_from():
    assert set(column(card_of(config_name="default", iid_noise_scale=0.1)).values()) == {""}
    assert set(column(card_of(config_name="default", iid_noise_scale=0.0)).values()) == {"none"}


@pytest.mark.parametrize(("page", "cells"), [("README.md", (3, 5)), ("dataset_card.md", (4, 6))])
def test_the_limit_in_the_benchmarks_tables_is_the_computed_one(page, cells):
    """On the frozen split no error, in both orders of the points."""
    text = (Path(__file__).parents[3] / page).read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith("| the exact posterior"))
    frozen = 100 * (frozen_posterior().test.argmax(axis=1) == make_mnist1d().test.y).mean()
    assert {[cell.strip() for cell in row.split("|")][i] for i in cells} == {f"{frozen:.1f}"}


def test_a_new_config_alone_is_computed(tmp_path, monkeypatch):
    committed = json.loads((Path(limits.__file__).parent / limits.FILE).read_text(encoding="utf-8"))
    known = {name: value for name, value in committed.items() if name != "no-shear"}
    monkeypatch.setattr(renew, "SIGNALS", 100)
    file = tmp_path / "limits.json"
    assert renew.write_limits(file, known=known) == ["no-shear"]
    written = json.loads(file.read_text(encoding="utf-8"))
    assert {name: value for name, value in written.items() if name != "no-shear"} == known
    assert list(written) == list(committed)
    assert abs(written["no-shear"]["accuracy"] - committed["no-shear"]["accuracy"]) < 0.02  # of 100 signals

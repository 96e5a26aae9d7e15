"""The column "Bayes accuracy" of the card: where it is known, where there is none, where nobody computed it."""

import pytest

from mnist1d_hf import MNIST1D, RECIPES
from mnist1d_hf.bayes.limits import committed_limits
from mnist1d_hf.card import builtin_card, new_card
from mnist1d_hf.records import ConfigRecord

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

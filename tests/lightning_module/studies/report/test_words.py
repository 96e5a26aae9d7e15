"""Numbers, intervals and contrasts in words."""

from typing import Any

from tiny_study import CNN, MLP

from lightning_module.studies.framework.quantities import Quantity, largest, proportion, value
from lightning_module.studies.framework.statistics import Interval
from lightning_module.studies.report.words import interval_words, number, p_words, quantity_words


def test_numbers_have_the_digits_that_their_interval_warrants() -> None:
    assert interval_words(Interval(0.93712, 0.9251, 0.9491), units=5) == "0.937 (0.925 to 0.949)"
    assert interval_words(Interval(-0.0004, -0.021, 0.02), units=5) == "0.000 (-0.021 to 0.020)"
    assert interval_words(Interval(61234.0, 50000.0, 72468.0), units=5) == "61234 (50000 to 72468)"
    assert interval_words(Interval(0.62431, 0.62431, 0.62431), units=1) == "0.6243 (one run)"
    assert number(float("nan")) == "undefined"
    assert [p_words(p) for p in (None, 0.00001, 0.0312, 1.0)] == ["-", "< 0.0001", "0.031", "1"]


def test_quantities_in_words() -> None:
    class Slope(Quantity, kind="slope of the report"):
        def per_unit(self, tables: Any) -> Any:
            return tables

    fresh = value("accuracy", network="cnn", arm="fresh", table="t")
    assert quantity_words(fresh - value("accuracy", network="mlp", arm="fresh", table="t")) == (
        "accuracy [network=cnn] - accuracy [network=mlp], both [arm=fresh], table t"
    )
    assert quantity_words(1.0 - CNN / MLP) == "1 - (accuracy [network=cnn] / accuracy [network=mlp])"
    assert quantity_words(largest(CNN, MLP)) == "largest of: accuracy [network=cnn]; accuracy [network=mlp]"
    shared = [value("accuracy", network=name, arm="fresh", n=1000) for name in ("cnn", "mlp")]
    assert quantity_words(largest(*shared)) == (
        "largest of: accuracy [network=cnn]; accuracy [network=mlp], all [arm=fresh, n=1000]"
    )
    assert quantity_words(largest(shared[0], value("loss", arm="fresh"))) == (
        "largest of: accuracy [arm=fresh, n=1000, network=cnn]; loss [arm=fresh]"
    )
    assert quantity_words(proportion("hits", "trials", network="human")) == "hits of trials [network=human]"
    assert quantity_words(value("p2", table="masks", unit="ticket", step=(1, 2))) == (
        "p2 [step=1 or 2], table masks, by ticket"
    )
    assert quantity_words(Slope()) == "Slope"

"""Pictures as SVG: what is drawn is what is given, with a text in its place, and nothing that somebody else wrote."""

import re

import numpy as np
import pytest

from lightning_module.explorer import svg


def test_points_lie_where_the_signal_is():
    signal = np.array([-1.0, 0.0, 0.5, np.nan])
    points = [tuple(map(float, pair.split(","))) for pair in svg.path(signal, 2.0).split()]
    assert [x for x, _ in points] == [25.0, 50.0, 62.5]
    assert points[0][1] == svg.MARGIN
    assert points[-1][1] == pytest.approx(svg.MARGIN + (svg.HEIGHT - 2 * svg.MARGIN) * 2 / 3, abs=0.01)


def test_a_grid_has_a_text_for_each_signal_and_escapes_what_it_is_told():
    p = np.array([0.6, 0.3, 0.1, *[0.0] * 7])
    panel = svg.Panel(np.zeros(40), "<b>", truth=1, p=p, note="<i>", wrong=True)
    html = svg.signals([panel, panel])
    assert "<b>&lt;" not in html
    assert "<i>" not in html
    assert html.count('role="img" aria-label="&lt;b&gt;: a signal of 40 points"') == 2
    assert re.findall(r"<b>(\d)</b><span>(\d+) %", html) == [("0", "60"), ("1", "30")] * 2
    assert html.count("class=m1-true") == 2
    assert "m1-waiting" in svg.signals([svg.Panel(np.zeros(2), "x")], waiting=True)


def test_what_is_not_certain_is_not_rounded_to_certain():
    assert svg.percent(0.9999) == ">99 %"
    assert svg.percent(1.0) == "100 %"
    assert svg.percent(0.5) == "50 %"


def test_a_chart_has_its_ends_in_words():
    html = svg.chart(
        [svg.Series("<one>", [(0, 0.1), (100, 0.85)]), svg.Series("two", [], 1, True)],
        title="accuracy",
        across="step",
        width=100,
        levels={"Bayes limit": 0.99},
    )
    assert 'aria-label="accuracy: &lt;one&gt; 85.0 %; Bayes limit 99.0 %"' in html
    assert "<one>" not in html
    assert html.count("<polyline") == 2
    (points,) = re.findall(r'm1-colour-0" points="([^"]+)"', html)
    (x0, y0), (x1, y1) = (tuple(map(float, pair.split(","))) for pair in points.split())
    assert x0 < x1
    assert y0 > y1

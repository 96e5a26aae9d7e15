"""The picture of a study's verdicts: where bars, margins and published numbers are."""

import xml.etree.ElementTree as ElementTree

import pytest
from tiny_study import NASTY

from lightning_module.studies import Claim, Finding, Number, value
from lightning_module.studies.framework.claims import Verdict, judge
from lightning_module.studies.framework.result import table_of
from lightning_module.studies.report.forest import BAR, LEFT, NAME, RIGHT, WIDTH, drawn, forest

SVG = "{http://www.w3.org/2000/svg}"
X = value("x", name="x")


def verdicts(*claims: Claim) -> list[Verdict]:
    """Returns the verdicts on three runs with x = 1, 2, 3: mean 2, interval 4.303 / sqrt(3) = 2.484 to both sides."""
    return judge(claims, {"rows": table_of([{"name": "x", "seed": seed, "x": float(seed + 1)} for seed in range(3)])})


def claim(name: str, **keywords: object) -> Claim:
    return Claim(name=name, text="", source="", **keywords)  # type: ignore[arg-type]


def lines(picture: str, kind: str) -> list[tuple[float, float]]:
    """Returns the ends of all lines of a class."""
    found = ElementTree.fromstring(picture).iter(f"{SVG}line")
    return [(float(line.get("x1", "")), float(line.get("x2", ""))) for line in found if line.get("class") == kind]


def place(number: float, low: float, high: float) -> float:
    """Returns where a number is on a scale from `low` to `high` with 6 % free on both sides."""
    return pytest.approx(LEFT + (RIGHT - LEFT) * ((number - low) / (high - low) + 0.06) / 1.12, abs=0.1)


def test_bars_margins_and_the_field_are_on_one_scale() -> None:
    picture = forest("t", verdicts(claim("a", finding=Finding(of=X, above=-3.0, below=3.0))))
    low, high = -3.0, 2 + 2.484
    assert lines(picture, "inconclusive") == [(place(2 - 2.484, low, high), place(high, low, high))]
    margins = lines(picture, "margin")
    assert [x for x, _ in margins] == [place(-3.0, low, high), place(3.0, low, high)]
    (zone,) = (each for each in ElementTree.fromstring(picture).iter(f"{SVG}rect") if each.get("class") == "zone")
    assert float(zone.get("x", "")) == margins[0][0]
    assert float(zone.get("x", "")) + float(zone.get("width", "")) == pytest.approx(margins[1][0])


def test_the_field_of_one_margin_reaches_to_the_end() -> None:
    both = {
        "above": forest("t", verdicts(claim("a", finding=X > 0))),
        "below": forest("t", verdicts(claim("a", finding=X < 9))),
    }
    for side, picture in both.items():
        (zone,) = (each for each in ElementTree.fromstring(picture).iter(f"{SVG}rect") if each.get("class") == "zone")
        start, end = float(zone.get("x", "")), float(zone.get("x", "")) + float(zone.get("width", ""))
        ((margin, _),) = lines(picture, "margin")
        assert (start, end) == pytest.approx((margin, RIGHT) if side == "above" else (LEFT, margin))


def test_a_published_number_has_its_rounding_beside_our_range() -> None:
    number = Number(of=X, published=8.0, rounding=0.5)
    picture = forest("t", verdicts(claim("a", finding=X > 0, number=number)))
    half = 2.484 * 2  # sqrt(1 + 1/3) against sqrt(1/3)
    low, high = 2 - half, 8.5
    assert lines(picture, "number") == [(place(low, low, high), place(2 + half, low, high))]
    assert lines(picture, "published") == [(place(7.5, low, high), place(8.5, low, high))]
    assert "published 8, ours 2.0 (-3.0 to 7.0), ✗ outside" in picture


def test_a_bar_has_the_colour_of_its_own_side_and_the_claim_that_of_all() -> None:
    picture = forest("t", verdicts(claim("a", finding=(X > -9, X > 9, X > 1))))
    assert [len(lines(picture, kind)) for kind in ("holds", "fails", "inconclusive")] == [1, 1, 1]
    words = [
        text.get("class") for text in ElementTree.fromstring(picture).iter(f"{SVG}text") if text.get("text-anchor")
    ]
    assert words == ["fails"]


def test_it_is_as_high_as_its_rows_and_as_wide_as_a_telephone() -> None:
    picture = ElementTree.fromstring(
        forest("t", verdicts(claim("a", finding=(X > 0, X < 9)), claim("b", finding=X > 0)))
    )
    assert int(picture.get("height", "")) == 2 * NAME + 3 * BAR + 6
    assert int(picture.get("width", "")) == WIDTH <= 430


def test_questions_are_drawn_where_there_are_few_statements_and_what_is_exact_never() -> None:
    from lightning_module.studies.framework.quantities import Exact

    statements = [claim(name, finding=X > 0) for name in "abc"]
    question = claim("q", finding=X > 0, exploratory=True)
    exact = claim("e", finding=Exact(value("x", unit=None, name="x")) > 0)
    assert [v.claim.name for v in drawn(verdicts(*statements, question, exact))] == ["a", "b", "c"]
    assert [v.claim.name for v in drawn(verdicts(*statements[:2], question, exact))] == ["a", "b", "q"]
    assert forest("t", verdicts(exact)) == ""


def test_names_cannot_break_the_picture() -> None:
    picture = ElementTree.fromstring(forest(NASTY, verdicts(claim(NASTY, finding=X > 0))))
    assert picture.findtext(f"{SVG}title") == NASTY
    assert NASTY in [text.text for text in picture.iter(f"{SVG}text")]


def test_a_result_without_spread_and_with_the_margin_at_it_is_drawn() -> None:
    tables = {"rows": table_of([{"name": "x", "seed": seed, "x": 1.0} for seed in range(3)])}
    picture = forest("t", judge([claim("a", finding=X > 1.0)], tables))
    ((start, end),) = lines(picture, "inconclusive")
    assert LEFT < start == end < RIGHT

"""Verdicts on synthetic results whose truth is known."""

import ast
import hashlib
import inspect
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lightning_module.studies import STUDIES
from lightning_module.studies.framework.claims import Claim, Finding, Number, claims_digest, judge
from lightning_module.studies.framework.quantities import Across, Exact, Quantity, Unpaired, proportion, value
from lightning_module.studies.framework.result import table_of

CNN, MLP = value("accuracy", network="cnn"), value("accuracy", network="mlp")


def tables(**columns):
    """Returns a result whose networks have these accuracies, one for each seed."""
    return {
        "rows": table_of(
            [
                {"network": network, "seed": seed, "accuracy": accuracy}
                for network, accuracies in columns.items()
                for seed, accuracy in enumerate(accuracies)
            ]
        )
    }


def claim(*findings, name="claim", **keywords):
    return Claim(name=name, text="", source="", finding=findings, **keywords)


def verdict(a_claim, result):
    (only,) = judge([a_claim], result)
    return only


def finding(a_claim, result):
    return verdict(a_claim, result).finding


# Differences 0.29, 0.30, 0.31: mean 0.3, standard error 0.01 / sqrt(3), t(2) = 4.303: 0.3 +- 0.0248.
CLEAR = tables(cnn=[0.93, 0.94, 0.95], mlp=[0.64, 0.64, 0.64])


@pytest.mark.parametrize(
    ("margins", "word"),
    [
        ({"above": 0.0}, "holds"),
        ({"above": 0.275}, "holds"),
        ({"above": 0.276}, "inconclusive"),
        ({"above": 0.3}, "inconclusive"),
        ({"above": 0.324}, "inconclusive"),
        ({"above": 0.325}, "fails"),
        ({"below": 0.325}, "holds"),
        ({"below": 0.29}, "inconclusive"),
        ({"below": 0.2}, "fails"),
        # Equivalence: within both, beyond one, on neither side of one.
        ({"above": 0.27, "below": 0.33}, "holds"),
        ({"above": 0.0, "below": 0.1}, "fails"),
        ({"above": 0.5, "below": 0.6}, "fails"),
        ({"above": 0.27, "below": 0.31}, "inconclusive"),
        ({"above": 0.29, "below": 0.33}, "inconclusive"),
        ({"above": 0.31, "below": 0.33}, "inconclusive"),
    ],
)
def test_margin_decides(margins, word):
    found = verdict(claim(Finding(of=CNN - MLP, **margins)), CLEAR)
    assert found.finding == word
    (part,) = found.parts
    assert part.units == 3
    assert part.interval == pytest.approx((0.3, 0.3 - 0.02484, 0.3 + 0.02484), abs=1e-5)


def test_pairing_takes_away_what_seeds_have_in_common():
    shared = [0.0, 0.2, -0.2, 0.1]
    result = tables(
        cnn=[0.7 + s for s in shared], mlp=[0.69 + s + d for s, d in zip(shared, [0, 0.001] * 2, strict=True)]
    )
    assert finding(claim(Finding(of=CNN - MLP, above=0.0)), result) == "holds"
    assert finding(claim(Finding(of=Unpaired(CNN, MLP), above=0.0)), result) == "inconclusive"


@pytest.mark.parametrize(
    ("margins", "word"),
    [([0.0, 0.2], "holds"), ([0.0, 0.299], "inconclusive"), ([0.0, 0.4], "fails"), ([0.301, 0.4], "fails")],
)
def test_conjunction_holds_if_all_do_and_fails_if_one_does(margins, word):
    parts = [Finding(of=CNN - MLP, above=margin) for margin in margins]
    assert finding(claim(*parts), CLEAR) == word
    assert finding(claim(*reversed(parts)), CLEAR) == word


def test_a_part_of_a_conjunction_fails_only_after_correction_for_the_number_of_parts():
    # p of 0.3 against 0.325 is 0.0496: enough alone, and not for one of two.
    fails = Finding(of=CNN - MLP, above=0.325)
    assert finding(claim(fails), CLEAR) == "fails"
    assert finding(claim(fails, Finding(of=CNN - MLP, above=0.0)), CLEAR) == "inconclusive"


MARGINAL = Finding(of=CNN - MLP, above=0.2745)  # p = 0.047


def test_holm_makes_a_marginal_finding_inconclusive():
    assert finding(claim(MARGINAL), CLEAR) == "holds"
    first, second = judge([claim(MARGINAL), claim(Finding(of=CNN - MLP, above=0.3), name="other")], CLEAR)
    assert (first.finding, second.finding) == ("inconclusive", "inconclusive")
    assert first.p == pytest.approx(0.047, abs=0.002)
    assert first.p_holm == pytest.approx(2 * first.p)


@pytest.mark.parametrize(
    "other",
    [
        claim(Finding(of=CNN - MLP, above=0.3), name="other", exploratory=True),
        claim(Finding(of=value("accuracy", network="gru"), above=0.3), name="other"),
        claim(name="other", not_tested="there are no data"),
        claim(name="other", number=Number(of=CNN, published=0.94)),
    ],
    ids=["exploratory", "no rows", "not tested", "number only"],
)
def test_what_is_not_put_to_the_test_has_no_part_in_holm_s_correction(other):
    first, second = judge([claim(MARGINAL), other], CLEAR)
    assert first.finding == "holds"
    assert first.p_holm == first.p
    assert second.p_holm is None


def test_exploratory_claims_have_a_verdict_without_correction():
    assert finding(claim(MARGINAL, exploratory=True), CLEAR) == "holds"


@pytest.mark.parametrize(
    ("a_claim", "reason"),
    [
        (claim(not_tested="nobody has the data"), "nobody has the data"),
        (claim(Finding(of=CNN - value("accuracy", network="gru"), above=0.0)), "this result has no runs to test it on"),
        (
            claim(Finding(of=value("accuracy", network="gru"), above=0.0), needs="the GRU"),
            "this result has no runs to test it on; it needs the GRU",
        ),
        (claim(Finding(of=value("loss"), above=0.0)), "no column 'loss'"),
        (claim(Finding(of=value("accuracy", network="cnn", seed=0), above=0.0)), "one run"),
        (claim(number=Number(of=CNN, published=0.94)), "a number only"),
        (claim(Finding(of=(CNN - MLP) / (MLP - 0.64), above=0.0)), "in 3 of 3 runs there is no such number"),
    ],
)
def test_not_tested_says_why(a_claim, reason):
    found = verdict(a_claim, CLEAR)
    assert found.finding == "not tested"
    assert reason in found.reason
    assert found.p is found.p_holm is None


def test_a_part_without_rows_leaves_the_whole_claim_untested():
    parts = (Finding(of=CNN, above=0.0), Finding(of=value("accuracy", network="gru"), above=0.0))
    assert finding(claim(*parts), CLEAR) == "not tested"


def test_a_pair_that_lacks_a_seed_is_an_error():
    result = tables(cnn=[0.9, 0.91, 0.92], mlp=[0.6, 0.61])
    with pytest.raises(ValueError, match="unit by unit"):
        judge([claim(Finding(of=CNN - MLP, above=0.0))], result)


@pytest.mark.parametrize(
    ("published", "rounding", "runs", "word"),
    [
        # mean 0.94, s = 0.01, t(2) = 4.303, sqrt(1 + 1/3): 0.94 +- 0.0497
        (0.94, 0.0, 1, "inside"),
        (0.989, 0.0, 1, "inside"),
        (0.99, 0.0, 1, "outside"),
        (0.99, 0.005, 1, "inside"),
        (0.88, 0.005, 1, "outside"),
        (0.98, 0.0, 10, "outside"),  # the mean of ten runs varies less: +- 0.0283
        (0.968, 0.0, 10, "inside"),
    ],
)
def test_number_lies_in_the_prediction_interval(published, rounding, runs, word):
    found = verdict(claim(number=Number(of=CNN, published=published, rounding=rounding, runs=runs)), CLEAR)
    assert found.number == word
    assert found.units == 3


@pytest.mark.parametrize(("published", "rounding", "word"), [(59.6, 0.05, "inside"), (59.7, 0.05, "outside")])
def test_what_has_no_spread_must_be_what_it_rounds_to(published, rounding, word):
    result = {"rows": table_of([{"classifier": "knn", "accuracy": 59.62}])}
    knn = value("accuracy", unit=None, classifier="knn")
    found = verdict(claim(number=Number(of=knn, published=published, rounding=rounding)), result)
    assert (found.number, found.finding) == (word, "not tested")


def test_number_without_rows_is_not_tested():
    found = verdict(claim(Finding(of=CNN, above=0), number=Number(of=value("loss"), published=0.5)), CLEAR)
    assert (found.finding, found.number) == ("holds", "not tested")


# Wilson's interval of 383 of 400 is 93.3 to 97.3 %.
@pytest.mark.parametrize(
    ("margins", "word"),
    [
        ({"above": 0.93}, "holds"),
        ({"above": 0.94}, "inconclusive"),
        ({"below": 0.93}, "fails"),
        ({"above": 0.98}, "fails"),
    ],
)
def test_proportions_have_wilson_s_interval(margins, word):
    result = {
        "people": table_of(
            [{"hits": 96, "trials": 100}] * 2 + [{"hits": 97, "trials": 100}, {"hits": 94, "trials": 100}]
        )
    }
    found = verdict(claim(Finding(of=proportion("hits", "trials", table="people"), **margins)), result)
    assert found.finding == word
    assert found.parts[0].interval == pytest.approx((0.9575, 0.933, 0.973), abs=5e-4)
    assert found.parts[0].units == 400


def test_a_person_against_networks():
    result = {**CLEAR, "people": table_of([{"hits": 383, "trials": 400}])}
    human = proportion("hits", "trials", table="people")
    assert finding(claim(Finding(of=Unpaired(human, MLP), above=0.2)), result) == "holds"
    assert finding(claim(Finding(of=Unpaired(human, CNN), above=0.0)), result) == "inconclusive"


@settings(deadline=None, max_examples=40)
@given(st.floats(-3, 3), st.lists(st.floats(0, 1).map(lambda x: round(x, 4)), min_size=3, max_size=6, unique=True))
def test_a_shift_of_both_sides_changes_no_verdict(shift, accuracies):
    plain = tables(cnn=accuracies, mlp=[0.5] * len(accuracies))
    moved = tables(cnn=[a + shift for a in accuracies], mlp=[0.5 + shift] * len(accuracies))
    rule = claim(Finding(of=CNN - MLP, above=0.0503123))
    assert finding(rule, plain) == finding(rule, moved)


@settings(deadline=None, max_examples=40)
@given(st.randoms(use_true_random=False))
def test_order_of_rows_changes_no_verdict(random):
    rows = CLEAR["rows"].to_dict("records")
    random.shuffle(rows)
    rules = [claim(MARGINAL), claim(Finding(of=CNN - MLP, below=0.1), name="other")]
    assert [(v.finding, v.p_holm) for v in judge(rules, {"rows": table_of(rows)})] == [
        (v.finding, v.p_holm) for v in judge(rules, CLEAR)
    ]


@dataclass(frozen=True)
class Drawn(Quantity, kind="drawn"):
    """Four numbers that are given instead of tables, which would take longer than all else."""

    row: int

    def per_unit(self, tables):
        return pd.Series(tables["drawn"][self.row])


@pytest.mark.parametrize("parts", [1, 2])
def test_under_the_null_a_family_seldom_says_anything(parts):
    """Eight claims whose contrasts all lie on their margins: any verdict but inconclusive is wrong, in 5 % at most."""
    random = np.random.default_rng(parts)
    rules = [
        claim(*(Finding(of=Drawn(parts * i + part), above=0.0) for part in range(parts)), name=str(i)) for i in range(8)
    ]
    repetitions = 500
    wrong = sum(
        any(v.finding != "inconclusive" for v in judge(rules, {"drawn": random.normal(size=(8 * parts, 4))}))
        for _ in range(repetitions)
    )
    # Two standard errors of a share of 500 that is 0.05.
    assert wrong / repetitions <= 0.05 + 0.0195
    if parts == 1:  # and with one part the level is used up, by independent claims nearly all of it
        assert wrong / repetitions >= 0.05 - 0.0195


def test_power_is_not_nothing():
    random = np.random.default_rng(0)
    result = tables(cnn=random.normal(0.94, 0.01, 10), mlp=random.normal(0.65, 0.02, 10))
    rules = [claim(Finding(of=CNN - MLP, above=m), name=str(m)) for m in (0.0, 0.1, 0.2, 0.35)]
    assert [v.finding for v in judge(rules, result)] == ["holds", "holds", "holds", "fails"]


def test_rules_that_say_nothing_are_errors():
    with pytest.raises(ValueError, match="give the margin"):
        Finding(of=CNN)
    with pytest.raises(ValueError, match="must be less than below"):
        Finding(of=CNN, above=0.2, below=0.1)
    with pytest.raises(ValueError, match="say why in not_tested"):
        claim()


class TestDigest:
    def rule(self, margin=0.0, text="The CNN is better.", **keywords):
        return Claim(name="cnn", text=text, source="the blog", finding=Finding(of=CNN - MLP, above=margin), **keywords)

    def test_no_rule_can_change_unseen(self):
        before = claims_digest([self.rule()])
        for changed in (
            [self.rule(0.01)],
            [self.rule(exploratory=True)],
            [self.rule(number=Number(of=CNN, published=0.94))],
            [self.rule(not_tested="no time")],
            [self.rule(), self.rule()],
            [],
        ):
            assert claims_digest(changed) != before

    def test_wording_is_free(self):
        assert claims_digest([self.rule()]) == claims_digest([self.rule(text="CNNs are better.")])

    def test_is_the_same_in_every_process(self, python):
        code = (
            "from lightning_module.studies import Claim, Finding, value\n"
            "cnn, mlp = (value('accuracy', network=n) for n in ('cnn', 'mlp'))\n"
            "from lightning_module.studies.framework.claims import claims_digest\n"
            "print(claims_digest([Claim(name='cnn', text='', finding=Finding(of=cnn - mlp, above=0.0))]))"
        )
        assert python(code).strip() == claims_digest([self.rule()])

    def test_it_is_of_plain_rules_and_of_no_names_of_classes(self):
        """The rules as a reader of the digest would write them down, in the order and spacing that it is made of."""
        rule = (
            '{"claims":[{"exploratory":false,"findings":[{"above":0.0,"below":null,"of":{"fields":{"left":'
            '{"fields":{"column":"accuracy","table":"rows","unit":"seed","where":{"network":"cnn"}},"kind":"value",'
            '"version":1},"operation":"-","right":{"fields":{"column":"accuracy","table":"rows","unit":"seed",'
            '"where":{"network":"mlp"}},"kind":"value","version":1}},"kind":"combined","version":1}}],"name":"cnn",'
            '"number":null,"tested":true}],"rules":1}'
        )
        assert claims_digest([self.rule()]) == hashlib.sha256(rule.encode()).hexdigest()

    def test_a_renamed_class_leaves_it_and_another_meaning_does_not(self):
        @dataclass(frozen=True)
        class Own(Quantity, kind="own"):
            of: Quantity

            def per_unit(self, tables):
                return self.of.per_unit(tables)

        @dataclass(frozen=True)
        class Renamed(Quantity, kind="own"):
            of: Quantity

            def per_unit(self, tables):
                return self.of.per_unit(tables)

        @dataclass(frozen=True)
        class Changed(Quantity, kind="own", version=2):
            of: Quantity

            def per_unit(self, tables):
                return -self.of.per_unit(tables)

        own, renamed, changed = (claims_digest([claim(quantity(CNN) > 0.0)]) for quantity in (Own, Renamed, Changed))
        assert own == renamed != changed

    def test_a_quantity_that_does_not_say_what_it_is_is_an_error(self):
        class Nameless(Quantity):
            def per_unit(self, tables):
                return tables

        class Fieldless(Nameless, kind="fieldless"):
            pass

        @dataclass(frozen=True)
        class Child(Across):  # a class that computes something else must not pass for what it is derived from
            pass

        @dataclass(frozen=True)
        class Hidden(Nameless, kind="hidden"):
            function: object

        for quantity, message in (
            (Nameless(), 'Nameless has no kind.*write class Nameless.Quantity, kind="nameless"'),
            (Fieldless(), "Fieldless must be a frozen dataclass"),
            (Child("mean", (CNN,)), "Child has no kind"),
            (Hidden(len), "a field of type builtin_function_or_method"),
        ):
            with pytest.raises(ValueError, match=message):
                claims_digest([claim(quantity > 0.0)])

    def test_each_kind_is_one_class(self):
        """Every quantity of the package has a kind of its own."""
        for name in STUDIES:
            assert STUDIES[name].claims_sha256

        def below(kind):
            return [each for child in kind.__subclasses__() for each in (child, *below(child))]

        kinds = [each._kind for each in below(Quantity) if each.__module__.startswith("lightning_module")]
        assert all(kinds)
        assert len(kinds) == len(set(kinds)) > 10


def test_a_finding_may_be_written_as_it_is_meant():
    assert (CNN - MLP > 0.1) == Finding(of=CNN - MLP, above=0.1)
    assert (CNN - MLP > 0.1) == Finding(of=CNN - MLP, above=0.1)
    assert (CNN - MLP < 0.1) == Finding(of=CNN - MLP, below=0.1)
    for written in (
        lambda: 0.1 < CNN - MLP < 0.2,  # of which Python keeps the second half
        lambda: (CNN - MLP > 0.1) and (CNN > 0.9),
        lambda: not CNN - MLP > 0.1,
    ):
        with pytest.raises(ValueError, match=r"neither true nor false.*above=0.1, below=0.2"):
            written()
    with pytest.raises(ValueError, match="write a - b > 0"):
        CNN > MLP  # noqa: B015


def test_a_verdict_prints_as_a_line():
    text = str(verdict(claim(Finding(of=CNN - MLP, above=0.0), name="cnn"), CLEAR))
    assert text == "cnn: holds, 0.3 [0.2752, 0.3248]"
    assert "nobody" in str(verdict(claim(not_tested="nobody has the data"), CLEAR))


def test_an_exact_quantity_is_judged_without_an_interval():
    sizes = {"rows": table_of([{"network": "cnn", "accuracy": 19.6}])}
    exact = Exact(value("accuracy", unit=None, network="cnn"))
    number = Number(of=exact, published=20, rounding=0.5)
    found = verdict(claim(Finding(of=exact, above=19.5, below=20.5), number=number), sizes)
    assert (found.finding, found.number, found.units, found.parts[0].units) == ("holds", "inside", 0, 0)
    assert found.parts[0].interval == (19.6, 19.6, 19.6)
    assert finding(claim(Finding(of=exact, below=19.5)), sizes) == "fails"
    assert finding(claim(Finding(of=exact, above=19.6)), sizes) == "inconclusive"  # on the margin
    assert finding(claim(Finding(of=exact - 0.0, above=0.0)), sizes) == "not tested"  # one number that chance decided


def test_an_exact_quantity_is_one_number():
    with pytest.raises(ValueError, match="has 3 numbers, and must have one"):
        judge([claim(Finding(of=Exact(CNN), above=0.0))], CLEAR)


def test_exact_claims_do_not_change_what_others_need():
    strong = claim(Finding(of=CNN - MLP, above=0.0), name="strong")
    one = tables(cnn=[0.9], mlp=[0.6])["rows"].assign(network=["a", "b"])
    both = {"rows": pd.concat([CLEAR["rows"], one], ignore_index=True)}
    exact = claim(Finding(of=Exact(value("accuracy", unit=None, network="a")), above=0.0), name="exact")
    (alone,), (beside, _) = judge([strong], both), judge([strong, exact], both)
    assert alone.p_holm == beside.p_holm


def test_a_study_takes_nothing_from_its_claims_but_the_claims():
    """What decides the cells stands before the claims: else a changed claim could change what is computed."""
    for name in STUDIES:
        study = STUDIES[name]
        own = study.name.replace("-", "_")
        for node in ast.walk(ast.parse(inspect.getsource(sys.modules[study.run_cell.__module__]))):
            if isinstance(node, ast.ImportFrom) and own in str(node.module) and str(node.module).endswith("claims"):
                assert {alias.name for alias in node.names} <= {"BANDS", "CLAIMS"}, name

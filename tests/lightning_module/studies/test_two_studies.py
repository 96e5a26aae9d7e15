"""Where two studies put a number on the same contrast of networks, the answer of each names the other one."""

from itertools import combinations
from pathlib import Path

import pytest

from lightning_module.studies.benchmark.claims import accuracy
from lightning_module.studies.benchmark.study import STUDY as BENCHMARK
from lightning_module.studies.framework.quantities import Combined, Value
from lightning_module.studies.priors.claims import position
from lightning_module.studies.priors.study import STUDY as PRIORS
from lightning_module.studies.recipe_sweep.study import STUDY as SWEEP
from lightning_module.studies.self_supervision.study import STUDY as SIMCLR

RESULTS = Path(__file__).parents[3] / "docs" / "results"
PROTOCOL = {"arm", "network", "on", "points", "step"}  # what a contrast may be under, and still be the same one


def contrast(of):
    """The networks that a difference of accuracies compares, and whether points are shuffled; None if it is another."""
    if isinstance(of, Combined) and of.operation == "/":  # in units of something
        return contrast(of.left)
    if not (isinstance(of, Combined) and isinstance(of.left, Value) and isinstance(of.right, Value)):
        return None
    sides = of.left, of.right
    if any(
        side.column != "accuracy" or not set(side.where) <= PROTOCOL or "network" not in side.where for side in sides
    ):
        return None
    if any(side.where.get("on") == "train" for side in sides):
        return None
    networks = frozenset(side.where["network"] for side in sides)
    shuffled = any(side.where.get("points") == "shuffled" for side in sides)
    return (networks, shuffled) if len(networks) == 2 else None


def contrasts(study):
    return {contrast(finding.of) for claim in study.claims for finding in claim.findings} - {None}


def in_two(studies):
    return {(a.name, b.name): contrasts(a) & contrasts(b) for a, b in combinations(studies, 2)}


def test_the_contrast_that_two_studies_disagreed_on_is_found():
    found = in_two([BENCHMARK, PRIORS, SWEEP, SIMCLR])
    assert (frozenset({"mlp", "cnn"}), True) in found["benchmark", "priors"]
    assert contrast(position("cnn", "shuffled")) == contrast(accuracy("mlp", "shuffled") - accuracy("cnn", "shuffled"))
    assert contrast(accuracy("cnn") - accuracy("cnn", "shuffled")) is None
    assert not found["benchmark", "self-supervision"]


@pytest.mark.parametrize("pair", [("benchmark", "priors")])
def test_each_answer_names_the_other_study(pair):
    for one, other in (pair, pair[::-1]):
        assert other in (RESULTS / one / "answer.md").read_text(encoding="utf-8"), f"{one} does not name {other}"


def test_no_other_pair_of_committed_results_has_a_contrast_in_common():
    from lightning_module.studies import STUDIES

    committed = [STUDIES[folder.name] for folder in sorted(RESULTS.iterdir()) if folder.is_dir()]
    assert {pair for pair, common in in_two(committed).items() if common} == {("benchmark", "priors")}

"""What the README and the card print of the committed results is what the results hold."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from lightning_module.studies import STUDIES
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.framework.reasons import with_test_sampling
from lightning_module.studies.framework.result import Result
from lightning_module.studies.methods.activation.learned_activation import LearnedActivation

ROOT = Path(__file__).parent.parent
RESULTS = sorted(each for each in (ROOT / "docs" / "results").iterdir() if each.is_dir())
# Bands that the committed results have left: two points around one published run, and some runs were further off.
OUTSIDE = {
    "pooling": {"stride, 2,000 training signals, as published"},
    "comparison": {"t-SNE of MNIST, neighbours of the same class"},  # that of 70,000 images; here are 5,000
    # Bands around one published run; the means of five and three seeds miss them by 0.9 and 0.5 points.
    "double-descent": {"noisy MLP, valley", "noisy MLP, peak minus valley", "noisy CNN, peak"},
    # The published two lie 1.75 points below dense, where two of our eight could as well; our mean is 0.7 above.
    "lottery": {"ticket minus dense, shuffled"},
    "self-supervision": {"best layer, four layers, frozen"},  # one run of five learned far less than the others
}
NETWORKS = {"logistic regression": "logistic", "MLP": "mlp", "CNN": "cnn", "GRU": "gru"}


def accuracy(rows, arm, network, points):
    """The mean over the seeds and half of its 95 % interval with the sampling of the tests, as they are printed."""
    on, tests = ("test", 1000) if arm == "frozen" else ("fresh test", 20_000)
    chosen = rows[(rows.arm == arm) & (rows.network == network) & (rows.points == points) & (rows.on == on)]
    mean, low, _ = with_test_sampling(chosen[chosen.step == 6000].accuracy.tolist(), tests)
    return f"{100 * mean:.1f} ± {100 * (mean - low):.1f}"


def printed(page, network):
    """The entries of a network's row in a page's table of the benchmark that are a mean with its interval."""
    text = (ROOT / page).read_text(encoding="utf-8")
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {network}") and "±" in line)
    return re.findall(r"[\d.]+ ± [\d.]+", row)


@pytest.mark.parametrize(("network", "name"), NETWORKS.items())
def test_the_benchmark_in_card_and_readme_is_the_committed_one(network, name):
    rows = Result.load(ROOT / "docs" / "results" / "benchmark").rows
    frozen = [accuracy(rows, "frozen", name, points) for points in ("own", "shuffled")]
    fresh = [accuracy(rows, "fresh", name, points) for points in ("own", "shuffled")]
    assert printed("dataset_card.md", network) == frozen
    assert printed("README.md", network) == frozen
    assert printed("docs/results.md", network) == [frozen[0], fresh[0], frozen[1], fresh[1]]


@pytest.mark.parametrize("folder", RESULTS, ids=lambda folder: folder.name)
def test_committed_results_are_those_of_the_paper_preset(folder):
    result = Result.load(folder)
    study = STUDIES[result.study]
    assert result.study == folder.name
    assert result.preset == "paper"
    assert {band.name for band, _ in study.outside(result)} == OUTSIDE.get(folder.name, set())
    assert result.claims_sha256 == study.claims_sha256, "a claim was changed after the run"
    assert [check.what for check in findings_of(study, result) if not check.good and "band" not in check.what] == []
    assert all((folder / f"{figure}.png").is_file() for figure in study.figures)
    assert result.provenance["command"].startswith(f"mnist1d study run {folder.name} --preset paper")


def test_what_the_site_says_of_other_studies_is_what_they_found():
    text = " ".join((ROOT / "docs" / "results.md").read_text(encoding="utf-8").split())
    assert f"gains {points('pooling', 'helps-with-little-data')} points at 1,000 training signals" in text
    assert f"and {points('pooling', 'no-difference-with-much-data')} points at 50,000" in text
    assert verdict("pooling", "hinders-with-much-data").finding == "fails"
    assert verdict("pooling", "matched-hinders").finding == verdict("pooling", "epochs-hinders").finding == "fails"
    assert f"the lead is {points('recipe-sweep', 'translation-widens-lead')} points larger" in text
    assert verdict("recipe-sweep", "lead-without-translation").finding == "inconclusive"
    on_mnist = verdict("comparison", "CNN above MLP on MNIST").parts[0].interval.estimate
    more = verdict("comparison", "tells models apart").parts[1].interval.estimate  # on MNIST-1D than on MNIST
    assert f"leads the MLP by {on_mnist:.2f} in log-odds" in text
    assert round((on_mnist + more) / on_mnist) == 5
    mlp, cnn = (verdict("double-descent", f"{name}-threshold-at-n").prediction.estimate for name in ("mlp", "cnn"))
    assert f"is at {mlp:.1f} parameters a signal, the CNN's at {cnn:.1f}" in text
    assert verdict("double-descent", "loss-peak-without-noise").finding == "holds"
    (rises, falls), (also_rises, also_falls) = (
        [100 * part.interval.estimate for part in verdict("double-descent/amended", f"{name}-descends-twice").parts[1:]]
        for name in ("mlp", "cnn")
    )
    said = f"the MLP's error rises by {rises:.1f} points and falls by {falls:.1f}, the CNN's by"
    assert f"both descend twice: behind its valley {said} {also_rises:.1f} and {also_falls:.1f}." in text
    assert {verdict("double-descent/amended", f"{name}-descends-twice").finding for name in ("mlp", "cnn")} == {"holds"}
    assert f"is {points('lottery', 'ticket-beats-dense')} points better than the whole network" in text
    better = "points better than a network with as many parameters that were chosen at random"
    assert f"{points('lottery', 'ticket-beats-random')} {better}" in text
    assert verdict("lottery", "ten-times-too-many").parts[0].interval.estimate == pytest.approx(0.03, abs=0.001)
    assert f"copy with the first layer shuffled, by {points('lottery', 'spatial-prior')} points" in text
    lead, left = points("lottery", "new-data"), points("lottery", "reinitialised")
    assert f"lead over the dense network on new data, {lead} points, {left} remain" in text
    tuned, anew = (points("lottery/amended", name) for name in ("ticket-beats-dense", "new-data"))
    assert f"the ticket's lead is {tuned} points, on new data {anew}; a tenth" in text
    found = [verdict("lottery/amended", name).finding for name in ("ten-times-too-many", "hundred-times-too-many")]
    assert (found, points("lottery/amended", "reinitialised")) == (["holds", "fails"], "0.0")
    at_n, power, power_squared, larger = (
        verdict("thresholds", name).parts[0].interval.estimate
        for name in ("likelihood-at-n", "likelihood-not-with-k", "squared-error-grows-with-k", "k-times-larger")
    )
    assert f"lies at {10**at_n:.1f} parameters a signal with a log likelihood and ten digits, near 1" in text
    assert f"classes, with the power {power:.2f} and not 0" in text
    assert f"the power is {power_squared:.2f}, 1 as said; ten classes take {10**larger:.1f} times the" in text
    assert verdict("thresholds", "likelihood-at-n").finding == "holds"
    assert verdict("thresholds", "likelihood-not-with-k").finding == "fails"
    assert verdict("thresholds", "squared-error-grows-with-k").finding == "holds"
    assert f"it is {points('activation', 'tuned-best')} points ahead of the best of six known ones, each tuned" in text
    now = amended("activation")
    assert now["mnist-test-loss"].finding == now["digits-below-relu"].finding == "inconclusive"
    assert now["digits-below-relu"].parts[0].interval.estimate < 0
    assert now["mnist-early-loss"].finding == "holds"
    assert now["mnist-middle"].reason.startswith("inconclusive for the source's setting")
    powers = amended("thresholds", "likelihood-not-with-k", "squared-error-grows-with-k").values()
    assert all(few.interval.low > many.interval.high for few, many in (power.parts for power in powers))
    assert f"{points('self-supervision', 'before-the-head')} points better before the projection head" in text


def verdict(study, claim):
    result = Result.load(ROOT / "docs" / "results" / study)
    return next(each for each in STUDIES[study.partition("/")[0]].judge(result) if each.claim.name == claim)


def amended(study, *names):
    """The verdicts by the amended rules that the committed tables decide; of some claims alone, as others take long."""
    rules = [each.claim for each in STUDIES[study].amendments if not each.decided_by]
    rules = [claim for claim in rules if not names or claim.name in names]
    tables = Result.load(ROOT / "docs" / "results" / study).tables
    return {each.claim.name: each for each in judge(rules, tables)}


def points(study, claim):
    """The estimate of a claim's first contrast, in points of accuracy."""
    return f"{100 * verdict(study, claim).parts[0].interval.estimate:.1f}"


def test_the_learned_activation_function_is_the_committed_one():
    folder = ROOT / "docs" / "results" / "activation"
    of_result = LearnedActivation.of(Result.load(folder))
    assert LearnedActivation.load(folder / "learned.safetensors").weights.equal(of_result.weights)


def test_three_cells_of_each_result_were_computed_again_or_all_and_none_differs():
    """`python benchmarks/recompute.py` wrote the table, over days and machines."""
    folder = ROOT / "docs" / "results"
    heads = {str(file.parent.relative_to(folder)): json.loads(file.read_text()) for file in folder.rglob("result.json")}
    with (ROOT / "benchmarks" / "recomputed.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["answer"] for row in rows} == {"ok"}
    assert all(row["finished"] == heads[row["result"]]["provenance"]["finished"] for row in rows)
    assert len({(row["result"], row["cell"]) for row in rows}) == len(rows)
    for row in rows:
        if cells := heads[row["result"]].get("cells"):
            assert row["cell"] in {cell["name"] for cell in cells}
    count = Counter(row["result"] for row in rows)
    assert count.keys() == heads.keys()
    wanted = {name: min(3, len(head.get("cells") or range(3))) for name, head in heads.items()}
    assert not {name: count[name] for name in heads if count[name] < wanted[name]}

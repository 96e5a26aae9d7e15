"""The matched arm of the benchmark at its smallest: as many parameters, new seeds, judged by the amended rule."""

from lightning_module.networks import CNN
from lightning_module.studies.benchmark.amendments import AMENDED, MATCHED_MLP
from lightning_module.studies.benchmark.study import STUDY, matched_mlp
from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.methods.networks.priors import PRIORS


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_matched_mlp_is_that_of_priors_and_has_the_parameters_of_the_cnn():
    assert count(matched_mlp()) == count(PRIORS["mlp"]()) == 5263
    assert abs(count(matched_mlp()) / count(CNN()) - 1) < 0.02


def test_the_smallest_matched_run(tmp_path):
    result = STUDY.run(f"{AMENDED}-smoke", folder=tmp_path)
    assert set(result.rows.network) == {MATCHED_MLP, "cnn"}
    assert set(result.rows.seed) == set(result.tables["classes"].seed) == {90, 91}
    assert sorted(result.data) == ["fresh/90", "fresh/91"]
    verdicts = {verdict.claim.name: verdict for verdict in judge(STUDY.claims_of(result.preset), result.tables)}
    assert list(verdicts) == ["shuffled-cnn", "mlp-matched"]
    assert all(verdict.parts for verdict in verdicts.values())
    assert all(check.good for check in findings_of(STUDY, result, tmp_path))
    assert STUDY.figures_of(result.preset)["figure"](result).axes[0].has_data()
    assert list(STUDY.config(AMENDED).seed_range) == list(range(100, 110))

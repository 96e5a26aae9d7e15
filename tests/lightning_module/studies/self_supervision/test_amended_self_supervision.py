"""The amended preset of self-supervision: new seeds, the same contrasts, and a run of the smallest one."""

from lightning_module.studies.framework.claims import judge
from lightning_module.studies.framework.proof.verify import findings_of
from lightning_module.studies.self_supervision.amendments import AMENDED, AMENDMENTS, BOTH
from lightning_module.studies.self_supervision.study import STUDY, cells


def test_the_amended_seeds_are_fifteen_new_ones():
    config = STUDY.config(AMENDED)
    assert list(config.seed_range) == list(range(100, 115))
    assert {cell["arm"] for cell in cells(config)} == {"fresh"}
    old = {claim.name: claim for claim in STUDY.claims}
    rules = [each for each in AMENDMENTS if each.decided_by == AMENDED]
    assert all(each.claim.findings == old[each.claim.name].findings for each in rules)
    assert len(rules) == 6


def test_the_smallest_amended_run_is_judged_and_verified(tmp_path):
    result = STUDY.run(f"{AMENDED}-smoke", folder=tmp_path)
    assert all(set(table.seed) == {90, 91} for table in result.tables.values())
    assert sorted(result.data) == ["fresh/90", "fresh/91"]
    verdicts = judge(STUDY.claims_of(result.preset), result.tables)
    decided = [each.claim.name for each in AMENDMENTS if each.decided_by == AMENDED]
    assert [verdict.claim.name for verdict in verdicts] == decided
    assert all(verdict.parts for verdict in verdicts)
    assert all(check.good for check in findings_of(STUDY, result, tmp_path))
    assert all(draw(result) for draw in STUDY.figures_of(result.preset).values())


def test_an_encoder_sees_the_test_signals_only_where_that_is_asked(tmp_path):
    result = STUDY.run(f"{BOTH}-smoke", folder=tmp_path)
    (verdict,) = judge(STUDY.claims_of(result.preset), result.tables)
    assert (verdict.claim.name, verdict.parts[0].units) == ("trained-on-test-signals", 2)
    assert all(check.good for check in findings_of(STUDY, result, tmp_path))
    linear = result.rows[result.rows.probe == "linear"].set_index(["layer", "seen", "seed"]).accuracy
    own, deeper = linear[0], linear[3]
    assert (own["both"] == own["training"]).all()  # the signals themselves, on the same test signals
    deeper = (
        result.rows[(result.rows.layer == 3) & (result.rows.probe == "linear")].set_index(["seen", "seed"]).accuracy
    )
    assert (deeper["both"] != deeper["training"]).any()
    assert list(STUDY.config(BOTH).seed_range) == list(range(200, 205))
    assert STUDY.figures_of(result.preset)["figure"](result).axes[0].has_data()

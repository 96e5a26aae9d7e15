import numpy as np
import pytest
from scipy import stats

from lightning_module.studies.framework.statistics import power, seeds_needed


@pytest.mark.parametrize(("effect", "pairs"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_numbers_of_pairs_are_those_of_the_tables(effect, pairs):
    """Cohen's small, medium and large effect, two-sided at 5 %, power 80 %, as G*Power has them."""
    differences = effect + np.array([-1, 1]) / np.sqrt(2)  # of standard deviation 1
    assert seeds_needed(differences.tolist()) == pairs
    assert seeds_needed((-differences).tolist()) == pairs


def test_power_is_the_share_of_experiments_that_see_it():
    rng = np.random.default_rng(0)
    experiments = rng.normal(0.9, 1, size=(20_000, 8))
    seen = stats.ttest_1samp(experiments, 0, axis=1).pvalue < 0.05
    assert power(0.9, 8) == pytest.approx(seen.mean(), abs=0.01)
    assert power(0.0, 8) == pytest.approx(0.05)


def test_extremes():
    assert seeds_needed([2.0, 2.0, 2.0]) == 2
    assert seeds_needed([0.0, 0.0]) is None
    assert seeds_needed([1.0, -1.0, 1e-9]) is None
    assert power(1000.0, 2) == pytest.approx(1, abs=1e-2)
    with pytest.raises(ValueError, match="at least two seeds"):
        seeds_needed([1.0])

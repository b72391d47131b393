import pytest

from evo.compare.statistics.power import POWER, detectable_effect, fewest_runs, power, runs_needed
from evo.compare.statistics.rank_tests import smallest_paired_p, smallest_unpaired_p


def test_the_fewest_runs_are_those_that_can_reach_a_level():
    assert [fewest_runs(level, paired=True) for level in (0.05, 0.0125, 0.0078125)] == [6, 8, 8]
    assert smallest_paired_p(8) == 2 / 256
    assert fewest_runs(0.05, paired=False) == 4
    assert smallest_unpaired_p(4, 4) == 2 / 70


@pytest.mark.parametrize(("paired", "expected"), [(True, 34), (False, 64)])
def test_half_a_standard_deviation_needs_what_the_textbook_says(paired, expected):
    """Cohen (1988) has 34 pairs and 64 runs of each arm for t tests; ranks need about 5% more (Lehmann 1975)."""
    assert runs_needed(0.5, 0.05, paired=paired) == pytest.approx(1.05 * expected, abs=2)
    assert runs_needed(-0.5, 0.05, paired=paired) == runs_needed(0.5, 0.05, paired=paired)


@pytest.mark.parametrize("paired", [True, False])
def test_simulation_and_approximation_meet(paired):
    simulated, approximated = (detectable_effect(runs, 0.0125, paired=paired) for runs in (40, 41))
    assert approximated == pytest.approx(simulated, rel=0.04)


def test_what_is_needed_is_enough_and_one_less_is_not():
    needed = runs_needed(1.0, 0.0125, paired=True)
    assert power(1.0, needed, 0.0125, paired=True) >= POWER > power(1.0, needed - 1, 0.0125, paired=True)
    assert detectable_effect(needed, 0.0125, paired=True) <= 1.0 < detectable_effect(needed - 1, 0.0125, paired=True)


def test_where_no_number_helps_none_is_named():
    assert runs_needed(0.0, 0.05, paired=True) is None
    assert runs_needed(0.001, 0.05, paired=True) is None
    assert runs_needed(50.0, 0.05, paired=True) == fewest_runs(0.05, paired=True)
    assert detectable_effect(5, 0.05, paired=True) is None

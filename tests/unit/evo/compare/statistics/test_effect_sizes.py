import math
from dataclasses import replace

import numpy as np
import pytest

from evo.compare.statistics.effect_sizes import FEWEST, difference, interquartile_mean, mean, superiority
from evo.compare.statistics.rank_tests import comparisons
from experiments.landscape import SIGMA, Landscape

VALUES = np.random.default_rng(3).normal(size=24)


def compared(ours, theirs, *, paired=True):
    """Return a comparison of outcomes of which higher is better."""
    some = comparisons(Landscape((0.0, 1.0), 5).results(0))[0]
    return replace(some, ours=np.array(ours, float), theirs=np.array(theirs, float), paired=paired)


def test_the_interquartile_mean_is_that_of_the_middle_half():
    found = interquartile_mean(np.array([0.0, 1000.0, 3.0, 2.0, 4.0, 5.0, -70.0, 1.0]))
    assert found.value == np.mean([1.0, 2.0, 3.0, 4.0])
    assert interquartile_mean(np.array([1.0, 3.0, 8.0])).value == 4.0


def test_intervals_hold_the_value_and_narrow_with_the_runs():
    for estimate in (mean, interquartile_mean):
        many, few = estimate(VALUES), estimate(VALUES[:6])
        assert many.low < many.value < many.high
        assert many.high - many.low < few.high - few.low


@pytest.mark.parametrize(("runs", "quantile"), [(6, 2.57), (24, 2.07)])
def test_intervals_of_means_are_as_wide_as_student_s(runs, quantile):
    values = VALUES[:runs]
    found = mean(values)
    assert (found.high - found.low) / 2 == pytest.approx(quantile * values.std(ddof=1) / math.sqrt(runs), rel=0.15)


def test_the_same_values_have_the_same_interval():
    assert mean(VALUES) == mean(VALUES.copy())


def test_pairs_are_resampled_as_pairs():
    seeds = 100 * VALUES
    luck = 0.1 * np.random.default_rng(4).normal(size=24)
    paired, unpaired = (difference(compared(seeds + 1 + luck, seeds, paired=paired)) for paired in (True, False))
    assert paired.value == pytest.approx(unpaired.value)
    assert 0.9 < paired.low < paired.high < 1.1
    assert unpaired.high - unpaired.low > 50


def test_superiority_counts_wins_and_half_the_ties():
    assert superiority(compared([2, 2, 2, 1], [1, 1, 2, 2])).value == (2 + 0.5) / 4
    ours, theirs = [1.0, 5.0, 3.0], [3.0, 0.0]
    wins = [(one > other) + 0.5 * (one == other) for one in ours for other in theirs]
    assert superiority(compared(ours, theirs, paired=False)).value == pytest.approx(np.mean(wins))


@pytest.mark.parametrize("paired", [True, False])
def test_winning_every_time_is_no_certainty(paired):
    always = superiority(compared(VALUES[:8] + 100, VALUES[:8], paired=paired))
    assert (always.value, always.high) == (1.0, 1.0)
    assert always.low == pytest.approx(0.63, abs=0.01)  # 0.63 to the 8th is 2.5%
    never = superiority(compared(VALUES[:8] - 100, VALUES[:8], paired=paired))
    assert (never.value, never.low) == (0.0, 0.0)
    assert never.high == pytest.approx(1 - always.low)
    sometimes = superiority(compared(VALUES[:8] + np.array([9] * 6 + [-9] * 2), VALUES[:8], paired=paired))
    assert 0 < sometimes.low < sometimes.value < sometimes.high <= 1


def test_no_interval_comes_from_nothing():
    assert math.isnan(mean(np.array([])).value)
    assert mean(VALUES[: FEWEST - 1]).low is None
    assert mean(VALUES[:FEWEST]).low is not None
    assert mean(np.full(9, 0.1)).low is None
    assert mean(np.full(9, 0.1)).value == pytest.approx(0.1)


def test_the_planted_difference_lies_within_its_interval():
    found = difference(comparisons(Landscape((0.0, 2.0), 20).results(5))[0])
    assert found.low < 2 * SIGMA < found.high
    assert found.count == 20

"""How many runs a claim needs, and what as many runs as there are could have shown.

An effect is a difference in standard deviations: of a paired difference, or of the runs of an arm. Power is found by
simulating the very test: normal values that differ by the effect, exact rank tests, and the level that the smallest p
of a family must reach under Holm's procedure. Beyond `_SIMULATED` runs it follows the normal approximation with
Pitman's efficiency of ranks, 3/π (Hodges and Lehmann 1956), which is then close.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cache

import numpy as np

from evo.compare.statistics.rank_tests import Comparison, smallest_paired_p, smallest_unpaired_p

POWER = 0.8
"""How often a difference must be found to count as one that an experiment can find."""

_SIMULATED = 40
_MOST = 10_000
_TRIALS = 2000
_EFFICIENCY = 3 / math.pi


def observed_effect(comparison: Comparison) -> float:
    """Return the effect at which normal values would rank as the observed ones do.

    Ranks are what the tests see, and one run that failed moves them little, however far it lies. They tell the
    probability that two paired differences have a positive sum, or that a run of one arm beats one of the other
    (Noether 1987). Half a case is added to either side, since from few runs neither is 0 or 1. 0.0 without two pairs,
    or a run of each arm.
    """
    from scipy import stats

    if comparison.paired:
        first, second = np.triu_indices(len(comparison.differences), k=1)
        sums = comparison.differences[first] + comparison.differences[second]
    else:
        sums = np.subtract.outer(comparison.ours, comparison.theirs).ravel()
    share = (np.sum(0.5 * (np.sign(sums) + 1)) + 0.5) / (len(sums) + 1)
    # Two differences of effect d have a sum of mean 2d and variance 2; a difference of two runs has mean d, variance 2.
    return float(stats.norm.ppf(share)) * (math.sqrt(0.5) if comparison.paired else math.sqrt(2))


def superiority_of(effect: float, *, paired: bool) -> float:
    """Return how often an arm with an effect is better than the other."""
    from scipy import stats

    return float(stats.norm.cdf(effect if paired else effect * math.sqrt(0.5)))


def fewest_runs(level: float, *, paired: bool) -> int:
    """Return the fewest pairs, or runs of each arm, with which p can be as small as a level at all."""
    runs = 1
    while (smallest_paired_p(runs) if paired else smallest_unpaired_p(runs, runs)) > level:
        runs += 1
    return runs


def runs_needed(effect: float, level: float, *, paired: bool) -> int | None:
    """Return the pairs, or runs of each arm, that find an effect with `POWER`; None beyond ten thousand."""
    effect = abs(effect)
    if not effect:
        return None
    approximate = _approximate_runs(effect, level, paired=paired)
    if approximate > _MOST:
        return None
    if approximate > _SIMULATED:
        return approximate
    candidates = range(fewest_runs(level, paired=paired), 2 * _SIMULATED)
    return candidates[bisect_left(candidates, POWER, key=lambda runs: power(effect, runs, level, paired=paired))]


def detectable_effect(runs: int, level: float, *, paired: bool) -> float | None:
    """Return the smallest effect that so many pairs, or runs of each arm, find with `POWER`; None where none is."""
    if runs < fewest_runs(level, paired=paired):
        return None
    if runs > _SIMULATED:
        sides, found = _normal_quantiles(level)
        variances = 1 if paired else 2
        return (sides + found) * math.sqrt(variances / (runs * _EFFICIENCY - sides**2 / (2 * variances)))
    candidates = [hundredth / 100 for hundredth in range(1, 1000)]
    return candidates[bisect_left(candidates, POWER, key=lambda effect: power(effect, runs, level, paired=paired))]


@cache
def power(effect: float, runs: int, level: float, *, paired: bool) -> float:
    """Return how often p is at most `level` in simulated experiments of `runs` pairs, or runs of each arm."""
    from scipy import stats

    chance = np.random.default_rng(0)
    ours = chance.standard_normal((_TRIALS, runs)) + effect
    if paired:
        p = stats.wilcoxon(ours, axis=1).pvalue
    else:
        p = stats.mannwhitneyu(ours, chance.standard_normal((_TRIALS, runs)), axis=1, method="exact").pvalue
    return float(np.mean(p <= level))


def _approximate_runs(effect: float, level: float, *, paired: bool) -> int:
    """Return the normal approximation with Guenther's correction (1981) for a spread that is itself estimated."""
    sides, found = _normal_quantiles(level)
    variances = 1 if paired else 2
    return math.ceil((variances * ((sides + found) / effect) ** 2 + sides**2 / (2 * variances)) / _EFFICIENCY)


def _normal_quantiles(level: float) -> tuple[float, float]:
    """Return how many standard errors p needs, and how many more make that happen with `POWER`."""
    from scipy import stats

    return float(stats.norm.ppf(1 - level / 2)), float(stats.norm.ppf(POWER))

"""How many runs a claim needs, and what as many runs as there are could have shown.

Power is found by simulating the very test: normal differences of a known size in standard deviations, exact rank tests,
and the level that the smallest p of a family must reach under Holm's procedure. Beyond `_SIMULATED` runs it follows the
normal approximation with Pitman's efficiency of ranks, 3/π (Hodges and Lehmann 1956), which is then close.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from functools import cache

import numpy as np

from evo.compare.statistics import smallest_paired_p, smallest_unpaired_p

POWER = 0.8
"""How often a difference must be found to count as one that an experiment can find."""

_SIMULATED = 40
_MOST = 10_000
_TRIALS = 2000
_EFFICIENCY = 3 / math.pi


def fewest_runs(level: float, *, paired: bool) -> int:
    """Return the fewest pairs, or runs of each arm, with which p can be as small as a level at all."""
    runs = 1
    while (smallest_paired_p(runs) if paired else smallest_unpaired_p(runs, runs)) > level:
        runs += 1
    return runs


def runs_needed(effect: float, level: float, *, paired: bool) -> int | None:
    """Return the pairs, or runs of each arm, that find an effect with `POWER`; None beyond ten thousand.

    Args:
        effect: the mean difference in standard deviations: of the paired differences, or of the runs of an arm.
        level: of p, two-sided.
        paired: the design.
    """
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
    """Return the smallest effect that as many pairs, or runs of each arm, find with `POWER`; None where none is found.

    The effect is in the standard deviations of `runs_needed`.
    """
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
    """Return how often an effect has p at most `level`, from simulated experiments.

    Args:
        effect: as in `runs_needed`.
        runs: pairs, or runs of each arm.
        level: of p, two-sided.
        paired: the design.
    """
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

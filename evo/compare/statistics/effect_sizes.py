"""How large things are, with bootstrap intervals: means, interquartile means, differences and superiority.

Intervals are the bias-corrected and accelerated ones of Efron (1987) at 95%; pairs are resampled as pairs. Those of
means are expanded as Hesterberg (2015) proposes, since from few runs resampling alone gives too narrow ones. They are
for one quantity each, not adjusted for how many are shown.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from evo.compare.statistics.rank_tests import Comparison

LEVEL = 0.95
FEWEST = 5
"""Values below which no interval is given: their resamples are too few different ones."""

_RESAMPLES = 9999
_BATCH = 1000
_CUT = 0.25

Statistic = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity and its 95% interval.

    Attributes:
        value: NaN where there was nothing to estimate it from.
        low: None, as `high`, where there are too few values or all are the same.
        count: of values, or of pairs.
    """

    value: float
    low: float | None
    high: float | None
    count: int


def mean(values: np.ndarray) -> Estimate:
    """Return the mean."""
    return _estimate(_mean, values, level=_expanded(values))


def interquartile_mean(values: np.ndarray) -> Estimate:
    """Return the mean of the middle half (Agarwal et al. 2021): steadier than the median, and blind to outliers."""
    return _estimate(trimmed, values)


def trimmed(values: np.ndarray, axis: int = -1) -> Any:
    """Return interquartile means along an axis; of fewer than four values, which have no quarters, their means."""
    from scipy import stats

    return stats.trim_mean(values, _CUT, axis=axis)


def difference(comparison: Comparison) -> Estimate:
    """Return the mean gain over the first arm, in the objective's unit."""
    if comparison.paired:
        return mean(comparison.differences)
    samples = comparison.ours, comparison.theirs
    return _estimate(_difference_of_means, *samples, level=_expanded(*samples))


def superiority(comparison: Comparison) -> Estimate:
    """Return how often the arm is better, ties counting half.

    Paired: the share of repeats. Unpaired: the probability that a run of the arm beats one of the first (Vargha and
    Delaney 2000). Where all went one way there is nothing to resample: the interval is then that of Clopper and Pearson
    (1934) for as many cases as the smaller arm has runs.
    """
    if comparison.paired:
        found = _estimate(_share_above, comparison.differences)
    else:
        found = _estimate(_share_of_wins, comparison.ours, comparison.theirs)
    if found.value in (0.0, 1.0) and found.count >= FEWEST:
        bound = ((1 - LEVEL) / 2) ** (1 / found.count)
        low, high = (bound, 1.0) if found.value else (0.0, 1.0 - bound)
        return Estimate(found.value, low, high, found.count)
    return found


def _expanded(*samples: np.ndarray) -> float:
    """Return the level at which a bootstrap interval of means is as wide as Student's where values are normal."""
    from scipy import stats

    smallest = min(map(len, samples))
    if smallest < FEWEST:
        return LEVEL
    degrees = sum(map(len, samples)) - len(samples)
    # Resamples of n values vary by 1 - 1/n of what samples do.
    widths = math.sqrt(smallest / (smallest - 1)) * stats.t.ppf((1 + LEVEL) / 2, degrees)
    return float(1 - 2 * stats.norm.sf(widths))


def _estimate(statistic: Statistic, *samples: np.ndarray, level: float = LEVEL) -> Estimate:
    """Return a statistic of independent samples."""
    count = min(len(sample) for sample in samples)
    if not count:
        return Estimate(math.nan, None, None, 0)
    value = float(statistic(*samples, axis=-1))
    alike = all(np.ptp(sample) == 0 for sample in samples)
    low, high = (None, None) if count < FEWEST or alike else _bootstrap(statistic, samples, level)
    return Estimate(value, low, high, count)


def _bootstrap(
    statistic: Statistic, samples: tuple[np.ndarray, ...], level: float
) -> tuple[float, float] | tuple[None, None]:
    """Return the BCa interval, or the percentile interval where the jackknife gives no acceleration."""
    from scipy import stats

    for method in ("BCa", "percentile"):
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", stats.DegenerateDataWarning)
            found = stats.bootstrap(
                samples,
                statistic,
                n_resamples=_RESAMPLES,
                confidence_level=level,
                method=method,
                vectorized=True,
                batch=_BATCH,
                rng=np.random.default_rng(0),
            ).confidence_interval
        if math.isfinite(found.low) and math.isfinite(found.high):
            return float(found.low), float(found.high)
    return None, None


def _mean(values: np.ndarray, axis: int) -> Any:
    return values.mean(axis=axis)


def _difference_of_means(ours: np.ndarray, theirs: np.ndarray, axis: int) -> Any:
    return ours.mean(axis=axis) - theirs.mean(axis=axis)


def _share_above(differences: np.ndarray, axis: int) -> Any:
    return (0.5 * (np.sign(differences) + 1)).mean(axis=axis)


def _share_of_wins(ours: np.ndarray, theirs: np.ndarray, axis: int) -> Any:
    """Return the share of all couples that ours win; samples lie along the last axis."""
    wins = 0.5 * (np.sign(ours[..., :, None] - theirs[..., None, :]) + 1)
    return wins.mean(axis=(axis - 1, axis))

"""How much a paired difference between two programs varies by chance, and how sure that is.

Two programs are compared over the training seeds that both ran with. How much such a difference varies is estimated
from all programs that ran with the same seeds at once, since each has few.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

_QUANTILES = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
"""Student's t, two-sided 95%, for one to ten degrees of freedom."""

_FAR_BEYOND = 3.0
"""Standard deviations: one in 370 comparisons of two seeds lies there by chance."""

_FAR_BEYOND_MEDIAN = 20.0
"""The same, as a ratio of variances to their median, which is 0.455 of their mean where there are two seeds."""


@dataclass(frozen=True, slots=True)
class PairedNoise:
    """How much one paired difference varies.

    Attributes:
        sigma: standard deviation, in the objective's unit.
        degrees: of freedom that it rests on; 0 where it is unknown.
    """

    sigma: float = math.nan
    degrees: int = 0

    @classmethod
    def none(cls) -> PairedNoise:
        """Return that of a deterministic program, of which every difference is exact."""
        return cls(0.0, 1)

    @classmethod
    def between(cls, rows: Sequence[Sequence[float]]) -> PairedNoise:
        """Return the spread between programs that ran with the same seeds.

        Every value is taken as what the program does plus what the seed does; what is left is noise, and a difference
        holds it twice. Programs that vary far more than most, as where a training half diverges, say nothing about
        the others and are left out. Where no program depends on the seed, the noise is unknown, which is not zero.

        Args:
            rows: shape (programs, seeds).
        """
        if all(len({*row}) == 1 for row in rows):
            return cls()
        while len(rows) > 1 and len(rows[0]) > 1:
            squares = _residual_squares(rows)
            usual = median(squares)
            steady = [row for row, own in zip(rows, squares, strict=True) if own <= _FAR_BEYOND_MEDIAN * usual]
            if len(steady) == len(rows) or not usual:
                degrees = (len(rows) - 1) * (len(rows[0]) - 1)
                return cls(math.sqrt(2 * sum(squares) / degrees), degrees)
            rows = steady
        return cls()

    @classmethod
    def of_replicates(cls, values: Sequence[float]) -> PairedNoise:
        """Return the spread of a difference between two evaluations, from those of one program that differ."""
        return cls(math.sqrt(2) * stdev(values), len(values) - 1) if len({*values}) > 1 else cls()

    def of_pairs(self, values: Sequence[float]) -> PairedNoise:
        """Return the spread that counts for the differences of one pair: their own where it is far beyond this one."""
        own = stdev(values) if len(values) > 1 else 0.0
        return PairedNoise(own, len(values) - 1) if self.degrees and own > _FAR_BEYOND * self.sigma > 0 else self

    @property
    def quantile(self) -> float:
        """How many standard errors are beyond noise: 2 with many degrees of freedom, more with few."""
        if not self.degrees:
            return math.inf
        return _QUANTILES[self.degrees - 1] if self.degrees <= len(_QUANTILES) else 1.96 + 2.6 / self.degrees


def _residual_squares(rows: Sequence[Sequence[float]]) -> list[float]:
    """Return, for each program, the sum of squares that neither programs nor seeds explain.

    Args:
        rows: shape (programs, seeds).
    """
    means = [fmean(row) for row in rows]
    seeds = [fmean(column) for column in zip(*rows, strict=True)]
    grand = fmean(means)
    return [
        sum((value - mean - seed + grand) ** 2 for value, seed in zip(row, seeds, strict=True))
        for row, mean in zip(rows, means, strict=True)
    ]

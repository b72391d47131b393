"""Paired differences between programs, their noise, and what that allows to say.

Two programs are compared over the training seeds that both ended OK with, so that what a seed does to both cancels.
How much such a difference varies is estimated from all programs of a study at once, since each has few seeds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from evo.studies.notebook import Measurement, Notebook
from trainer.evaluation import Status
from trainer.objectives import Constraint, Objective

_QUANTILES = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23)
"""Student's t, two-sided 95%, for one to ten degrees of freedom."""

_ROUNDING = 1e-9
"""Of a value: where nothing is left to chance, smaller differences come from the order of sums."""

_FAR_BEYOND = 3.0
"""Standard deviations: one in 370 comparisons of two seeds lies there by chance."""

_FAR_BEYOND_MEDIAN = 20.0
"""The same, as a ratio of variances to their median, which is 0.455 of their mean where there are two seeds."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How much one paired difference varies.

    Attributes:
        sigma: standard deviation, in the objective's unit.
        degrees: of freedom that it rests on; 0 where it is unknown.
    """

    sigma: float = math.nan
    degrees: int = 0

    @classmethod
    def of_samples(cls, reference: Sample, others: Iterable[Sample], objective: Objective) -> Spread:
        """Return the spread within a study.

        Every value is taken as what the program does plus what the seed does; what is left is noise, and a difference
        holds it twice. Programs that vary far more than most, as where a training half diverges, say nothing about
        the others and are left out.
        """
        seeds = [*reference.values(objective)]
        found = [one.values(objective) for one in (reference, *others)]
        rows = [[values[seed] for seed in seeds] for values in found if values.keys() >= {*seeds}]
        while len(rows) > 1 and len(seeds) > 1:
            squares = _residual_squares(rows)
            usual = median(squares)
            steady = [row for row, own in zip(rows, squares, strict=True) if own <= _FAR_BEYOND_MEDIAN * usual]
            if len(steady) == len(rows) or not usual:
                degrees = (len(rows) - 1) * (len(seeds) - 1)
                return cls(math.sqrt(2 * sum(squares) / degrees), degrees)
            rows = steady
        return cls()

    @classmethod
    def of_replicates(cls, sample: Sample, objective: Objective) -> Spread:
        """Return the spread of a difference between two evaluations, from those of one program."""
        values = [*sample.values(objective).values()]
        return cls(math.sqrt(2) * stdev(values), len(values) - 1) if len(values) > 1 else cls()

    def of_pairs(self, values: Sequence[float]) -> Spread:
        """Return the spread that counts for the differences of one pair: their own where it is far beyond this one."""
        own = stdev(values) if len(values) > 1 else 0.0
        return Spread(own, len(values) - 1) if self.degrees and own > _FAR_BEYOND * self.sigma > 0 else self

    @property
    def quantile(self) -> float:
        """How many standard errors are beyond noise: 2 with many degrees of freedom, more with few."""
        if not self.degrees:
            return math.inf
        return _QUANTILES[self.degrees - 1] if self.degrees <= len(_QUANTILES) else 1.96 + 2.6 / self.degrees


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better one program is than another, over the seeds that both ended OK with.

    Attributes:
        mean: of the paired differences, positive is better; None where no seed ended OK with both.
        noise: its standard error; None where the spread is unknown.
        margin: what the mean must exceed to be beyond noise; None likewise.
        seeds: pairs.
    """

    mean: float | None
    noise: float | None
    margin: float | None
    seeds: int

    @property
    def is_real(self) -> bool:
        """Whether it is better beyond noise."""
        return self.mean is not None and self.margin is not None and self.mean > self.margin

    @property
    def is_loss(self) -> bool:
        """Whether it is worse beyond noise."""
        return self.mean is not None and self.margin is not None and self.mean < -self.margin


@dataclass(frozen=True)
class Sample:
    """What was measured of one program, by seed."""

    measurements: Mapping[int, Measurement]

    @classmethod
    def of(cls, notebook: Notebook, program: str, seeds: Sequence[int]) -> Sample:
        """Return what a notebook has of a program so far."""
        found = {seed: notebook.get(program, seed) for seed in seeds}
        return cls({seed: one for seed, one in found.items() if one is not None})

    def values(self, objective: Objective) -> dict[int, float]:
        """Return the values of the seeds that ended OK."""
        return {
            seed: one.objectives[objective.name]
            for seed, one in sorted(self.measurements.items())
            if one.status is Status.OK
        }

    def mean(self, objective: Objective) -> float | None:
        """Return the mean over the seeds that ended OK, None without any."""
        values = self.values(objective)
        return fmean(values.values()) if values else None

    @property
    def failures(self) -> str:
        """How the seeds ended that did not end OK, as `2 crashed`; empty where none did."""
        counts = Counter(one.status for one in self.measurements.values() if one.status is not Status.OK)
        return ", ".join(f"{count} {status}" for status, count in counts.items())

    @property
    def has_failed(self) -> bool:
        """Whether it was measured, and no seed ended OK."""
        return bool(self.measurements) and not any(one.status is Status.OK for one in self.measurements.values())

    def broken(self, bounds: Iterable[Constraint]) -> str:
        """Return the constraints that its means break, as `breaks peak_vram_mb < 70000`; empty where it keeps all."""
        measured = [one.objectives for one in self.measurements.values() if one.status is Status.OK]
        means = {name: fmean(one[name] for one in measured) for name in (measured[0] if measured else ())}
        return ", ".join(f"breaks {bound}" for bound in bounds if means and bound.violation(means))

    @property
    def reason(self) -> str:
        """Why the first one failed that did; empty where none did."""
        return next((one.reason for one in self.measurements.values() if one.status is not Status.OK), "")


def gain_over(better: Sample, base: Sample, objective: Objective, spread: Spread) -> Gain:
    """Return the gain of one program over another."""
    ours, theirs = better.values(objective), base.values(objective)
    values = [objective.weight * (ours[seed] - theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]
    if not values:
        return Gain(None, None, None, 0)
    own = spread.of_pairs(values)
    noise = own.sigma / math.sqrt(len(values)) if own.degrees else None
    rounding = _ROUNDING * max(map(abs, (*ours.values(), *theirs.values())))
    margin = None if noise is None else max(own.quantile * noise, rounding)
    return Gain(fmean(values), noise, margin, len(values))


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

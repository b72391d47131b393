"""Paired differences between programs, their noise, and what that allows to say.

Two programs are compared over the training seeds that both ended OK with, so that what a seed does to both cancels.
How much such a difference varies is estimated from all programs of a study at once, since each has few seeds.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from evo.standings.paired_noise import PairedNoise
from evo.studies.measurement_cache import Measurement, MeasurementCache
from trainer.evaluation import Status
from trainer.objectives import Constraint, Objective

_ROUNDING = 1e-9
"""Of a value: where nothing is left to chance, smaller differences come from the order of sums."""


@dataclass(frozen=True, slots=True)
class PairedGain:
    """How much better one program is than another, over the seeds that both ended OK with.

    Attributes:
        mean: of the paired differences, positive is better; None where no seed ended OK with both.
        noise: its standard error; None where the noise is unknown.
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
    def of(cls, cache: MeasurementCache, program: str, seeds: Sequence[int]) -> Sample:
        """Return what a cache has of a program so far."""
        found = {seed: cache.get(program, seed) for seed in seeds}
        return cls({seed: one for seed, one in found.items() if one is not None})

    def values(self, objective: Objective) -> dict[int, float]:
        """Return the values of the seeds that ended OK and reported it."""
        return {
            seed: one.objectives[objective.name]
            for seed, one in sorted(self.measurements.items())
            if one.status is Status.OK and objective.name in one.objectives
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
        names = [name for name in (measured[0] if measured else ()) if all(name in one for one in measured)]
        means = {name: fmean(one[name] for one in measured) for name in names}
        return ", ".join(f"breaks {bound}" for bound in bounds if means and bound.violation(means))

    @property
    def reason(self) -> str:
        """Why the first one failed that did; empty where none did."""
        return next((one.reason for one in self.measurements.values() if one.status is not Status.OK), "")


def noise_between(
    reference: Sample, others: Iterable[Sample], objective: Objective, *, is_exact: bool = False
) -> PairedNoise:
    """Return the noise within a study, over the programs that ended OK with every seed that the reference did with.

    There is none where, by the task's own word, every run gives the same.
    """
    if is_exact:
        return PairedNoise.none()
    seeds = [*reference.values(objective)]
    found = [one.values(objective) for one in (reference, *others)]
    return PairedNoise.between([[values[seed] for seed in seeds] for values in found if values.keys() >= {*seeds}])


def noise_of_replicates(sample: Sample, objective: Objective) -> PairedNoise:
    """Return the noise of a difference between two evaluations, from those of one program."""
    return PairedNoise.of_replicates([*sample.values(objective).values()])


def gain_over(better: Sample, base: Sample, objective: Objective, paired_noise: PairedNoise) -> PairedGain:
    """Return the gain of one program over another."""
    ours, theirs = better.values(objective), base.values(objective)
    values = [objective.weight * (ours[seed] - theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]
    if not values:
        return PairedGain(None, None, None, 0)
    own = paired_noise.of_pairs(values)
    noise = own.sigma / math.sqrt(len(values)) if own.degrees else None
    rounding = _ROUNDING * max(map(abs, (*ours.values(), *theirs.values())))
    margin = None if noise is None else max(own.quantile * noise, rounding)
    return PairedGain(fmean(values), noise, margin, len(values))

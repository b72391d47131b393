"""Sentinels: generation 0 run again now and then on every device, to notice when a device drifts.

A device that throttles, or is shared with another process, trains less in the same seconds: what is measured on it from
then on looks worse than it is. A sentinel repeats the very first training, seed included; what it measures is about the
device, and counts in no mean. It is compared with generation 0 on the same class of devices.

Where a run has several devices, one whose sentinel is far off runs another at once, and one that is far off twice in a
row, in the same direction, has drifted: it is given no more work (`evo.search.evaluations`).
"""

from __future__ import annotations

import math
from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean

from evo.standings.device_classes import DeviceClasses
from evo.standings.paired_noise import PairedNoise
from evo.store import EvaluationRequest, Outcome, Purpose
from populations.dominance import TIE_ERRORS
from trainer.evaluation import Split, Status
from trainer.objectives import Objective

_SIGMAS = 3.0
_TWICE = 2


@dataclass(frozen=True, slots=True)
class Drift:
    """A device measures generation 0 differently than before.

    Attributes:
        result_number: of the sentinel's result.
        value: what it measured, in the unit of the first objective.
        before: mean of generation 0 with the same seed, on every device of its class, until then; of what lay within
            the noise.
        sigmas: the difference in standard deviations of one evaluation; positive where it is better now.
        workers: how many evaluate on the device at a time.
    """

    device: str
    result_number: int
    value: float
    before: float
    sigmas: float
    workers: int = 1

    def __str__(self) -> str:
        direction = "better" if self.sigmas > 0 else "worse"
        shared = f"; {self.workers} workers share it and may disturb one another" if self.workers > 1 else ""
        return (
            f"{self.device} drifts: generation 0 came out {abs(self.sigmas):.1f} σ {direction} than before "
            f"({self.value:.6g} instead of {self.before:.6g}), so results on it are hard to compare{shared}"
        )


class Sentinels:
    """Knows when each device is due for a sentinel, and what the sentinels have shown.

    A device gets one after `every` of its evaluations; 0 for none at all.
    """

    def __init__(self, every: int, objective: Objective, classes: DeviceClasses | None = None) -> None:
        self._every = every
        self._objective = objective
        self._classes = classes or DeviceClasses(objective.name)
        self._since: defaultdict[str, float] = defaultdict(float)
        self._seed: int | None = None
        self._known: defaultdict[str | None, list[float]] = defaultdict(list)  # by class, None for the reference
        self._workers: defaultdict[str, set[str]] = defaultdict(set)
        self._class_of: dict[str, str | None] = {}
        self._far_off: defaultdict[str, int] = defaultdict(int)  # sentinels in a row; negative where worse
        self._newest: dict[str, Drift] = {}
        self._readings: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)

    def tell(self, outcome: Outcome, sigma: float | None) -> None:
        """Take in one result of the run.

        Args:
            sigma: standard deviation of one evaluation; None while it is unknown.
        """
        device = device_of(outcome.device)
        self._workers[device].add(outcome.device)
        self._since[device] += outcome.budget_fraction
        is_first = outcome.purpose is Purpose.BASELINE and self._seed in (None, outcome.seed)
        if outcome.purpose is Purpose.SENTINEL:
            self._since[device] = 0
        elif not (is_first and outcome.individual == 0):
            return
        if outcome.status is not Status.OK:
            return
        self._seed = outcome.seed
        value = outcome.objectives[self._objective.name]
        self._readings[device].append((outcome.result_number, value))
        own_class = None if self._classes.is_reference(outcome.device_class) else outcome.device_class
        self._class_of[device] = own_class
        known = self._known_on(own_class)
        sigma = self._classes.noise(own_class) or sigma if own_class else sigma
        if outcome.purpose is Purpose.SENTINEL and sigma and known:
            before = fmean(known)
            sigmas = self._objective.weight * (value - before) / sigma
            workers = len(self._workers[device])
            self._newest[device] = Drift(device, outcome.result_number, value, before, sigmas, workers)
            self._count(device, sigmas, PairedNoise(sigma, self._classes.replicates(own_class) - 1))
            if abs(sigmas) > _SIGMAS:  # or what one device has lost, the others would seem to have gained
                return
        known.append(value)

    def _known_on(self, own_class: str | None) -> list[float]:
        """Return what generation 0 gave with the seed of the sentinels on a class so far, oldest first."""
        known = self._known[own_class]
        if own_class and not known and self._seed is not None:
            first = self._classes.calibration(own_class, self._seed)
            known += [] if first is None else [first]
        return known

    def _count(self, device: str, sigmas: float, noise: PairedNoise) -> None:
        """Take in how far a sentinel is off: far is more where few replicates tell the noise."""
        is_far = abs(sigmas) > _SIGMAS * max(1.0, noise.quantile / TIE_ERRORS)
        sign = int(math.copysign(1, sigmas))
        self._far_off[device] = (max(0, sign * self._far_off[device]) + 1) * sign if is_far else 0

    def are_due(self, device: str) -> bool:
        """Return whether a device has given so many results since its last sentinel that it is time for one."""
        return bool(self._every) and self._seed is not None and self._since[device] >= self._every

    def is_suspect(self, device: str) -> bool:
        """Return whether the newest sentinel of a device is far off and the one before was not."""
        return abs(self._far_off[device]) == 1

    @property
    def drifted(self) -> list[Drift]:
        """The devices whose last two sentinels are far off in the same direction, by name."""
        return [self._newest[device] for device in sorted(self._newest) if abs(self._far_off[device]) >= _TWICE]

    @property
    def request(self) -> EvaluationRequest:
        """The evaluation of generation 0 when a sentinel is due: with the seed of its first one."""
        assert self._seed is not None  # noqa: S101 - none is due before that was told
        return EvaluationRequest(self._seed, (Split.SELECTION,), Purpose.SENTINEL)

    def shift(self, device: str, result_number: int, sigma: float, until: int) -> float:
        """Return by how much a device measured more than at first, around one of its results.

        The last run of generation 0 before the result and the first one after it tell. What lies within the noise is no
        drift, and correcting by it would add noise.

        Args:
            result_number: of the result.
            sigma: standard deviation of one evaluation.
            until: number of the newest result that may be used.
        """
        readings = [reading for reading in self._readings[device] if reading[0] <= until]
        after = bisect(readings, (result_number, math.inf))
        is_one = after > 0 and readings[after - 1][0] == result_number
        near = [value for _, value in readings[max(0, after - 1) : after + (not is_one)]]
        if not near:
            return 0.0
        shift = fmean(near) - self._known[self._class_of[device]][0]
        return shift if abs(shift) > _SIGMAS * sigma else 0.0

    @property
    def drifts(self) -> list[Drift]:
        """The devices whose newest sentinel differs beyond the noise, by name."""
        return [self._newest[device] for device in sorted(self._newest) if abs(self._newest[device].sigmas) > _SIGMAS]

    def readings(self, device: str) -> list[float]:
        """Return what generation 0 gave on a device with the seed of the sentinels, oldest first."""
        return [value for _, value in self._readings.get(device, ())]

    def newest(self, device: str) -> Drift | None:
        """Return how far the newest sentinel of a device is off, within the noise or not; None before one."""
        return self._newest.get(device)


def device_of(worker: str) -> str:
    """Return the device of a worker called `cuda:GPU-1/0`: several workers may share one."""
    return worker.rpartition("/")[0] or worker

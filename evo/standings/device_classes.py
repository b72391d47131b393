"""Unequal devices: results of every class of devices on the scale of one, the reference.

The same program trains further on a faster device, so its scores on two classes are two quantities. What they share is
generation 0: it runs on every class, with the same seeds, and each result is taken as what it is better or worse than
generation 0 on its own class. That difference is put on the scale of the reference before anything compares it, so a
run on one class is untouched. Losses differ by a constant, speeds, seconds and memory by a factor.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean, stdev

from evo.store import Outcome, Purpose
from trainer.errors import counted
from trainer.evaluation import Status

_BY_FACTOR = frozenset({"tokens_per_second", "train_seconds", "run_seconds", "peak_memory_mib"})
"""What another device multiplies; it adds to everything else."""


@dataclass(frozen=True, slots=True)
class ClassState:
    """What is known of a class of devices.

    Attributes:
        name: model, driver, power limit and PyTorch.
        is_reference: whether all values of the run are on its scale.
        generation_zero: mean of the first objective of generation 0 on it, as measured; None before that.
        replicates: that it rests on.
        shift: what is taken from a value of the first objective to put it on the scale of the reference.
        shift_error: standard error of `shift`; None while the noise is unknown.
        results: that ran on it so far, failures included.
        confirmations: those of them that were to confirm a finalist.
    """

    name: str
    is_reference: bool
    generation_zero: float | None
    replicates: int
    shift: float
    shift_error: float | None
    results: int
    confirmations: int

    def __str__(self) -> str:
        """Return one sentence."""
        confirming = f" ({self.confirmations} to confirm finalists)" if self.confirmations else ""
        ran = f"{counted(self.results, 'result')}{confirming} on {self.name}"
        if self.is_reference:
            return f"{ran}, the reference: all values are on its scale"
        if self.generation_zero is None:
            return f"{ran}, where generation 0 has not been measured yet"
        error = "" if self.shift_error is None else f" ± {self.shift_error:.2g}"
        sign = "+" if self.shift >= 0 else "-"
        return f"{ran}, where generation 0 came out {sign}{abs(self.shift):.5g}{error} against the reference: corrected"


class DeviceClasses:
    """Knows what generation 0 measured on each class; a function of the results in their order.

    Args:
        objective: name of the first one.

    Attributes:
        reference: the class that generation 0 was measured on first; None before that, and in runs of a version that
            did not record classes, whose devices all count as one class.
        calibrations: results of generation 0 on each other class, failures included.
    """

    def __init__(self, objective: str) -> None:
        self.reference: str | None = None
        self.calibrations: Counter[str] = Counter()
        self._objective = objective
        self._objectives: defaultdict[str | None, dict[int, Mapping[str, float]]] = defaultdict(dict)  # then by seed
        self._split_bpb: defaultdict[str | None, dict[int, Mapping[str, float]]] = defaultdict(dict)
        self._results: Counter[str] = Counter()
        self._confirmations: Counter[str] = Counter()
        self._ran_on: defaultdict[int, Counter[str | None]] = defaultdict(Counter)  # by individual

    def tell(self, outcome: Outcome) -> None:
        """Take in any result."""
        name = outcome.device_class
        if name is not None:
            self._results[name] += 1
            self._confirmations[name] += outcome.purpose is Purpose.CONFIRM
        if outcome.purpose is Purpose.CALIBRATION and name is not None:
            self.calibrations[name] += 1
        if outcome.status is not Status.OK:
            return
        if outcome.purpose.counts:
            self._ran_on[outcome.individual][name] += 1
        if outcome.purpose is Purpose.BASELINE:
            if not self.has_begun:
                self.reference = name
            name = self.reference  # where that was gone by then, the value is on its scale all the same
        elif outcome.purpose is not Purpose.CALIBRATION:
            return
        self._objectives[name][outcome.seed] = outcome.objectives
        self._split_bpb[name][outcome.seed] = outcome.split_bpb

    @property
    def is_mixed(self) -> bool:
        """Whether results came from several classes."""
        return len(self._results) > 1

    @property
    def has_begun(self) -> bool:
        """Whether generation 0 was measured on the reference."""
        return self.has_measured(self.reference)

    def has_measured(self, name: str | None) -> bool:
        """Return whether generation 0 was measured on a class."""
        return bool(self._objectives.get(name))

    def is_reference(self, name: str | None) -> bool:
        """Return whether values of a class are on the scale of the run as they were measured."""
        return name is None or self.reference is None or name == self.reference

    def is_calibrated(self, name: str | None) -> bool:
        """Return whether generation 0 was measured on a class and on the reference."""
        return self.is_reference(name) or (self.has_measured(name) and self.has_begun)

    def scaled(self, objectives: Mapping[str, float], name: str | None) -> dict[str, float]:
        """Return objectives that a calibrated class measured on the scale of the reference.

        One that generation 0 did not measure is left out: nothing says what it would be there.
        """
        if self.is_reference(name):
            return dict(objectives)
        return self._moved(objectives, self._objectives[self.reference], self._objectives[name])

    def scaled_splits(self, split_bpb: Mapping[str, float], name: str | None) -> dict[str, float]:
        """Do the same with bits per byte by split."""
        if self.is_reference(name):
            return dict(split_bpb)
        return self._moved(split_bpb, self._split_bpb[self.reference], self._split_bpb[name])

    def on_class(self, objective: str, value: float, name: str | None) -> float:
        """Return a value on the scale of the reference as a calibrated class would measure it."""
        if self.is_reference(name):
            return value
        moved = self._moved({objective: value}, self._objectives[name], self._objectives[self.reference])
        return moved.get(objective, value)

    def noise(self, name: str | None) -> float | None:
        """Return the standard deviation of the first objective on a class, on the reference's scale, where known."""
        measured = self._objectives[self.reference if self.is_reference(name) else name]
        values = [self.scaled(one, name)[self._objective] for one in measured.values() if self._objective in one]
        return stdev(values) if len(values) > 1 and len({*values}) > 1 else None

    def replicates(self, name: str | None) -> int:
        """Return how many results of generation 0 its noise on a class rests on."""
        return len(self._objectives[self.reference if self.is_reference(name) else name])

    def calibration(self, name: str, seed: int) -> float | None:
        """Return the first objective of generation 0 with a seed on a class, on the reference's scale, if measured."""
        measured = self._objectives[name].get(seed)
        return None if measured is None else self.scaled(measured, name).get(self._objective)

    def standard_error(self, individual: int, base: int, sigma: float) -> float | None:
        """Return the standard error of the difference of two means; None where both were measured on the reference.

        It holds the noise of each class, and that of its shift as far as the two do not share it.

        `sigma` is the standard deviation of one evaluation on the reference. It stands for that of a class
        whose own is unknown.
        """
        own, other = self._ran_on[individual], self._ran_on[base]
        others = [name for name in {*own, *other} if not self.is_reference(name)]
        if not others:
            return None
        variance = 0.0
        for name in {*own, *other}:
            varies = (sigma if self.is_reference(name) else self.noise(name) or sigma) ** 2
            shares = own[name] / own.total(), other[name] / other.total()
            variance += varies * (own[name] / own.total() ** 2 + other[name] / other.total() ** 2)
            if name in others:
                variance += ((shares[0] - shares[1]) * (self._shift_error(name, sigma) or 0.0)) ** 2
        return math.sqrt(variance)

    def states(self, sigma: float | None) -> list[ClassState]:
        """Return what is known of each class, the reference first; empty in a run on one class.

        Args:
            sigma: standard deviation of one evaluation on the reference; None while it is unknown.
        """
        names = sorted(self._results, key=lambda name: (name != self.reference, name))
        return [self._state(name, sigma) for name in names] if self.is_mixed else []

    def _state(self, name: str, sigma: float | None) -> ClassState:
        is_reference = name == self.reference
        measured = [one[self._objective] for one in self._objectives[name].values() if self._objective in one]
        mean = fmean(measured) if measured else None
        shift = 0.0 if mean is None else mean - self.scaled({self._objective: mean}, name).get(self._objective, mean)
        error = None if is_reference or sigma is None else self._shift_error(name, sigma)
        ran = self._results[name], self._confirmations[name]
        return ClassState(name, is_reference, mean, len(measured), shift, error, *ran)

    def _shift_error(self, name: str | None, sigma: float) -> float | None:
        counts = len(self._objectives[name]), len(self._objectives[self.reference])
        if not all(counts):
            return None
        return math.sqrt((self.noise(name) or sigma) ** 2 / counts[0] + sigma**2 / counts[1])

    @staticmethod
    def _moved(
        values: Mapping[str, float],
        onto: Mapping[int, Mapping[str, float]],
        origin: Mapping[int, Mapping[str, float]],
    ) -> dict[str, float]:
        """Return values with the difference of generation 0 between two classes taken out, over the seeds of both."""
        seeds = sorted(onto.keys() & origin.keys())
        moved: dict[str, float] = {}
        for name, value in values.items():
            there = [onto[seed][name] for seed in seeds or onto if name in onto[seed]]
            here = [origin[seed][name] for seed in seeds or origin if name in origin[seed]]
            if there and here:
                target, base = fmean(there), fmean(here)
                by_factor = name in _BY_FACTOR and target > 0 and base > 0
                moved[name] = value * (target / base) if by_factor else value + (target - base)
        return moved

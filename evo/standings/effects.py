"""What each individual gained on its own parents, as of any result, corrected for the drift of devices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from evo.standings.differences import Difference
from evo.standings.sentinels import Sentinels, device_of
from evo.store import Outcome
from trainer.objectives import Objective


class _Reading(NamedTuple):
    result_number: int
    device: str
    value: float


class Effects:
    """Knows every measurement of the first objective, with the device that took it.

    Args:
        objective: the one that effects are told in.
        sentinels: of the run; they tell how far a device had drifted.
    """

    def __init__(self, objective: Objective, sentinels: Sentinels) -> None:
        self._objective = objective
        self._sentinels = sentinels
        self._readings: defaultdict[int, list[_Reading]] = defaultdict(list)

    def tell(self, outcome: Outcome) -> None:
        """Take in a result that enters the means of its individual."""
        reading = _Reading(outcome.result_number, device_of(outcome.device), outcome.objectives[self._objective.name])
        self._readings[outcome.individual].append(reading)

    def mean(self, individual: int, sigma: float | None, until: int) -> tuple[float, int] | None:
        """Return the mean of an individual after the result numbered `until`, and how many evaluations it rests on.

        Args:
            sigma: standard deviation of one evaluation; None while it is unknown, when nothing is corrected.
            until: number of the newest result that may be used.
        """
        readings = [one for one in self._readings.get(individual, ()) if one.result_number <= until]
        if not readings:
            return None
        return fmean(self._corrected(one, sigma, until) for one in readings), len(readings)

    def of(
        self, individual: int, parents: Iterable[int], sigma: float | None, until: int
    ) -> tuple[int, Difference] | None:
        """Return the better of the parents and what the individual gained on it; None before both were measured."""
        own = self.mean(individual, sigma, until)
        bases = [(parent, base) for parent in parents if (base := self.mean(parent, sigma, until)) is not None]
        if own is None or not bases:
            return None
        weight = self._objective.weight
        parent, (mean, replicates) = max(bases, key=lambda one: weight * one[1][0])
        return parent, Difference.of(weight * (own[0] - mean), mean, sigma, own[1], replicates)

    def _corrected(self, reading: _Reading, sigma: float | None, until: int) -> float:
        if not sigma:
            return reading.value
        return reading.value - self._sentinels.shift(reading.device, reading.result_number, sigma, until)

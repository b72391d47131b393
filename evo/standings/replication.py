"""How often individuals were evaluated with further seeds, and whether a further seed shows anything new."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evo.store import Outcome, Purpose
from populations.individual import Individual
from trainer.evaluation import Status
from trainer.objectives import Objective

_ENOUGH_REPEATS = 8
"""Repeated evaluations that came out equal to the last bit, after which that is not put down to chance."""

_TELLING_DIGITS = 5
"""Digits of a value for which one repetition suffices: an accuracy of 0.97 may come twice, 0.97314 hardly does."""


class Replication:
    """Counts replicates (`evo.search.replication`).

    Attributes:
        results: of replicates by individual, failures included.
        failures: how many of them failed.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self.results: Counter[int] = Counter()
        self.failures: Counter[int] = Counter()
        self._names = [objective.name for objective in objectives]
        self._repeats = 0
        self._is_telling = False
        self._varies = False

    def tell(self, outcome: Outcome) -> None:
        """Take in a result."""
        if outcome.purpose is Purpose.REPLICATE:
            self.results[outcome.individual] += 1
            self.failures[outcome.individual] += outcome.status is not Status.OK

    def compare(self, individual: Individual, outcome: Outcome) -> None:
        """Take in whether an OK evaluation repeats, to the last bit, what another seed measured before."""
        others = [measured for seed, measured in individual.evaluations if seed != outcome.seed]
        if others:
            self._repeats += 1
            self._varies |= any(others[0][name] != outcome.objectives[name] for name in self._names)
            self._is_telling |= any(_digits(outcome.objectives[name]) >= _TELLING_DIGITS for name in self._names)

    @property
    def repeats_exactly(self) -> bool:
        """Whether repeated evaluations showed that every seed gives the same run, so that no noise can be measured."""
        return not self._varies and (self._repeats >= _ENOUGH_REPEATS or self._is_telling)


def _digits(value: float) -> int:
    """Return how many significant digits a value has."""
    mantissa = repr(abs(value)).partition("e")[0]
    return len(mantissa.replace(".", "").strip("0"))

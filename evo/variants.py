"""Which measured individuals have the same code but for their constants: what the tuning operator learns from."""

from __future__ import annotations

from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from evo.store import StoreView
from operators.proposal import Variant
from operators.source.constants import Value, constants_and_structure
from trainer.evaluation import Status


class _Program(NamedTuple):
    constants: Mapping[str, Value]
    structure: str


class Variants:
    """Finds what was measured of the variants of an individual; every source and every result is read once.

    Args:
        store: of the run.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._programs: dict[int, _Program] = {}
        self._measured: defaultdict[str, list[Variant]] = defaultdict(list)  # by structure
        self._told: defaultdict[str, list[int]] = defaultdict(list)  # the numbers of these results
        self._read = 0

    def of(self, individual: int, told: int) -> list[Variant]:
        """Return the measurements of an individual's variants among the first `told` results, in their order."""
        self._read_results()
        structure = self._look_up(individual).structure
        return self._measured[structure][: bisect(self._told[structure], told)]

    def _read_results(self) -> None:
        for outcome in self._store.outcomes(after=self._read):
            self._read = outcome.told
            if outcome.status is not Status.OK or not outcome.purpose.counts:
                continue
            program = self._look_up(outcome.individual)
            self._measured[program.structure].append(Variant(outcome.individual, program.constants, outcome.objectives))
            self._told[program.structure].append(outcome.told)

    def _look_up(self, individual: int) -> _Program:
        if individual not in self._programs:
            self._programs[individual] = _Program(*constants_and_structure(self._store.source(individual)))
        return self._programs[individual]

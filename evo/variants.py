"""Which measured individuals have the same code but for their constants: what the tuning operator learns from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evo.standings import Standings
from evo.store import StoreView, mean_objectives
from operators.constants import Value, constants_and_structure
from operators.proposal import Variant


class _Known(NamedTuple):
    constants: Mapping[str, Value]
    structure: str


class Variants:
    """Finds the variants of an individual; every source is read once.

    Args:
        store: of the run.
        standings: who was measured.
    """

    def __init__(self, store: StoreView, standings: Standings) -> None:
        self._store = store
        self._standings = standings
        self._known: dict[int, _Known] = {}

    def of(self, individual: int, told: int) -> list[Variant]:
        """Return the variants of an individual, itself among them, after `told` results; unmeasured ones are none."""
        structure = self._look_up(individual).structure
        same = [one for one in self._standings.family if self._look_up(one).structure == structure]
        measured = {one: [o for o in self._store.measurements_of(one) if o.told <= told] for one in same}
        return [
            Variant(self._known[one].constants, mean_objectives(outcomes))
            for one, outcomes in measured.items()
            if outcomes
        ]

    def _look_up(self, individual: int) -> _Known:
        if individual not in self._known:
            self._known[individual] = _Known(*constants_and_structure(self._store.source(individual)))
        return self._known[individual]

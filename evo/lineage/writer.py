"""What git shows of a run, kept up with the store: individuals at once, the best one, notes once a generation."""

from __future__ import annotations

from collections import deque

from evo.standings.standings import Standings
from evo.store import IndividualRecord, Store, StoreView


class FamilyTree:
    """A family tree that is not written, for simulations and replays; `Lineage` writes one."""

    def project(self, individual: IndividualRecord, source: str) -> object:
        """Write an individual whose parents were written."""

    def project_missing(self, store: StoreView) -> object:
        """Write all that is missing."""

    def project_notes(self, store: StoreView) -> None:
        """Write the newest results."""

    def set_best(self, individual: int) -> None:
        """Mark the best individual."""


class LineageWriter:
    """Writes the lineage after the store has committed."""

    def __init__(self, lineage: FamilyTree, store: Store, standings: Standings) -> None:
        self._lineage = lineage
        self._store = store
        self._standings = standings
        self._admitted: deque[int] = deque()
        self._best_shown: int | None = None
        self._generation_noted = 0.0

    def restore(self) -> None:
        """Write what is missing after a kill, or was deleted by hand."""
        self._lineage.project_missing(self._store)

    def admitted(self, individual: int) -> None:
        """Take in a new individual, to be written with the next `update`."""
        self._admitted.append(individual)

    def update(self) -> None:
        """Write what is new: call it when the store has committed it."""
        while self._admitted:
            number = self._admitted[0]
            self._lineage.project(self._store.individual(number), self._store.source(number))
            self._admitted.popleft()
        best = self._standings.best()
        if best and best.id != self._best_shown:
            self._lineage.set_best(best.id)
            self._best_shown = best.id
        generation = self._standings.spent // self._standings.plan.mu
        if generation != self._generation_noted:
            self._lineage.project_notes(self._store)
            self._generation_noted = generation

    def close(self) -> None:
        """Write the notes of the last, incomplete generation."""
        self._lineage.project_notes(self._store)

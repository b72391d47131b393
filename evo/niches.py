"""The archive of a run: the best individual of every niche, brought up to date when somebody asks for it."""

from __future__ import annotations

from evo.standings.standings import Standings
from evo.store import StoreView
from populations.descriptors import Described, Descriptors
from populations.map_elites import MapElites


class Niches:
    """Finds the elites of a run's archive; what they are follows from the results told so far.

    Args:
        store: of the run.
        standings: who was measured.
        descriptors: what tells niches apart.
    """

    def __init__(self, store: StoreView, standings: Standings, descriptors: Descriptors) -> None:
        self._store = store
        self._standings = standings
        self._descriptors = descriptors
        self._archive = MapElites()
        self._branches: dict[int, int] = {}
        self._seen: dict[int, int] = {}

    def elites(self) -> list[int]:
        """Return the elites, the oldest first; none before generation 0 was measured."""
        zero = self._standings.generation_zero
        if zero is None:
            return []
        # Its first evaluation, whatever came later: niches must not depend on when somebody asks for them.
        reference = Described(zero.source, 0, zero.evaluations[0][1])
        for individual, known in self._standings.measured.items():
            if self._seen.get(individual) != known.told:
                self._seen[individual] = known.told
                source = self._store.source(individual) if self._descriptors.read_code else ""
                described = Described(source, self._branch(individual), known.means)
                self._archive.update(individual, known.fitness, self._descriptors.cell(described, reference))
        return list(self._archive.elites().values())

    def _branch(self, individual: int) -> int:
        """Return the child of generation 0 that an individual descends from, along its first parents."""
        if individual not in self._branches:
            parent = self._standings.family[individual][:1]
            self._branches[individual] = self._branch(parent[0]) if parent and parent[0] else individual
        return self._branches[individual]

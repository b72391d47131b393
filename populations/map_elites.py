"""MAP-Elites: the best individual of every cell of a space that says how individuals differ (Mouret and Clune, 2015).

The best of each kind stays, however good other kinds are. pyribs keeps such archives as arrays of solutions
and scores that never change; here a mean moves with every re-evaluation, so each cell remembers all its individuals.
"""

from __future__ import annotations

from populations.descriptors import Cell
from populations.fitness import Fitness


class MapElites:
    """The best individual of every cell by today's means; of equals the older.

    Individuals are remembered by their ids and fitnesses, not their sources: an elite that falls by its re-evaluation
    makes room for the next one in its cell.
    """

    def __init__(self) -> None:
        self._cells: dict[Cell, dict[int, Fitness]] = {}
        self._cell_of: dict[int, Cell] = {}

    def update(self, individual: int, fitness: Fitness, cell: Cell) -> None:
        """Put an individual into a cell, out of the one that it was in; later evaluations change its fitness in place.

        Raises:
            ValueError: it has no fitness; nothing is changed then.
        """
        if not fitness.valid:
            raise ValueError(f"individual {individual} has no OK evaluation, so no cell takes it; leave it out")
        former = self._cell_of.get(individual)
        if former is not None and former != cell:
            del self._cells[former][individual]
            if not self._cells[former]:
                del self._cells[former]
        self._cells.setdefault(cell, {})[individual] = fitness
        self._cell_of[individual] = cell

    def elites(self) -> dict[Cell, int]:
        """Return the ids of the elites by cell, the oldest elite first."""
        best = {cell: _best(known) for cell, known in self._cells.items()}
        return dict(sorted(best.items(), key=lambda pair: pair[1]))


def _best(known: dict[int, Fitness]) -> int:
    return max(known, key=lambda individual: (known[individual], -individual))

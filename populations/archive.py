"""Archives: what is worth remembering of a run, beyond the population.

An archive holds references to exactly the individuals that are on it. DEAP's archives hold deep copies, because its
individuals may be changed in place; ours never change their code, and a copy would keep the fitness of the day it was
made while the mean of a re-evaluated individual moves.

An individual that falls by its re-evaluation may owe its place to one that was turned away earlier and is not held any
more. Give `update` the whole population as well, where that one may still live; a front that was
updated with all individuals of a run at once is exact.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deap import tools
from deap.tools.emo import assignCrowdingDist

from populations.fitness import Fitness
from populations.hypervolume import knee_point
from populations.individual import Individual, require_measured
from trainer.objectives import Objective


class _References(tools.HallOfFame):  # type: ignore[misc]  # DEAP has no types
    """DEAP's archive, without its deep copies."""

    def insert(self, item: Individual | FrontMember) -> None:
        """Put `item` behind those that equal it; unlike DEAP's, which puts a deep copy before them."""
        worse = bisect_left(self.keys, item.fitness)  # DEAP keeps the keys ascending, the items best first
        self.items.insert(len(self.items) - worse, item)
        self.keys.insert(worse, item.fitness)


class HallOfFame(_References):
    """The best individuals of a run so far, best first, each once; of equals the older comes first.

    Attributes:
        items: the individuals on it.
    """

    items: list[Individual]

    def __init__(self, size: int) -> None:
        """Raise ValueError when `size`, the most individuals on it, is below 1."""
        if size < 1:
            raise ValueError(f"a hall of fame needs room for at least 1 individual, but its size was {size}")
        super().__init__(size, similar=operator.eq)

    def update(self, individuals: Iterable[Individual]) -> None:
        """Admit the best of `individuals` and rank all its members again by today's means.

        Raises:
            ValueError: one of them has no fitness; nothing is changed then.
        """
        candidates = sorted({*self.items, *individuals}, key=lambda individual: individual.id)
        require_measured(candidates)
        self.clear()  # fitnesses may have changed in place, and DEAP's insertion relies on their order
        super().update(candidates)


@dataclass(frozen=True, slots=True)
class FrontMember:
    """An individual on a front, with its values there.

    Attributes:
        fitness: over the front's objectives, which may be others than those selection looks at.
        replicates: how many evaluations that fitness rests on.
    """

    individual: Individual
    fitness: Fitness
    replicates: int

    @property
    def is_stale(self) -> bool:
        """Whether the individual was evaluated again since."""
        return self.individual.replicates != self.replicates


class ParetoFront(_References, tools.ParetoFront):  # type: ignore[misc]  # DEAP has no types
    """The non-dominated individuals of a run so far over the given objectives, best in the first objective first.

    Individuals with equal values stay side by side.

    Attributes:
        items: the members of the front.
        objectives: what the front trades off, usually two.
    """

    items: list[FrontMember]

    def __init__(self, objectives: Sequence[Objective]) -> None:
        super().__init__()
        self.objectives = tuple(objectives)

    @property
    def individuals(self) -> list[Individual]:
        """The individuals on the front."""
        return [member.individual for member in self.items]

    def update(self, individuals: Iterable[Individual]) -> None:
        """Admit the non-dominated of `individuals`; members that were evaluated again compete with today's means.

        Raises:
            ValueError: one of them was never measured in one of the objectives; nothing is changed then.
        """
        held = {member.individual for member in self.items if not member.is_stale}
        candidates = {*individuals, *self.individuals} - held
        members = [self._member(individual) for individual in sorted(candidates, key=lambda one: one.id)]
        for index in reversed(range(len(self.items))):
            if self.items[index].is_stale:
                self.remove(index)
        super().update(members)

    def knee(self) -> Individual | None:
        """Return the best trade-off of those that keep the constraints, if there is one (`populations.hypervolume`)."""
        members = [member for member in self.items if member.fitness.feasible]
        place = knee_point([member.fitness.values for member in members], self.objectives)
        return None if place is None else members[place].individual

    def spread(self) -> list[Individual]:
        """Return the members in the order in which they stand for the whole front: of its head none is crowded.

        The most crowded member comes last, the most crowded of the others before it, and so on (Kukkonen and Deb,
        2006); of equals the older comes first.
        """
        left = sorted(self.items, key=lambda member: member.individual.id)
        order = []
        while left:
            assignCrowdingDist(left)
            crowded = min(reversed(left), key=lambda member: member.fitness.crowding_dist)
            left.remove(crowded)
            order.append(crowded.individual)
        return order[::-1]

    def _member(self, individual: Individual) -> FrontMember:
        return FrontMember(individual, individual.fitness_over(self.objectives), individual.replicates)

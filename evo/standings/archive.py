"""The best individuals so far by the split that selection sees: a hall of fame, and fronts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from populations.archive import HallOfFame, ParetoFront
from populations.fitness import Fitness
from populations.hypervolume import hypervolume_shares, knee_point
from populations.individual import Individual
from trainer.objectives import Constraint, Objective

_HALL_SIZE = 16


class Archive:
    """Hall of fame and fronts of a run.

    `front_objectives` are those of the front that views show, `objectives` those of selection.

    Attributes:
        hall: the best individuals.
        front: the non-dominated individuals over the objectives of the front.
        trade_offs: the non-dominated individuals over those of selection; the same one where these are the same.
        front_history: the points of the front's feasible members whenever they changed, with the number of the result.
    """

    def __init__(self, objectives: Sequence[Objective], front_objectives: Sequence[Objective]) -> None:
        self.hall = HallOfFame(_HALL_SIZE)
        self.front = ParetoFront(front_objectives)
        self.trade_offs = self.front if self.front.objectives == tuple(objectives) else ParetoFront(objectives)
        self.front_history: list[tuple[int, tuple[tuple[float, ...], ...]]] = []

    def update(self, individual: Individual, population: Sequence[Individual], result_number: int) -> None:
        """Take in an individual with a new evaluation."""
        self.hall.update([individual, *population])
        # An individual that falls by another evaluation may make room for one that is not on the front any more.
        rivals = [individual, *population] if individual.replicates > 1 else [individual]
        self.front.update(rivals)
        if self.trade_offs is not self.front:
            self.trade_offs.update(rivals)
        points = tuple(member.fitness.values for member in self.front.items if member.fitness.feasible)
        if points != (self.front_history[-1][1] if self.front_history else ()):
            self.front_history.append((result_number, points))

    @property
    def best(self) -> Individual | None:
        """The first of the hall of fame."""
        return self.hall[0] if len(self.hall) else None

    @property
    def leading_trade_offs(self) -> frozenset[int]:
        """The members of the front of selection; of equals the oldest."""
        youngest_first = sorted(self.trade_offs.items, key=lambda member: -member.individual.id)
        return frozenset({member.fitness: member.individual.id for member in youngest_first}.values())

    @property
    def individuals(self) -> list[Individual]:
        """Every individual in the archive."""
        return [*self.hall, *self.front.individuals, *self.trade_offs.individuals]

    def hypervolume(self) -> tuple[tuple[int, float], ...]:
        """Return the hypervolume of the front after each result that changed it.

        A pair of the result's number and the share of the box between the worst and the best of all points that were
        ever on the front.
        """
        shares = hypervolume_shares([points for _, points in self.front_history], self.front.objectives)
        return tuple((number, share) for (number, _), share in zip(self.front_history, shares, strict=True))


def front_of(
    means: Mapping[int, Mapping[str, float]], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> tuple[list[int], int | None]:
    """Return the non-dominated individuals of a run, best in the first objective first, and the knee of their front.

    The front in the archive may lack an individual that was dominated once by a lucky evaluation; this one is exact.

    Args:
        means: of every individual, by objective.
        objectives: what the front trades off.
        constraints: bounds that rank before the objectives.
    """
    fitness: dict[int, Fitness] = {}
    for individual, measured in means.items():
        fitness[individual] = Fitness(objectives, constraints=constraints)
        fitness[individual].judge(measured)
    front: list[int] = []
    # In this order no individual is dominated by a later one.
    for individual in sorted(sorted(fitness), key=fitness.__getitem__, reverse=True):
        if not any(fitness[other].dominates(fitness[individual]) for other in front):
            front.append(individual)
    feasible = [individual for individual in front if fitness[individual].feasible]
    knee = knee_point([fitness[individual].values for individual in feasible], objectives)
    return front, None if knee is None else feasible[knee]

"""Dominance between means of noisy evaluations, and the sorting into fronts that follows from it.

A difference that noise alone can make is no reason to discard an individual (Hughes, 2001; Fieldsend and Everson,
2005). So one dominates another here when it is not worse in any objective and better beyond noise in at least one: by
more than two standard errors of the difference of the two means. This relation is a part of plain dominance, which
it equals without noise, and so it has no cycles: sorting by it always ends. Individuals that it cannot tell apart share
a front, where crowding decides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from populations.fitness import Fitness
from populations.individual import Individual

Noise = Mapping[str, float]
"""Standard deviation of one evaluation by objective; an objective that is missing counts as exact."""

NO_NOISE: Noise = MappingProxyType({})
TIE_ERRORS = 2.0
"""Standard errors up to which a difference is a tie."""


class Measured(Protocol):
    """An individual, or whatever else has means of evaluations."""

    @property
    def fitness(self) -> Fitness:
        """The means."""

    @property
    def replicates(self) -> int:
        """How many evaluations each mean rests on."""


def dominates(one: Measured, other: Measured, noise: Noise = NO_NOISE) -> bool:
    """Return whether `one` dominates `other` by more than noise explains.

    Constraints come first: the one that breaks them less dominates, whatever the values (`populations.fitness`).
    """
    if not one.fitness.dominates(other.fitness):
        return False
    if one.fitness.violation != other.fitness.violation:
        return True
    error = TIE_ERRORS * math.sqrt(1 / one.replicates + 1 / other.replicates)
    return any(
        mine - theirs > error * noise.get(objective.name, 0.0)
        for objective, mine, theirs in zip(
            one.fitness.objectives, one.fitness.wvalues, other.fitness.wvalues, strict=True
        )
    )


def sort_into_fronts(individuals: Sequence[Individual], noise: Noise = NO_NOISE) -> list[list[Individual]]:
    """Return `individuals` in fronts: no member is dominated by one of its own or of a later front.

    Each front keeps the order of `individuals`. The cost grows with the square of their number, which is that of a
    population.

    Raises:
        ValueError: one of them has no fitness.
    """
    left = list(individuals)
    fronts = []
    while left:
        front = [one for one in left if not any(dominates(other, one, noise) for other in left)]
        fronts.append(front)
        taken = set(front)
        left = [one for one in left if one not in taken]
    return fronts

"""Survival: which individuals stay in the population when offspring arrive.

Both functions return the survivors best first, and the same ones whatever the order of their arguments. An individual
found in both counts once. One offspring at a time makes them (μ+1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from deap import tools
from deap.tools.emo import assignCrowdingDist

from populations.dominance import NO_NOISE, Noise, sort_into_fronts
from populations.individual import Individual, require_measured


class Survive(Protocol):
    """`(population, offspring) -> survivors`, best first; the noise is that of one evaluation, by objective.

    How many survive is set already, and `mu` replaces it.
    """

    def __call__(
        self,
        population: Sequence[Individual],
        offspring: Sequence[Individual],
        *,
        noise: Noise = NO_NOISE,
        mu: int = ...,
    ) -> list[Individual]:
        """Return the survivors."""


def mu_plus_lambda(
    population: Sequence[Individual],
    offspring: Sequence[Individual],
    mu: int,
    noise: Noise = NO_NOISE,  # noqa: ARG001 - see below
) -> list[Individual]:
    """Keep the best `mu` of parents and offspring together by their one objective.

    Means are compared as they are: by one objective all can be ranked, and there is no crowding that would decide
    better than a mean within the noise. Noise is kept out by the second looks that leaders get.

    A tie goes to the lower id, the older individual: under noise an equal mean is no evidence for replacing one that
    has held its place, and a population that swaps equals drifts without gain.

    Raises:
        ValueError: an individual has no fitness, or more than one objective.
    """
    candidates = _together(population, offspring)
    if any(len(individual.fitness.weights) != 1 for individual in candidates):
        raise ValueError("(μ+λ) survival compares exactly one objective; use nsga2 for several")
    survivors: list[Individual] = tools.selBest(candidates, mu)  # a stable sort: equals stay ordered by id
    return survivors


def nsga2(
    population: Sequence[Individual], offspring: Sequence[Individual], mu: int, noise: Noise = NO_NOISE
) -> list[Individual]:
    """Keep `mu` of parents and offspring together by NSGA-II: whole fronts, then the least crowded (Deb et al., 2002).

    Dominance is beyond noise (`populations.dominance`), which DEAP's selNSGA2 does not know. Of individuals with equal
    values the oldest stands for all, and the others stay only where there is room (Fortin and Parizeau, 2013): no one
    dominates them, so that copies of a few points would take every place.

    Raises:
        ValueError: an individual has no fitness.
    """
    candidates = _together(population, offspring)
    oldest = {individual.fitness: individual for individual in reversed(candidates)}
    distinct = [individual for individual in candidates if oldest[individual.fitness] is individual]
    survivors: list[Individual] = []
    for front in sort_into_fronts(distinct, noise):
        room = mu - len(survivors)
        if len(front) > room:
            assignCrowdingDist(front)
            front.sort(key=lambda individual: individual.fitness.crowding_dist, reverse=True)
        survivors += front[:room]
    copies = [individual for individual in candidates if oldest[individual.fitness] is not individual]
    return survivors + copies[: mu - len(survivors)]


def _together(population: Sequence[Individual], offspring: Sequence[Individual]) -> list[Individual]:
    """Return each individual once, ordered by id."""
    candidates = sorted({*population, *offspring}, key=lambda individual: individual.id)
    require_measured(candidates)
    return candidates

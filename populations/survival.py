"""Survival: who stays in the population when offspring arrive.

Both functions return the survivors best first, and the same ones whatever the order of their arguments. An individual
found in both counts once. One offspring at a time makes them (μ+1).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from deap import tools

from populations.individual import Individual, require_measured

Survive: TypeAlias = Callable[[Sequence[Individual], Sequence[Individual]], list[Individual]]


def mu_plus_lambda(population: Sequence[Individual], offspring: Sequence[Individual], mu: int) -> list[Individual]:
    """Keep the best `mu` of parents and offspring together by their one objective.

    A tie goes to the lower id, the older individual: under noise an equal mean is no evidence for replacing one that
    has held its place, and a population that swaps equals drifts without gain.

    Raises:
        ValueError: an individual has no fitness, or more than one objective.
    """
    everyone = _everyone(population, offspring)
    if any(len(individual.fitness.weights) != 1 for individual in everyone):
        raise ValueError("(μ+λ) survival compares exactly one objective; use nsga2 for several")
    survivors: list[Individual] = tools.selBest(everyone, mu)  # a stable sort: equals stay ordered by id
    return survivors


def nsga2(population: Sequence[Individual], offspring: Sequence[Individual], mu: int) -> list[Individual]:
    """Keep `mu` of parents and offspring together by NSGA-II: whole fronts, then the least crowded (Deb et al., 2002).

    Raises:
        ValueError: an individual has no fitness.
    """
    survivors: list[Individual] = tools.selNSGA2(_everyone(population, offspring), mu)
    return survivors[:mu]


def _everyone(population: Sequence[Individual], offspring: Sequence[Individual]) -> list[Individual]:
    """Return each individual once, ordered by id."""
    everyone = sorted({*population, *offspring}, key=lambda individual: individual.id)
    require_measured(everyone)
    return everyone

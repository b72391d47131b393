"""Selection of parents.

Every function has the form `(population, count, rng, noise=…) -> parents` and depends on nothing else: neither on the
order of the population nor on the state of the global `random`. Parents of one draw differ from each other as long as
the population has individuals left that were not drawn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from deap import tools
from deap.tools.emo import assignCrowdingDist

from populations.dominance import NO_NOISE, Noise, sort_into_fronts
from populations.individual import Individual, require_measured


class Select(Protocol):
    """`(population, count, rng) -> parents`; the noise is that of one evaluation, by objective."""

    def __call__(
        self, population: Sequence[Individual], count: int, rng: random.Random, *, noise: Noise = NO_NOISE
    ) -> list[Individual]:
        """Return the parents."""


@contextmanager
def seeded(rng: random.Random) -> Iterator[None]:
    """Seed the global `random`, which DEAP's operators draw from, with one draw of `rng`; restore its state after.

    The block must not hand control to other code that draws from the global `random`.
    """
    state = random.getstate()
    random.seed(rng.getrandbits(64))
    try:
        yield
    finally:
        random.setstate(state)


def tournament(
    population: Sequence[Individual],
    count: int,
    rng: random.Random,
    *,
    tournament_size: int = 2,
    noise: Noise = NO_NOISE,  # noqa: ARG001 - means are compared as they are, as in `survival.mu_plus_lambda`
) -> list[Individual]:
    """Select each parent as the best of `tournament_size` individuals drawn with replacement (DEAP's selTournament).

    Raises:
        ValueError: the population is empty or has an individual without a fitness.
    """

    def pick(candidates: list[Individual]) -> Individual:
        winners: list[Individual] = tools.selTournament(candidates, 1, tournsize=tournament_size)
        return winners[0]

    pool = _pool(population)
    with seeded(rng):
        return _draw(pool, count, pick)


def nsga2(
    population: Sequence[Individual], count: int, rng: random.Random, *, noise: Noise = NO_NOISE
) -> list[Individual]:
    """Select parents by binary tournaments on rank, then crowding distance (Deb et al., 2002).

    Ranks are those of dominance beyond noise (`populations.dominance`).

    DEAP's selTournamentDCD is not used: it draws in blocks of four and returns more parents than asked for.

    Raises:
        ValueError: the population is empty or has an individual without a fitness.
    """
    pool = _pool(population)
    standing = _crowded_standing(pool, noise)

    def pick(candidates: list[Individual]) -> Individual:
        rivals = rng.sample(candidates, min(2, len(candidates)))
        return max(rivals, key=lambda rival: standing[rival.id])  # a tie goes to the one drawn first

    return _draw(pool, count, pick)


def _pool(population: Sequence[Individual]) -> list[Individual]:
    """Return the population ordered by id, so that a draw does not depend on how it was stored."""
    if not population:
        raise ValueError("expected a population to select parents from, but it was empty")
    require_measured(population)
    return sorted(population, key=lambda individual: individual.id)


def _draw(pool: list[Individual], count: int, pick: Callable[[list[Individual]], Individual]) -> list[Individual]:
    """Pick `count` parents without replacement, starting over with the whole pool when it is used up."""
    parents: list[Individual] = []
    remaining: list[Individual] = []
    for _ in range(count):
        remaining = remaining or list(pool)
        parent = pick(remaining)
        remaining.remove(parent)
        parents.append(parent)
    return parents


def _crowded_standing(pool: list[Individual], noise: Noise) -> dict[int, tuple[int, float]]:
    """Return by id the pair (-rank, crowding distance): the larger is the better in the crowded comparison."""
    standing: dict[int, tuple[int, float]] = {}
    for rank, front in enumerate(sort_into_fronts(pool, noise)):
        assignCrowdingDist(front)
        standing.update((individual.id, (-rank, individual.fitness.crowding_dist)) for individual in front)
    return standing

"""Islands: who competes with whom, the ring, and age."""

from __future__ import annotations

import random
from functools import partial

import pytest

from populations import survival
from populations.fitness import Fitness
from populations.individual import Individual
from populations.islands import Islands
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

OBJECTIVES = [LANGUAGE_MODEL_OBJECTIVES["val_bpb"], LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]]


def individual(number: int, bpb: float, speed: float = 1.0, objectives: int = 1) -> Individual:
    one = Individual(number, "", (), "seed", "", Fitness(OBJECTIVES[:objectives]))
    one.tell(0, {"val_bpb": bpb, "tokens_per_second": speed})
    return one


def islands(mu: int, count: int, **options: int) -> Islands:
    return Islands(partial(survival.mu_plus_lambda, mu=mu), mu, count, **options)


def ids(population: list[Individual]) -> list[int]:
    return [one.id for one in population]


def filled(count: int, **options: int) -> Islands:
    """Three individuals on each island; on island 0 the worst ones, the best first."""
    ring = islands(3 * count, count, **options)
    ring.admit([individual(number, 9 - number % count + number / 100) for number in range(3 * count)], result_number=9)
    return ring


def test_one_island_is_the_ordinary_population() -> None:
    alone, population = islands(4, 1), []
    chance = random.Random(1)
    alone.settle(individual(0, 2.0), 1)
    population = [individual(0, 2.0)]
    for number in range(1, 40):
        newborn = individual(number, chance.random())
        alone.admit([newborn], number)
        population = survival.mu_plus_lambda(population, [newborn], 4)
        assert not alone.migrate(number)
        assert alone.everyone() == alone.home(number) == population


def test_offspring_compete_for_places_at_home_only() -> None:
    two = islands(4, 2)
    two.admit([individual(1, 5.0), individual(3, 6.0)], 1)
    two.admit([individual(number, number / 100) for number in (2, 4, 6, 8)], 2)
    assert ids(two.home(10)) == [2, 4]
    assert ids(two.home(11)) == [1, 3]
    assert ids(two.everyone()) == [2, 4, 1, 3]


def test_places_are_divided_evenly() -> None:
    three = islands(8, 3)
    three.admit([individual(number, number) for number in range(30)], 1)
    assert [len(three.home(number)) for number in range(3)] == [3, 3, 2]


def test_generation_0_begins_on_every_island() -> None:
    three = islands(6, 3)
    three.settle(individual(0, 2.0), 1)
    assert [ids(three.home(number)) for number in range(3)] == [[0], [0], [0]]
    assert ids(three.everyone()) == [0]
    assert three.migrate(1)
    assert [ids(three.home(number)) for number in range(3)] == [[0], [0], [0]]


@pytest.mark.parametrize("migrants", [1, 2])
def test_the_ring_moves_the_best_and_loses_nobody(migrants: int) -> None:
    ring = filled(4, migrate_every=10, migrants=migrants)
    before = [ids(ring.home(number)) for number in range(4)]
    assert not ring.migrate(11)
    assert [ids(ring.home(number)) for number in range(4)] == before
    assert ring.migrate(20)
    for number in range(4):
        arrived = before[number - 1][:migrants]
        assert set(ids(ring.home(number))) == {*before[number][migrants:], *arrived}
        values = [one.fitness.values for one in ring.home(number)]
        assert values == sorted(values)
    assert set(ids(ring.everyone())) == {one for island in before for one in island}


def test_the_best_goes_all_around_the_ring() -> None:
    ring = filled(4)
    (best, *_) = ids(ring.everyone())
    seen = []
    for _ in range(4):
        ring.migrate(1)
        seen += [number for number in range(4) if best in ids(ring.home(number))]
    assert seen == [0, 1, 2, 3]


def test_an_empty_island_sends_and_takes_nobody() -> None:
    two = islands(4, 2)
    two.admit([individual(2, 1.0)], 1)
    two.migrate(1)
    assert (ids(two.home(0)), ids(two.home(1))) == ([2], [])


def test_several_objectives_migrate_by_their_own_order() -> None:
    pair = Islands(partial(survival.nsga2, mu=6), 6, 2)
    chance = random.Random(3)
    newborn = [individual(number, chance.random(), chance.random(), objectives=2) for number in range(12)]
    pair.admit(newborn, 1)
    first, second = pair.home(0)[0], pair.home(1)[0]
    pair.migrate(1)
    assert first in pair.home(1)
    assert second in pair.home(0)


def test_age_turns_everybody_out_but_the_best() -> None:
    aging = islands(3, 1, max_age=5)
    aging.settle(individual(0, 3.0), 1)
    aging.admit([individual(1, 1.0)], 2)
    aging.admit([individual(2, 2.0)], 3)
    aging.admit([individual(3, 4.0)], 6)
    assert ids(aging.everyone()) == [1, 2, 0]
    aging.admit([individual(4, 5.0)], 7)
    assert ids(aging.everyone()) == [1, 2, 4]
    aging.admit([individual(5, 6.0)], 20)
    assert ids(aging.everyone()) == [1, 5]
    aging.admit([individual(6, 0.5)], 30)
    assert ids(aging.everyone()) == [6]

"""Constraints in every comparison: DEAP's own algorithms against brute force over mixed populations."""

from __future__ import annotations

import copy
import pickle
import random

from deap import tools
from hypothesis import given
from hypothesis import strategies as st

from populations import survival
from populations.archive import HallOfFame, ParetoFront
from populations.fitness import Fitness
from populations.individual import Individual
from trainer.objectives import Constraint, Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "")
SCORE = Objective("score", Direction.MAXIMIZE, "")
PAIR = (LOSS, SCORE)
BOUNDS = (Constraint.parse("memory < 4"), Constraint.parse("score >= 2"))
NAMES = ("loss", "score", "memory")

coarse = st.integers(0, 4).map(float)  # many ties; memory of 4 breaks a strict bound without a distance
rows = st.lists(st.tuples(coarse, coarse, st.integers(2, 8).map(float)), min_size=1, max_size=12)

Row = tuple[float, float, float]


def individuals(table: list[Row], objectives: tuple[Objective, ...] = PAIR) -> list[Individual]:
    made = [Individual(i, "", (), "", "", Fitness(objectives, constraints=BOUNDS)) for i in range(len(table))]
    for individual, row in zip(made, table, strict=True):
        individual.tell(0, dict(zip(NAMES, row, strict=True)))
    return made


def excess(row: Row) -> float:
    """How far a row is beyond the two bounds, each relative to its size."""
    _, score, memory = row
    return (max((memory - 4) / 4, 1e-12) if memory >= 4 else 0.0) + (max(2 - score, 0) / 2)


def beats(one: Row, other: Row) -> bool:
    """Whether one row dominates another, by the definition."""
    if excess(one) != excess(other):
        return excess(one) < excess(other)
    return one[:2] != other[:2] and one[0] <= other[0] and one[1] >= other[1]


def fronts(table: list[Row]) -> list[set[int]]:
    left, found = set(range(len(table))), []
    while left:
        front = {i for i in left if not any(beats(table[j], table[i]) for j in left)}
        found.append(front)
        left -= front
    return found


@given(rows)
def test_the_violation_is_the_sum_of_the_relative_excesses(table: list[Row]) -> None:
    for individual, row in zip(individuals(table), table, strict=True):
        assert individual.fitness.violation == excess(row)
        assert individual.fitness.feasible == (row[2] < 4 and row[1] >= 2)


@given(rows)
def test_comparisons_are_one_total_order_in_accord_with_dominance(table: list[Row]) -> None:
    fitnesses = [individual.fitness for individual in individuals(table)]
    for one, row in zip(fitnesses, table, strict=True):
        for other, other_row in zip(fitnesses, table, strict=True):
            assert one.dominates(other) == beats(row, other_row)
            assert (one == other) == ((excess(row), row[:2]) == (excess(other_row), other_row[:2]))
            assert (one < other) + (one == other) + (one > other) == 1
            assert (one <= other) == (one < other or one == other)
            assert (one != other) + (one == other) == 1
            if one == other:
                assert hash(one) == hash(other)
            if one.dominates(other):
                assert one > other
                assert not other.dominates(one)
            if one.feasible and not other.feasible:
                assert one > other
    ranked = sorted(range(len(table)), key=lambda i: (excess(table[i]), table[i][0], -table[i][1]))
    assert [fitnesses[i] for i in ranked] == sorted(fitnesses, reverse=True)


@given(rows)
def test_non_dominated_sorting_agrees_with_brute_force(table: list[Row]) -> None:
    made = individuals(table)
    found = [{one.id for one in front} for front in tools.sortNondominated(made, len(made))]
    assert found == fronts(table)


@given(rows, st.integers(1, 12), st.randoms(use_true_random=False))
def test_nsga2_keeps_front_after_front_and_copies_last(table: list[Row], mu: int, rng: random.Random) -> None:
    made = individuals(table)
    rng.shuffle(made)
    oldest = {*{(excess(row), row[:2]): id_ for id_, row in reversed([*enumerate(table)])}.values()}
    kept = {one.id for one in survival.nsga2(made, [], mu)}
    assert len(kept) == min(mu, len(made))
    for front in [*(front & oldest for front in fronts(table)), {*range(len(table))} - oldest]:
        assert front <= kept or len(kept) <= len(front)
        kept -= front
    assert not kept


@given(rows, st.integers(1, 12), st.randoms(use_true_random=False))
def test_truncation_and_the_hall_of_fame_are_the_head_of_the_ranking(
    table: list[Row], size: int, rng: random.Random
) -> None:
    made = individuals(table, (LOSS,))
    ranking = sorted(made, key=lambda one: (excess(table[one.id]), table[one.id][0], one.id))
    rng.shuffle(made)
    hall = HallOfFame(size)
    for individual in made:
        hall.update([individual])
    assert [member.fitness for member in hall] == [one.fitness for one in ranking[:size]]
    hall.update(made)
    assert list(hall) == ranking[:size]
    assert survival.mu_plus_lambda(made, [], size) == ranking[:size]


@given(rows, st.randoms(use_true_random=False))
def test_the_front_holds_nobody_who_breaks_constraints_beside_one_who_keeps_them(
    table: list[Row], rng: random.Random
) -> None:
    made = individuals(table, (LOSS,))
    rng.shuffle(made)
    front = ParetoFront(PAIR)
    for individual in made:
        front.update([individual])
    assert {one.id for one in front.individuals} == fronts(table)[0]
    feasible = [one.fitness.feasible for one in made]
    assert [member.fitness.feasible for member in front] == [any(feasible)] * len(front)


@given(rows, rows)
def test_a_violation_follows_the_means(table: list[Row], repeats: list[Row]) -> None:
    made = individuals(table)
    for individual, row, repeat in zip(made, table, repeats, strict=False):
        individual.tell(1, dict(zip(NAMES, repeat, strict=True)))
        means = tuple((a + b) / 2 for a, b in zip(row, repeat, strict=True))
        assert individual.fitness.violation == excess(means)  # type: ignore[arg-type]
        assert individual.fitness_over([SCORE]).violation == excess(means)  # type: ignore[arg-type]


@given(rows)
def test_copies_keep_the_violation(table: list[Row]) -> None:
    for individual in individuals(table):
        for twin in (
            copy.copy(individual.fitness),
            copy.deepcopy(individual.fitness),
            pickle.loads(pickle.dumps(individual.fitness)),
        ):
            assert (twin, hash(twin)) == (individual.fitness, hash(individual.fitness))
            assert twin.violation == individual.fitness.violation
            assert twin.constraints == BOUNDS

import random
from collections import Counter

import pytest

from populations import selection, survival
from populations.dominance import sort_into_fronts
from populations.fitness import Fitness
from populations.individual import Individual
from populations.toolbox import build_toolbox
from trainer.errors import ConfigError
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES, Constraint

BPB = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]
SPEED = LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]
SELECTIONS = [selection.tournament, selection.nsga2]


def _individual(number, *values, objectives=(BPB, SPEED)):
    objectives = objectives[: len(values)] or (BPB,)
    individual = Individual(number, "", (), "seed", "", Fitness(objectives))
    if values:
        individual.tell(0, {objective.name: value for objective, value in zip(objectives, values, strict=True)})
    return individual


def _population(size=16):
    return [_individual(number, 2.0 - number / 100) for number in range(size)]


@pytest.mark.parametrize("select", SELECTIONS)
def test_the_same_seed_selects_the_same_parents_whatever_the_global_state(select):
    population = _population()
    random.seed(1)
    first = select(population, 2, random.Random("run 7, proposal 12"))
    random.seed(2)
    second = select(list(reversed(population)), 2, random.Random("run 7, proposal 12"))
    assert first == second


@pytest.mark.parametrize("select", SELECTIONS)
def test_the_global_random_source_is_left_as_it_was(select):
    random.seed(5)
    state = random.getstate()
    select(_population(), 2, random.Random(3))
    assert random.getstate() == state


def test_the_state_is_restored_after_an_error():
    state = random.getstate()
    with pytest.raises(ZeroDivisionError), selection.seeded(random.Random(1)):
        random.randrange(10) // 0
    assert random.getstate() == state


@pytest.mark.parametrize("select", SELECTIONS)
def test_two_parents_differ_while_the_population_allows_it(select):
    pair = _population(2)
    for seed in range(50):
        mother, father = select(pair, 2, random.Random(seed))
        assert mother != father
    alone = _population(1)
    assert select(alone, 2, random.Random(0)) == [alone[0], alone[0]]


@pytest.mark.parametrize("select", SELECTIONS)
def test_better_individuals_become_parents_more_often(select):
    population = _population()
    rng = random.Random(0)
    drawn = Counter(select(population, 1, rng)[0].id for _ in range(2_000))
    assert sum(drawn[number] for number in range(8, 16)) > 2 * sum(drawn[number] for number in range(8))


def test_a_tournament_of_everyone_is_won_by_the_best_nearly_always():
    best = [selection.tournament(_population(4), 1, random.Random(s), tournament_size=64)[0].id for s in range(20)]
    assert best == [3] * 20


def test_crowded_tournaments_prefer_the_better_rank_then_the_emptier_place():
    corner, crowded, also_crowded, dominated = (
        _individual(0, 1.0, 100.0),
        _individual(1, 1.50, 200.0),
        _individual(2, 1.51, 201.0),
        _individual(3, 9.0, 1.0),
    )
    other_corner = _individual(4, 2.0, 300.0)
    population = [corner, crowded, also_crowded, dominated, other_corner]
    rng = random.Random(0)
    drawn = Counter(selection.nsga2(population, 1, rng)[0].id for _ in range(2_000))
    assert drawn[3] == 0
    assert min(drawn[0], drawn[4]) > max(drawn[1], drawn[2])


@pytest.mark.parametrize("select", SELECTIONS)
def test_selection_refuses_the_empty_and_the_unmeasured(select):
    with pytest.raises(ValueError, match="empty"):
        select([], 1, random.Random(0))
    with pytest.raises(ValueError, match="individual 9 has no OK evaluation"):
        select([_individual(0, 1.0), _individual(9)], 1, random.Random(0))


def test_a_tie_leaves_the_older_in_place():
    population = [_individual(0, 1.5), _individual(1, 1.4)]
    assert survival.mu_plus_lambda(population, [_individual(2, 1.5)], 2) == [population[1], population[0]]


def test_survival_follows_re_evaluations():
    lucky, steady = _individual(1, 1.0), _individual(2, 1.2)
    assert survival.mu_plus_lambda([lucky, steady], [], 1) == [lucky]
    lucky.tell(1, {"val_bpb": 1.6})
    assert survival.mu_plus_lambda([lucky, steady], [], 1) == [steady]


@pytest.mark.parametrize("survive", [survival.mu_plus_lambda, survival.nsga2])
def test_a_failed_individual_never_enters_a_population(survive):
    with pytest.raises(ValueError, match="individual 5 has no OK evaluation"):
        survive([_individual(0, 1.0)], [_individual(5)], 2)


def test_truncation_refuses_several_objectives():
    with pytest.raises(ValueError, match="exactly one objective"):
        survival.mu_plus_lambda([_individual(0, 1.0, 2.0)], [], 1)


def test_nsga2_keeps_the_front_and_its_corners():
    front = [_individual(number, 1.0 + number / 10, 100.0 + number) for number in range(5)]
    dominated = _individual(9, 3.0, 1.0)
    survivors = survival.nsga2([*front, dominated], [], 3)
    assert {0, 4} < {individual.id for individual in survivors} <= {0, 1, 2, 3, 4}


def test_nobody_is_dominated_within_the_noise():
    leader, behind, spread = _individual(1, 1.00, 100.0), _individual(2, 1.01, 99.0), _individual(3, 1.20, 200.0)
    noise = {"val_bpb": 0.01, "tokens_per_second": 5.0}
    assert [len(front) for front in sort_into_fronts([leader, behind, spread])] == [2, 1]
    assert [len(front) for front in sort_into_fronts([leader, behind, spread], noise)] == [3]
    for seed in range(50):  # the more evaluations say the same, the less is noise
        leader.tell(seed, leader.means())
        behind.tell(seed, behind.means())
    assert [len(front) for front in sort_into_fronts([leader, behind, spread], noise)] == [2, 1]


def test_who_keeps_the_constraints_dominates_whatever_the_noise():
    bound = (Constraint("val_bpb", "<", 1.5),)
    kept, broken = (
        Individual(number, "", (), "seed", "", Fitness((BPB, SPEED), constraints=bound)) for number in (1, 2)
    )
    kept.tell(0, {"val_bpb": 1.4, "tokens_per_second": 1.0})
    broken.tell(0, {"val_bpb": 1.6, "tokens_per_second": 1.0})
    assert sort_into_fronts([broken, kept], {"val_bpb": 1.0}) == [[kept], [broken]]


def test_the_toolbox_chooses_by_the_number_of_objectives():
    single = build_toolbox([BPB], 4)
    assert single.survive(_population(6), []) == survival.mu_plus_lambda(_population(6), [], 4)
    assert single.select(_population(6), 2, random.Random(1)) == selection.tournament(
        _population(6), 2, random.Random(1)
    )
    pair = [_individual(number, 1.0 + number / 10, 100.0 + number) for number in range(6)]
    double = build_toolbox([BPB, SPEED], 4)
    assert double.survive(pair, []) == survival.nsga2(pair, [], 4)
    assert double.select(pair, 2, random.Random(1)) == selection.nsga2(pair, 2, random.Random(1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([BPB], 0), "at least 1 individual, but it had 0"),
        (([], 4), "at least one objective"),
    ],
)
def test_a_toolbox_that_cannot_work_is_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build_toolbox(*arguments)

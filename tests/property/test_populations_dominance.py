import math
import random

from hypothesis import given
from hypothesis import strategies as st

from populations import survival
from populations.archive import HallOfFame, ParetoFront
from populations.dominance import sort_into_fronts
from populations.fitness import Fitness
from populations.individual import Individual
from populations.toolbox import build_toolbox
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

PAIR = (LANGUAGE_MODEL_OBJECTIVES["val_bpb"], LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"])
finite = st.floats(allow_nan=False, allow_infinity=False)
coarse = st.integers(0, 4).map(float)  # many ties
points = st.lists(st.tuples(coarse, coarse), min_size=1, max_size=14)


def _individuals(values, objectives=PAIR):
    individuals = [Individual(i, "", (), "", "", Fitness(objectives)) for i in range(len(values))]
    for individual, point in zip(individuals, values, strict=True):
        individual.tell(0, {objective.name: value for objective, value in zip(PAIR, point, strict=True)})
    return individuals


def _beats(one, other):
    """Whether `one` dominates `other`, both (val_bpb, tokens_per_second), by the definition."""
    return one != other and one[0] <= other[0] and one[1] >= other[1]


def _brute_force_fronts(values):
    left, fronts = set(range(len(values))), []
    while left:
        front = {i for i in left if not any(_beats(values[j], values[i]) for j in left)}
        fronts.append(front)
        left -= front
    return fronts


@given(st.tuples(finite, finite), st.tuples(finite, finite))
def test_dominance_is_antisymmetric_and_agrees_with_the_order(one, other):
    first, second = Fitness(PAIR, one), Fitness(PAIR, other)
    assert first.dominates(second) == _beats(one, other)
    assert not (first.dominates(second) and second.dominates(first))
    assert not first.dominates(first)
    if first.dominates(second):
        assert first > second


@given(points)
def test_non_dominated_sorting_agrees_with_brute_force(values):
    individuals = _individuals(values)
    fronts = [{i.id for i in front} for front in sort_into_fronts(individuals)]
    assert fronts == _brute_force_fronts(values)


def _beats_beyond_noise(one, other, noise):
    """Whether `one` is nowhere worse and somewhere better by more than two standard errors; one evaluation each."""
    gains = (other[0] - one[0], one[1] - other[1])
    errors = [2 * math.sqrt(2) * sigma for sigma in noise]
    return min(gains) >= 0 and any(gain > error for gain, error in zip(gains, errors, strict=True))


@given(points, st.tuples(st.sampled_from([0.0, 0.4, 1.0]), st.sampled_from([0.0, 0.4, 1.0])))
def test_sorting_beyond_noise_agrees_with_brute_force(values, noise):
    sigmas = {objective.name: sigma for objective, sigma in zip(PAIR, noise, strict=True)}
    left, expected = set(range(len(values))), []
    while left:
        front = {i for i in left if not any(_beats_beyond_noise(values[j], values[i], noise) for j in left)}
        assert front
        expected.append(front)
        left -= front
    fronts = [{i.id for i in front} for front in sort_into_fronts(_individuals(values), sigmas)]
    assert fronts == expected


@given(points, st.randoms(use_true_random=False))
def test_the_front_agrees_with_brute_force_however_it_grew(values, rng):
    individuals = _individuals(values)
    expected = _brute_force_fronts(values)[0]
    rng.shuffle(individuals)
    front = ParetoFront(PAIR)
    for individual in individuals:
        front.update([individual])
    assert {i.id for i in front.individuals} == expected
    at_once = ParetoFront(PAIR)
    at_once.update(individuals)
    assert {i.id for i in at_once.individuals} == expected
    values_along = [member.fitness.values for member in front]
    assert values_along == sorted(values_along, key=lambda point: (point[0], -point[1]))


@given(points, points, st.randoms(use_true_random=False))
def test_the_front_agrees_with_brute_force_after_re_evaluations(values, repeats, rng):
    individuals = _individuals(values)
    front = ParetoFront(PAIR)
    front.update(individuals)
    for individual, point in zip(individuals, repeats, strict=False):
        individual.tell(1, dict(zip(("val_bpb", "tokens_per_second"), point, strict=True)))
    front.update(individuals)
    means = [tuple(individual.means().values()) for individual in individuals]
    assert {i.id for i in front.individuals} == _brute_force_fronts(means)[0]


@given(points, st.integers(1, 16), st.randoms(use_true_random=False))
def test_truncation_keeps_exactly_the_best(values, mu, rng):
    individuals = _individuals(values, PAIR[:1])
    ranking = sorted(individuals, key=lambda i: (i.means()["val_bpb"], i.id))
    rng.shuffle(individuals)
    cut = rng.randrange(len(individuals) + 1)
    assert survival.mu_plus_lambda(individuals[:cut], individuals[cut:], mu) == ranking[:mu]


@given(points, st.integers(1, 16), st.randoms(use_true_random=False))
def test_nsga2_survivors_fill_fronts_in_order_whatever_the_input_order(values, mu, rng):
    individuals = _individuals(values)
    survivors = survival.nsga2(individuals, [], mu)
    assert len(survivors) == min(mu, len(individuals))
    kept = {i.id for i in survivors}
    copies = {i for i in range(len(values)) if values[i] in values[:i]}
    for front in _brute_force_fronts(values):
        assert front - copies <= kept or len(kept) <= len(front - copies)
        kept -= front - copies
    assert kept <= copies  # they have what room is left
    rng.shuffle(individuals)
    cut = rng.randrange(len(individuals) + 1)
    assert survival.nsga2(individuals[:cut], individuals[cut:], mu) == survivors


@given(points, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_hall_of_fame_is_the_head_of_the_ranking(values, size, rng):
    individuals = _individuals(values, PAIR[:1])
    ranking = sorted(individuals, key=lambda i: (i.means()["val_bpb"], i.id))
    rng.shuffle(individuals)
    hall = HallOfFame(size)
    for individual in individuals:
        hall.update([individual])
    assert [hofer.fitness for hofer in hall] == [individual.fitness for individual in ranking[:size]]
    hall.update(individuals)
    assert list(hall) == ranking[:size]


@given(points, st.integers(0, 2**32), st.sampled_from([1, 2]), st.randoms(use_true_random=False))
def test_a_run_is_decided_by_its_seed_alone(values, seed, objectives, rng):
    individuals = _individuals(values, PAIR[:objectives])
    toolbox = build_toolbox(PAIR[:objectives], 4)

    def journey(order):
        rng.shuffle(order)
        return [toolbox.select(order, 2, random.Random(f"{seed}/{proposal}")) for proposal in range(3)]

    assert journey(individuals) == journey(individuals)

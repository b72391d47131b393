import copy
import math
import pickle

import pytest

from populations.fitness import Fitness
from populations.individual import Individual
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

BPB = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]
SPEED = LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]


def _individual(number: int = 7) -> Individual:
    return Individual(number, "x = 1\n", (3,), "random_mutation", "try 1", Fitness([BPB]))


def test_a_fitness_is_invalid_until_measured():
    fitness = Fitness([BPB])
    assert not fitness.valid
    assert fitness.values == ()
    fitness.values = [1.9]
    assert fitness.valid
    assert fitness.values == (1.9,)
    del fitness.values
    assert not fitness.valid


def test_better_means_greater_in_the_objectives_own_direction():
    assert Fitness([BPB], [1.8]) > Fitness([BPB], [1.9])
    assert Fitness([SPEED], [300.0]) > Fitness([SPEED], [200.0])
    assert Fitness([BPB, SPEED], [1.8, 300]).dominates(Fitness([BPB, SPEED], [1.8, 200]))
    assert not Fitness([BPB, SPEED], [1.8, 200]).dominates(Fitness([BPB, SPEED], [1.9, 300]))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_finite_values_can_be_set(value):
    fitness = Fitness([BPB])
    with pytest.raises(ValueError, match="val_bpb must be finite"):
        fitness.values = [value]
    assert not fitness.valid
    with pytest.raises(ValueError, match="finite"):
        Fitness([BPB], [value])


def test_the_number_of_values_must_fit():
    with pytest.raises(ValueError, match="one value for each of val_bpb, tokens_per_second, but got 1"):
        Fitness([BPB, SPEED], [1.0])
    with pytest.raises(ValueError, match="at least one objective"):
        Fitness([])


@pytest.mark.parametrize("twin_of", [copy.copy, copy.deepcopy, lambda fitness: pickle.loads(pickle.dumps(fitness))])
def test_copies_keep_weights_and_values_and_are_independent(twin_of):
    for fitness in (Fitness([BPB, SPEED], [1.9, 250.0]), Fitness([BPB, SPEED])):
        twin = twin_of(fitness)
        assert (twin.weights, twin.values, twin.valid) == (fitness.weights, fitness.values, fitness.valid)
        assert twin == fitness
        assert hash(twin) == hash(fitness)
        twin.values = [1.0, 1.0]
        assert twin != fitness


def test_weights_belong_to_the_instance():
    assert Fitness([BPB]).weights == (-1.0,)
    assert Fitness([SPEED]).weights == (1.0,)


def test_an_individual_is_the_mean_of_its_evaluations():
    individual = _individual()
    assert not individual.fitness.valid
    assert individual.means() == {}
    individual.tell(1, {"val_bpb": 1.8, "tokens_per_second": 100.0})
    individual.tell(2, {"val_bpb": 2.0, "tokens_per_second": 300.0})
    assert individual.means() == {"val_bpb": 1.9, "tokens_per_second": 200.0}
    assert individual.fitness.values == (1.9,)
    assert individual.replicates == 2
    assert [seed for seed, _ in individual.evaluations] == [1, 2]


def test_an_objective_missing_in_one_evaluation_is_the_mean_of_the_others():
    individual = _individual()
    individual.tell(1, {"val_bpb": 1.8, "peak_memory_mib": 64.0})
    individual.tell(2, {"val_bpb": 2.0})
    assert individual.means() == {"val_bpb": 1.9, "peak_memory_mib": 64.0}


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        ({"tokens_per_second": 1.0}, "expected val_bpb among tokens_per_second"),
        ({"val_bpb": math.nan}, "must be finite"),
        ({"val_bpb": 1.0, "tokens_per_second": math.inf}, "must be finite"),
    ],
)
def test_a_bad_evaluation_changes_nothing(objectives, message):
    individual = _individual()
    individual.tell(1, {"val_bpb": 1.5})
    with pytest.raises(ValueError, match=message):
        individual.tell(2, objectives)
    assert individual.replicates == 1
    assert individual.fitness.values == (1.5,)


def test_what_was_told_cannot_be_changed_from_outside():
    individual = _individual()
    result_number = {"val_bpb": 1.5}
    individual.tell(1, result_number)
    result_number["val_bpb"] = 0.0
    assert individual.means() == {"val_bpb": 1.5}
    with pytest.raises(TypeError):
        individual.evaluations[0][1]["val_bpb"] = 0.0


def test_identity_is_the_id():
    assert _individual(1) == _individual(1)
    assert _individual(1) != _individual(2)
    assert len({_individual(1), _individual(1), _individual(2)}) == 2
    with pytest.raises(AttributeError):
        _individual().source = "other"


def test_a_fitness_over_other_objectives_needs_them_measured():
    individual = _individual()
    individual.tell(1, {"val_bpb": 1.5, "tokens_per_second": 10.0})
    assert individual.fitness_over([SPEED, BPB]).values == (10.0, 1.5)
    with pytest.raises(ValueError, match="individual 7 has no peak_memory_mib"):
        individual.fitness_over([LANGUAGE_MODEL_OBJECTIVES["peak_memory_mib"]])

import gc
import weakref

import pytest

from populations.archive import HallOfFame, ParetoFront
from populations.fitness import Fitness
from populations.individual import Individual
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES, Constraint

BPB = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]
SPEED = LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]


def _individual(number, bpb=None, speed=100.0):
    individual = Individual(number, "", (), "seed", "", Fitness([BPB]))
    if bpb is not None:
        individual.tell(0, {"val_bpb": bpb, "tokens_per_second": speed})
    return individual


def _ids(individuals):
    return [individual.id for individual in individuals]


def test_the_hall_of_fame_keeps_the_best_in_order_older_first_among_equals():
    hall = HallOfFame(3)
    for number, bpb in enumerate([1.9, 1.5, 1.7, 1.5, 1.8]):
        hall.update([_individual(number, bpb)])
    assert _ids(hall) == [1, 3, 2]
    assert hall[0].means()["val_bpb"] == 1.5


def test_the_hall_of_fame_holds_each_individual_once_and_as_it_is_today():
    hall = HallOfFame(3)
    lucky, steady, weak = _individual(1, 1.0), _individual(2, 1.2), _individual(3, 1.3)
    hall.update([lucky, steady, weak])
    lucky.tell(1, {"val_bpb": 1.5, "tokens_per_second": 100.0})
    hall.update([lucky])
    assert _ids(hall) == [2, 1, 3]
    assert hall[1] is lucky
    weak.tell(1, {"val_bpb": 0.7, "tokens_per_second": 100.0})
    hall.update([])
    assert _ids(hall) == [3, 2, 1]


def test_one_that_fell_makes_room_for_one_of_the_population():
    hall = HallOfFame(1)
    lucky, steady = _individual(1, 1.0), _individual(2, 1.2)
    hall.update([lucky, steady])
    lucky.tell(1, {"val_bpb": 2.0, "tokens_per_second": 100.0})
    hall.update([lucky, steady])
    assert _ids(hall) == [2]


def test_archives_hold_only_what_is_on_them():
    hall, front = HallOfFame(1), ParetoFront([BPB, SPEED])
    worse, better = _individual(1, 1.9), _individual(2, 1.2)
    forgotten = weakref.ref(worse.fitness)
    for archive in (hall, front):
        archive.update([worse])
        archive.update([better])
    del worse
    gc.collect()
    assert forgotten() is None
    assert hall[0] is better
    assert front.individuals[0] is better


@pytest.mark.parametrize("archive", [HallOfFame(2), ParetoFront([BPB, SPEED])])
def test_an_unmeasured_individual_changes_nothing(archive):
    archive.update([_individual(1, 1.0)])
    with pytest.raises(ValueError, match="individual 2"):
        archive.update([_individual(0, 0.5), _individual(2)])
    assert len(archive) == 1


def test_a_hall_of_fame_needs_room():
    with pytest.raises(ValueError, match="at least 1"):
        HallOfFame(0)


def test_the_front_trades_off_objectives_that_selection_does_not_look_at():
    front = ParetoFront([BPB, SPEED])
    front.update([_individual(0, 1.5, 100), _individual(1, 1.4, 50), _individual(2, 1.6, 90), _individual(3, 1.7, 300)])
    assert _ids(front.individuals) == [1, 0, 3]
    assert [member.fitness.values for member in front] == [(1.4, 50), (1.5, 100), (1.7, 300)]


def test_the_front_follows_re_evaluations():
    front = ParetoFront([BPB, SPEED])
    lucky, steady = _individual(1, 1.0, 100), _individual(2, 1.2, 90)
    front.update([lucky, steady])
    assert _ids(front.individuals) == [1]
    lucky.tell(1, {"val_bpb": 2.0, "tokens_per_second": 10})
    front.update([steady])
    assert _ids(front.individuals) == [2]
    front.update([lucky, steady])
    assert _ids(front.individuals) == [2]


def test_the_head_of_a_spread_front_is_not_crowded():
    front = ParetoFront([BPB, SPEED])
    points = [(1.0, 10), (1.01, 11), (1.02, 12), (1.5, 50), (2.0, 100)]
    front.update(_individual(number, *point) for number, point in enumerate(points))
    spread = _ids(front.spread())
    assert sorted(spread) == [0, 1, 2, 3, 4]
    assert set(spread[:2]) == {0, 4}
    assert spread[2] == 3
    assert ParetoFront([BPB]).spread() == []


def test_the_knee_keeps_the_constraints():
    bound = Constraint("tokens_per_second", ">", 60)

    def front_of(*points):
        front = ParetoFront([BPB, SPEED])
        for number, (bpb, speed) in enumerate(points):
            individual = Individual(number, "", (), "seed", "", Fitness([BPB], constraints=[bound]))
            individual.tell(0, {"val_bpb": bpb, "tokens_per_second": speed})
            front.update([individual])
        return front

    assert front_of((1.0, 70), (1.1, 95), (2.0, 100)).knee().id == 1
    assert front_of((1.0, 10), (1.1, 40), (2.0, 50)).knee() is None
    assert front_of((1.0, 70)).knee() is None
    assert front_of().knee() is None


def test_equal_individuals_stand_on_the_front_side_by_side():
    twins = [_individual(4, 1.0), _individual(3, 1.0)]
    front = ParetoFront([BPB, SPEED])
    front.update(twins)
    assert _ids(front.individuals) == [3, 4]
    front.update(twins)
    assert len(front) == 2

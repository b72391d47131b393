"""What is known of a run: population, best, gains and noise, told one result after the other."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Mapping
from statistics import stdev

import pytest
from searches import configuration

from evo.runs.assemble import build_standings
from evo.standings.archive import front_of
from evo.standings.incumbent import Setback
from evo.standings.individuals import Standing, operator_results
from evo.standings.standings import Standings
from evo.store import IndividualRecord, OperatorTotals, Outcome, Purpose
from trainer.evaluation import Status
from trainer.objectives import Constraint, Direction, Objective


class Teller:
    """Tells standings results without a store."""

    def __init__(self, **search: object) -> None:
        self.standings: Standings = build_standings(configuration(**search))  # type: ignore[arg-type]
        self._told = itertools.count(1)

    def tell(
        self,
        individual: int,
        bpb: float | None,
        purpose: Purpose = Purpose.SEARCH,
        *,
        seed: int = 0,
        gate: float | None = None,
        speed: float = 1e4,
        parents: tuple[int, ...] = (0,),
    ) -> None:
        record = IndividualRecord(individual, "random", parents if individual else (), f"idea {individual}", "", 0.0)
        objectives: Mapping[str, float] = {} if bpb is None else {"val_bpb": bpb, "tokens_per_second": speed}
        status = Status.CRASHED if bpb is None else Status.OK
        outcome = Outcome(
            evaluation=0,
            individual=individual,
            result_number=next(self._told),
            purpose=purpose,
            seed=seed,
            attempt=1,
            device="cpu",
            status=status,
            objectives=objectives,
            split_bpb={} if gate is None else {"S": bpb or 0.0, "G": gate},
            finished_at=0.0,
        )
        self.standings.tell(record, outcome, lambda one: f"SOURCE = {one}\n")

    def replicates(self, *gates: float) -> None:
        for seed, gate in enumerate(gates):
            self.tell(0, gate - 0.1, Purpose.BASELINE, seed=seed, gate=gate)

    @property
    def best(self) -> int | None:
        best = self.standings.best()
        return best.id if best else None

    @property
    def population(self) -> list[int]:
        return [individual.id for individual in self.standings.population]


def test_nothing_is_known_at_first() -> None:
    teller = Teller()
    assert teller.best is None
    assert teller.standings.noise() == {}
    assert teller.standings.confirmations.gains() == []
    assert teller.standings.finalists() == []


def test_one_replicate_says_nothing_about_noise() -> None:
    teller = Teller()
    teller.replicates(2.0)
    assert teller.standings.noise() == {}
    teller.tell(1, 1.5, Purpose.CONFIRM, seed=0, gate=1.6)
    assert teller.standings.confirmations.gains() == []


def test_noise_is_the_spread_of_generation_0() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1, 2.3)
    assert teller.standings.noise()["val_bpb"] == pytest.approx(stdev([1.9, 2.0, 2.2]))
    assert teller.standings.noise()["tokens_per_second"] == 0.0


def test_an_improvement_is_more_than_two_standard_errors_of_a_difference_of_means() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1, 2.2, 2.3)
    sigma = stdev([2.0, 2.1, 2.2, 2.3])
    error = sigma * math.sqrt(1 + 1 / 4)
    for number, below in enumerate((1.99, 2.01), start=1):
        teller.tell(number, 2.05 - below * error)
    assert [teller.standings.improves(number) for number in (1, 2)] == [False, True]
    difference = teller.standings.difference(2, 0)
    assert difference is not None
    assert (difference.value, difference.standard_error) == (pytest.approx(2.01 * error), pytest.approx(error))
    teller.tell(1, 2.05 - 1.99 * error, Purpose.REPLICATE, seed=500)  # what two evaluations agree on is surer
    assert teller.standings.improves(1)


def test_without_noise_any_gain_is_an_improvement_and_a_failure_is_none() -> None:
    teller = Teller()
    teller.replicates(2.0)
    teller.tell(1, 1.8999)
    teller.tell(2, None)
    teller.tell(3, 1.91)
    assert [teller.standings.improves(number) for number in range(4)] == [False, True, False, False]
    assert teller.standings.difference(1, 2) is None


def test_gains_pair_seeds() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1, 2.3)
    teller.tell(1, 1.7)
    teller.tell(1, 1.7, Purpose.CONFIRM, seed=1, gate=2.0)
    teller.tell(1, 1.7, Purpose.CONFIRM, seed=2, gate=2.1)
    teller.tell(1, 1.7, Purpose.CONFIRM, seed=9, gate=0.1)  # generation 0 never ran with it
    (gain,) = teller.standings.confirmations.gains()
    assert (gain.individual, gain.seeds) == (1, 2)
    assert gain.value == pytest.approx((0.1 + 0.2) / 2)
    assert gain.generation_zero == pytest.approx(2.2)
    assert gain.noise == pytest.approx(stdev([2.0, 2.1, 2.3]) * math.sqrt(2 / 2))
    assert not gain.is_real


def test_the_best_is_what_was_confirmed_and_not_what_was_lucky() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.001, 2.002)
    teller.tell(1, 1.2, gate=1.4)
    teller.tell(2, 1.3)
    assert teller.best == 1
    for seed in (1, 2):
        teller.tell(1, 1.8, Purpose.CONFIRM, seed=seed, gate=1.95)
        teller.tell(2, 1.3, Purpose.CONFIRM, seed=seed, gate=1.5)
    assert teller.best == 2
    assert teller.standings.confirmations.gains()[0].is_real


def test_generation_0_stays_the_best_when_no_gain_is_confirmed() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1)
    teller.tell(1, 1.2)
    teller.tell(1, 2.5, Purpose.CONFIRM, seed=1, gate=2.2)
    assert teller.best == 0


def test_a_confirmed_individual_stays_the_best_when_many_better_looking_ones_follow() -> None:
    teller = Teller(pop=2, gens=40)
    teller.replicates(2.0, 2.1)
    teller.tell(1, 1.8)
    teller.tell(1, 1.8, Purpose.CONFIRM, seed=1, gate=1.9)
    for number in range(2, 40):
        teller.tell(number, 1.7 - number / 1000)
    assert teller.best == 1


def test_who_was_left_behind_in_the_race_is_not_the_best() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1, 2.0, 2.1, 2.0)
    teller.tell(1, 1.8)
    teller.tell(2, 1.8)
    for seed in (1, 2, 3, 4):
        teller.tell(1, 1.8, Purpose.CONFIRM, seed=seed, gate=1.8)
    teller.tell(2, 1.7, Purpose.CONFIRM, seed=1, gate=1.7)
    assert [(gain.individual, gain.is_behind) for gain in teller.standings.confirmations.gains()] == [
        (1, False),
        (2, True),
    ]
    assert teller.best == 1


def test_generation_0_decides_nothing_between_those_that_ran_with_different_seeds() -> None:
    teller = Teller()
    teller.replicates(2.0, 3.0, 2.0, 2.0)
    teller.tell(1, 1.8)
    teller.tell(2, 1.8)
    for seed in (1, 2, 3):
        teller.tell(1, 1.5, Purpose.CONFIRM, seed=seed, gate=1.5)
    for seed in (1, 2):
        teller.tell(2, 1.6, Purpose.CONFIRM, seed=seed, gate=1.6)
    first, second = teller.standings.confirmations.gains()
    assert first.value < second.value  # on the seed with which generation 0 did badly, everybody gains
    assert (first.individual, teller.best) == (1, 1)
    assert teller.standings.confirmations.ranked([3, 2, 1]) == [1, 2, 3]


def test_the_noise_of_a_gain_comes_from_all_finalists_and_not_from_a_steadier_generation_0() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.001, 2.0, 2.001, 2.0)
    measured = {1: (1.80, 1.83, 1.78, 1.81), 2: (1.90, 1.86), 3: (1.93, 1.97), 4: (1.91, 1.88)}
    for individual, values in measured.items():
        teller.tell(individual, 1.8)
        for seed, value in enumerate(values, start=1):
            teller.tell(individual, value, Purpose.CONFIRM, seed=seed, gate=value)
    gain = teller.standings.confirmations.gains()[0]
    assert (gain.individual, gain.seeds) == (1, 4)
    assert gain.noise > 0.01


def test_finalists_stay_who_they_are_while_they_are_confirmed() -> None:
    teller = Teller(pop=16, gens=40)
    teller.replicates(2.0, 2.1, 2.0)
    for number in range(1, 9):
        teller.tell(number, 1.5 + number / 100)

    def finalists() -> list[int]:
        return [one.id for one in teller.standings.finalists()]

    assert finalists() == [1, 2, 3, 4, 5, 6]
    teller.tell(1, 1.9, Purpose.CONFIRM, seed=1, gate=1.9)
    assert finalists() == [1, 2, 3, 4, 5, 6]
    teller.tell(9, 1.505)
    # The first one fell by its second result; as the only one that is confirmed, it defends that nevertheless.
    assert finalists() == [1, 9, 2, 3, 4, 5]


def test_an_offspring_that_is_measured_before_generation_0_stays() -> None:
    teller = Teller()
    teller.tell(1, 1.5, gate=1.6)
    assert teller.population == [1]
    assert teller.best is None
    teller.replicates(2.0, 2.1)
    assert teller.population == [1, 0]
    assert teller.best == 1


class TestChampion:
    """Who is the best before anything is confirmed."""

    def test_generation_0_is_the_first(self) -> None:
        teller = Teller()
        assert teller.best is None
        teller.replicates(2.0)
        assert teller.best == 0

    def test_who_leads_and_holds_on_the_holdout_split_follows(self) -> None:
        teller = Teller()
        teller.replicates(2.0)
        teller.tell(1, 1.8, gate=2.0)
        assert teller.best == 1
        teller.tell(2, 1.7, gate=1.9)
        assert teller.best == 2
        assert teller.standings.incumbents.setbacks == {}

    def test_who_leads_and_is_worse_on_the_holdout_split_does_not(self) -> None:
        teller = Teller()
        teller.replicates(2.0)
        teller.tell(1, 1.8, gate=1.9)
        teller.tell(2, 1.2, gate=1.95)
        assert [one.id for one in teller.standings.archive.hall] == [2, 1, 0]
        assert teller.best == 1
        assert teller.standings.incumbents.setbacks == {2: Setback(incumbent=1, bpb=1.95, incumbent_bpb=1.9)}

    def test_who_was_never_scored_on_the_holdout_split_does_not(self) -> None:
        teller = Teller()
        teller.replicates(2.0)
        teller.tell(1, 0.1)
        assert teller.best == 0

    def test_who_is_better_on_the_holdout_split_alone_does_not(self) -> None:
        teller = Teller()
        teller.replicates(2.0)
        teller.tell(1, 1.9, gate=0.1)
        assert teller.best == 0
        assert teller.standings.incumbents.setbacks == {}

    def test_seeds_are_paired_where_both_ran_with_one(self) -> None:
        teller = Teller()
        teller.replicates(2.0, 1.0)  # on the mean of both nobody would hold
        teller.tell(1, 1.3, gate=1.8)
        assert teller.best == 1
        teller.tell(2, 1.2, seed=7, gate=1.85)
        teller.tell(3, 1.2, seed=7, gate=1.75)
        assert teller.best == 3

    def test_a_replicate_can_take_it_back(self) -> None:
        teller = Teller(pop=4, gens=40)
        teller.replicates(2.0)
        teller.tell(1, 1.8, gate=1.9)
        teller.tell(2, 1.7, gate=1.95)
        teller.tell(3, 1.75, gate=1.85)
        assert teller.best == 3
        teller.tell(3, 2.1, seed=1, gate=2.1)
        assert teller.best == 1
        teller.tell(1, 2.4, seed=1, gate=2.2)
        assert teller.best == 2

    def test_the_same_results_again_give_the_same_incumbents(self) -> None:
        def incumbents() -> list[int | None]:
            chance, teller, seen = random.Random(3), Teller(pop=4, gens=100), []
            teller.replicates(2.0, 2.01, 1.99)
            for number in range(1, 200):
                again = number > 20 and chance.random() < 0.2
                individual = chance.randrange(number - 20, number) if again else number
                bpb = 1.9 - number / 1000 + chance.gauss(0, 0.05)
                gate = bpb + 0.1 + chance.gauss(0, 0.05)
                teller.tell(individual, bpb, seed=5 if again else 0, gate=gate if chance.random() < 0.5 else None)
                seen.append(teller.best)
            return seen

        seen = incumbents()
        assert len(set(seen)) > 5
        assert incumbents() == seen

    def test_it_is_the_first_finalist(self) -> None:
        teller = Teller(pop=4, gens=8)
        teller.replicates(2.0, 2.1)
        for number in range(1, 20):
            teller.tell(number, 1.5, gate=2.5)
        teller.tell(20, 1.8, gate=1.9)
        assert teller.best == 20
        finalists = [one.id for one in teller.standings.finalists()]
        assert finalists == [20, 1]

    def test_what_it_was_chosen_by_does_not_confirm_it(self) -> None:
        teller = Teller()
        teller.replicates(2.0, 2.1)
        teller.tell(1, 1.8, gate=1.9)
        assert teller.standings.confirmations.gains() == []


def test_failures_are_counted_and_nowhere_else() -> None:
    teller = Teller()
    teller.replicates(2.0)
    teller.tell(1, None)
    standings = teller.standings
    assert (standings.result_number, standings.searched) == (2, 1)
    assert standings.statuses == {Status.OK: 1, Status.CRASHED: 1}
    assert teller.population == [0]
    assert len(standings.archive.hall) == len(standings.archive.front.individuals) == 1


def test_generations_survive_whole() -> None:
    teller = Teller(pop=3, gens=4, schedule="generational")
    teller.replicates(2.0)
    for number, bpb in ((1, 1.5), (2, None)):
        teller.tell(number, bpb)
        assert teller.population == [0]
    teller.tell(3, 1.4)
    assert teller.population == [3, 1, 0]
    for number, bpb in ((4, 1.3), (5, 1.2), (6, 1.45)):
        teller.tell(number, bpb)
    assert teller.population == [5, 4, 3]


def test_the_last_smaller_generation_survives_too() -> None:
    teller = Teller(pop=3, gens=2, schedule="generational", noise={"baseline_replicates": 1})
    teller.replicates(2.0)
    for number in range(1, 6):
        teller.tell(number, 1.5 - number / 10)
    assert teller.population == [5, 4, 3]


def test_a_maximised_first_objective() -> None:
    teller = Teller(objectives=("tokens_per_second",))
    for seed, speed in enumerate((1.1e4, 1e4)):
        teller.tell(0, 2.0, Purpose.BASELINE, seed=seed, speed=speed)
    teller.tell(1, 3.0, speed=2e4)
    teller.tell(2, 1.0, speed=1.5e4)
    assert teller.best == 1
    assert teller.population == [1, 2, 0]
    assert [one.id for one in teller.standings.finalists()] == [1, 2]
    teller.tell(1, 3.0, Purpose.CONFIRM, seed=1, speed=1.4e4)
    (gain,) = teller.standings.confirmations.gains()
    assert gain.value == pytest.approx(0.4e4)


def test_two_objectives_keep_the_trade_off() -> None:
    teller = Teller(pop=2, gens=40, objectives=("val_bpb", "tokens_per_second"))
    teller.replicates(2.1)
    teller.tell(1, 1.0, speed=1e3)
    teller.tell(2, 1.9, speed=9e4)
    teller.tell(3, 1.95, speed=2e4)
    assert sorted(teller.population) == [1, 2]
    assert {one.id for one in teller.standings.archive.front.individuals} == {1, 2}


BOTH = ("val_bpb", "tokens_per_second")


class TestFront:
    """Selection on several objectives: who is looked at again, who is confirmed, and what comes of it."""

    @pytest.fixture
    def teller(self) -> Teller:
        return Teller(pop=4, gens=60, objectives=BOTH)

    def test_everybody_on_it_leads(self, teller: Teller) -> None:
        teller.replicates(2.1, 2.2)
        for number in range(1, 8):
            teller.tell(number, 2.0 - number / 100, speed=9e3 - number)
        assert {one.id for one in teller.standings.leaders()} == {*range(1, 8)}

    def test_who_falls_makes_room_for_one_of_the_population(self, teller: Teller) -> None:
        teller.replicates(2.1, 2.2)
        teller.tell(1, 1.9, speed=2e4)
        teller.tell(2, 1.8, speed=3e4)
        assert [one.id for one in teller.standings.archive.front.individuals] == [2]
        teller.tell(2, 2.5, Purpose.REPLICATE, seed=500, speed=1e3)
        assert [one.id for one in teller.standings.archive.front.individuals] == [1]

    def test_the_best_is_confirmed_first_and_then_who_is_not_crowded(self, teller: Teller) -> None:
        teller.replicates(2.1, 2.2)
        for number, (bpb, speed) in enumerate([(1.9, 9e4), (1.5, 1e4), (1.51, 1.1e4), (1.7, 5e4), (1.8, 6e4)], 1):
            teller.tell(number, bpb, speed=speed)
        assert [one.id for one in teller.standings.finalists()] == [2, 1, 4, 3, 5]

    def test_second_looks_end_where_everything_repeats_exactly(self, teller: Teller) -> None:
        teller.replicates(2.0, 2.0, 2.0)
        for number in range(1, 7):
            assert not teller.standings.replication.repeats_exactly
            teller.tell(number, 1.9)
            teller.tell(number, 1.9, Purpose.REPLICATE, seed=500)
        assert teller.standings.replication.repeats_exactly
        teller.tell(1, 1.9 + 1e-15, Purpose.REPLICATE, seed=501)
        assert not teller.standings.replication.repeats_exactly

    def test_it_is_confirmed_on_text_that_selection_never_saw(self, teller: Teller) -> None:
        for seed, gate in enumerate((2.0, 2.01)):
            teller.tell(0, 1.0, Purpose.BASELINE, seed=seed, gate=gate, speed=1e4 + 100 * seed)
        for seed in (1, 2):
            teller.tell(1, 1.0, Purpose.CONFIRM, seed=seed, gate=1.5, speed=1e3)
            teller.tell(2, 1.0, Purpose.CONFIRM, seed=seed, gate=1.9, speed=2e4)
            teller.tell(3, 1.0, Purpose.CONFIRM, seed=seed, gate=1.95, speed=1.9e4)
        best, fast, beaten = teller.standings.confirmations.front()
        assert [one.individual for one in (best, fast, beaten)] == [1, 2, 3]
        assert best.means == {"val_bpb": 1.5, "tokens_per_second": 1e3}
        assert best.seeds == 2
        assert best.errors["val_bpb"] == pytest.approx(stdev([2.0, 2.01]) / math.sqrt(2))
        assert best.errors["tokens_per_second"] == pytest.approx(stdev([1e4, 1.01e4]) / math.sqrt(2))
        assert (best.holds, fast.holds, beaten.holds) == (True, True, False)

    def test_a_member_within_the_noise_of_another_holds(self, teller: Teller) -> None:
        for seed, gate in enumerate((2.0, 2.2)):
            teller.tell(0, 1.0, Purpose.BASELINE, seed=seed, gate=gate)
        teller.tell(1, 1.0, Purpose.CONFIRM, seed=1, gate=1.7)
        teller.tell(2, 1.0, Purpose.CONFIRM, seed=1, gate=1.71)
        assert [one.holds for one in teller.standings.confirmations.front()] == [True, True]

    def test_it_is_confirmed_whatever_the_first_objective_is(self) -> None:
        teller = Teller(pop=4, gens=40, objectives=BOTH[::-1])
        teller.replicates(2.0, 2.1)
        teller.tell(1, 1.0, Purpose.CONFIRM, seed=1, gate=1.5, speed=2e4)
        (member,) = teller.standings.confirmations.front()
        assert (member.means, member.holds) == ({"tokens_per_second": 2e4, "val_bpb": 1.5}, True)
        assert teller.best == 1

    def test_who_breaks_a_constraint_does_not_hold(self, teller: Teller) -> None:
        teller.standings.confirmations.constraints = (Constraint("tokens_per_second", ">", 5e3),)
        teller.replicates(2.0, 2.1)
        teller.tell(1, 1.0, Purpose.CONFIRM, seed=1, gate=1.5, speed=1e3)
        assert [one.holds for one in teller.standings.confirmations.front()] == [False]

    def test_who_is_new_on_it_is_progress_and_a_copy_is_none(self, teller: Teller) -> None:
        teller.replicates(2.1)
        seen = []
        for number, (bpb, speed) in enumerate([(1.9, 2e4), (1.95, 1e4), (1.9, 2e4), (2.5, 3e4), (1.9, 2e4)], start=1):
            teller.tell(number, bpb, speed=speed)
            seen.append(teller.standings.led_since)
        assert seen == [2, 2, 2, 5, 5]

    def test_its_history_has_every_change(self, teller: Teller) -> None:
        teller.replicates(2.1)
        teller.tell(1, 1.9, speed=2e4)
        teller.tell(2, 1.95, speed=1e4)
        teller.tell(3, 1.8, speed=1e4)
        assert teller.standings.archive.front_history == [
            (1, ((2.0, 1e4),)),
            (2, ((1.9, 2e4),)),
            (4, ((1.8, 1e4), (1.9, 2e4))),
        ]


def test_one_objective_has_finalists_and_no_confirmed_front() -> None:
    teller = Teller()
    teller.replicates(2.0, 2.1)
    teller.tell(1, 1.7, Purpose.CONFIRM, seed=1, gate=1.9)
    assert len(teller.standings.confirmations.gains()) == 1
    assert teller.standings.confirmations.front() == []


def test_the_history_of_the_best_follows_means_and_steps_back() -> None:
    teller = Teller(objectives=("tokens_per_second",))
    for number, (individual, speed, seed) in enumerate([(0, 2e4, 0), (1, 3e4, 0), (2, None, 0), (1, 0.8e4, 1)]):
        purpose = Purpose.SEARCH if number else Purpose.BASELINE
        teller.tell(individual, None if speed is None else 1.0, purpose, seed=seed, speed=speed or 0.0)
    leads = [(lead.result_number, lead.individual, lead.value) for lead in teller.standings.leads]
    assert leads == [(1, 0, 2e4), (2, 1, 3e4), (4, 0, 2e4)]


def test_the_history_of_the_best_has_only_what_holds_on_the_holdout_split() -> None:
    teller = Teller()
    teller.replicates(2.0)
    teller.tell(1, 1.0)
    teller.tell(2, 1.5, gate=1.9)
    assert [lead.individual for lead in teller.standings.leads] == [0, 2]


def test_an_operator_is_credited_beyond_a_tie_over_its_best_parent() -> None:
    teller = Teller(gens=40)
    teller.replicates(2.0, 2.014)
    measured: dict[int, tuple[tuple[int, ...], float | None]] = {
        1: ((0,), 1.8), 2: ((0,), 1.79), 3: ((0, 1), 1.6), 4: ((0, 1), 1.85), 5: ((1,), None)
    }  # fmt: skip
    for number, (parents, bpb) in measured.items():
        teller.tell(number, bpb, parents=parents)
    made = [Standing.of(IndividualRecord(one, "merge" if one > 2 else "random", parents, "", "", 0.0), teller.standings)
            for one, parents in [*((one, parents) for one, (parents, _) in measured.items()), (6, (1,))]]  # fmt: skip
    totals = [OperatorTotals("llm", 2, 1, 0.0), OperatorTotals("merge", 9, 0, 0.0), OperatorTotals("random", 2, 0, 0.0)]
    merge, mutation, llm = operator_results(totals, made, teller.standings)
    assert (merge.proposals, merge.offspring, merge.scored, merge.failed, merge.improved) == (9, 4, 2, 1, 1)
    assert (mutation.name, mutation.offspring, mutation.improved) == ("random", 2, 2)
    assert (llm.name, llm.proposals, llm.offspring, llm.cost_usd) == ("llm", 2, 0, None)


def test_the_front_that_views_show_is_exact() -> None:
    means = {0: {"a": 2.0, "b": 2.0}, 1: {"a": 1.0, "b": 3.0}, 2: {"a": 1.0, "b": 3.0}, 3: {"a": 3.0, "b": 3.0}}
    objectives = [Objective("a", Direction.MINIMIZE, ""), Objective("b", Direction.MINIMIZE, "")]
    front, _ = front_of(means, objectives, ())
    assert front == [1, 2, 0]

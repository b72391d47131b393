"""Successive halving: what goes on to the next rung, and which rungs agree with the whole budget."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property_cases import cases
from scipy.stats import spearmanr

from evo.config.config import FidelityConfig
from evo.standings.rungs import SuccessiveHalving, spearman
from evo.store import Outcome, Purpose
from trainer.evaluation import Status
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

BPB, SPEED = LANGUAGE_MODEL_OBJECTIVES["val_bpb"], LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"]


class Climb:
    """Tells the rungs results without a store."""

    def __init__(self, *rungs: float, seed: int = 0, objectives: Sequence[object] = (BPB,), **config: object) -> None:
        self.halving = SuccessiveHalving(FidelityConfig(rungs=rungs, calibrate=8, **config), seed, objectives)  # type: ignore[arg-type]
        self._told = itertools.count(1)

    def tell(self, individual: int, budget_fraction: float, bpb: float | None, speed: float = 1.0) -> float | None:
        """Return what a result earns its individual."""
        purpose = Purpose.SEARCH if budget_fraction == 1 else Purpose.SCREEN
        status = Status.CRASHED if bpb is None else Status.OK
        measured = {} if bpb is None else {"val_bpb": bpb, "tokens_per_second": speed}
        result_number = next(self._told)
        self.halving.tell(
            Outcome(
                result_number,
                individual,
                result_number,
                purpose,
                0,
                1,
                "cpu",
                status,
                measured,
                {},
                0.0,
                budget_fraction,
            )  # positional: as stored
        )
        return self.halving.promotion(individual)

    def calibrated(self, *, agrees: bool = True) -> Climb:
        """Let eight individuals climb whatever they score; what they score decides over the rungs."""
        for number in range(8):
            individual = 1000 + number
            budget_fraction = self.halving.first(individual)
            while budget_fraction < 1:
                earned = self.tell(individual, budget_fraction, 1.0 + number)
                assert earned is not None
                budget_fraction = earned
            self.tell(individual, 1.0, 1.0 + number if agrees else 9.0 - number)
        return self

    def judged(self) -> list[int]:
        """Return individuals that are not drawn to go on whatever they score."""
        return [one for one in range(100) if not self.halving._is_drawn(one)]


def test_without_rungs_everybody_gets_the_whole_budget() -> None:
    halving = Climb().halving
    assert halving.first(1) == 1.0
    assert halving.cost_from(1.0) == 1.0
    assert halving.rungs == []


def test_the_first_climb_every_rung_whatever_they_score() -> None:
    climb = Climb(0.1, 0.5, 1.0)
    assert climb.halving.first(1) == 0.1
    assert climb.tell(1, 0.1, 1.0) == 0.5
    assert climb.tell(2, 0.1, 99.0) == 0.5
    assert climb.tell(2, 0.5, 99.0) == 1.0


def test_then_the_best_third_of_a_rung_goes_on() -> None:
    climb = Climb(0.25, 1.0).calibrated()  # they scored 1, 2, … 8
    one, two, three, four, *_ = climb.judged()
    assert climb.tell(one, 0.25, 2.5) == 1.0  # two of nine are better
    assert climb.tell(two, 0.25, 3.5) is None  # four of ten
    assert climb.tell(three, 0.25, 0.5) == 1.0
    assert climb.tell(four, 0.25, None) is None


def test_who_is_compared_are_the_newest_results() -> None:
    climb = Climb(0.25, 1.0, promote=0.5).calibrated()
    judged = climb.judged()
    for individual in judged[:32]:
        climb.tell(individual, 0.25, 0.5)
    assert climb.tell(judged[32], 0.25, 0.9) is None


def test_some_go_on_whatever_they_score() -> None:
    climb = Climb(0.25, 1.0).calibrated()
    drawn = set(range(1000)) - {one for one in range(1000) if not climb.halving._is_drawn(one)}
    assert 70 <= len(drawn) <= 130
    assert all(climb.tell(individual, 0.25, 99.0) == 1.0 for individual in drawn)


def test_several_objectives_rank_by_how_many_dominate() -> None:
    climb = Climb(0.25, 1.0, objectives=(BPB, SPEED)).calibrated()
    fast, slow, *_ = climb.judged()
    assert climb.tell(fast, 0.25, 99.0, speed=2.0) == 1.0
    assert climb.tell(slow, 0.25, 99.0, speed=0.5) is None


def test_a_rung_that_ranks_otherwise_is_left_out_and_comes_back() -> None:
    climb = Climb(0.25, 1.0).calibrated(agrees=False)
    (rung,) = climb.halving.rungs
    judged = climb.judged()[0]
    assert (rung.correlation, rung.pairs, rung.is_used) == (-1.0, 8, False)
    assert climb.halving.first(judged) == 1.0
    (switch,) = climb.halving.switches
    assert str(switch) == (
        "The rung of 0.25 of the budget is switched off: offspring skip it. Its ranks correlate with those of the "
        "whole budget by -1.00 (Spearman, 8 individuals; at least 0.5 is wanted)"
    )

    drawn = [one for one in range(2000) if climb.halving._is_drawn(one)]
    for value, individual in enumerate(drawn[:60]):
        assert climb.halving.first(individual) == 0.25
        climb.tell(individual, 0.25, 10.0 + value)
        climb.tell(individual, 1.0, 10.0 + value)

    assert climb.halving.rungs[0].is_used
    assert climb.halving.first(judged) == 0.25
    assert "is used again" in str(climb.halving.switches[-1])


def test_of_two_rungs_one_may_be_left_out() -> None:
    climb = Climb(0.1, 0.5, 1.0)
    for value in range(8):
        climb.tell(value, 0.1, 9.0 - value)
        climb.tell(value, 0.5, 1.0 + value)
        climb.tell(value, 1.0, 1.0 + value)
    judged = climb.judged()[9]
    assert [rung.is_used for rung in climb.halving.rungs] == [False, True]
    assert climb.halving.first(judged) == 0.5
    assert climb.halving.cost_from(0.5) == 1.5


def test_those_promoted_for_their_rank_say_nothing_about_the_ranks() -> None:
    climb = Climb(0.25, 1.0).calibrated()
    one = climb.judged()[0]
    assert climb.tell(one, 0.25, 0.5) == 1.0
    climb.tell(one, 1.0, 99.0)
    assert climb.halving.rungs[0].pairs == 8


def test_what_failed_with_the_whole_budget_is_no_pair() -> None:
    climb = Climb(0.25, 1.0)
    climb.tell(1, 0.25, 1.0)
    climb.tell(1, 1.0, None)
    assert climb.halving.rungs[0].pairs == 0


def test_a_rung_that_the_run_goes_on_without_lets_its_last_results_pass() -> None:
    climb = Climb(0.5, 1.0)
    assert climb.tell(1, 0.25, 1.0) == 1.0
    assert climb.tell(2, 0.25, None) is None


@cases(40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=3, max_size=30))
def test_spearman_is_scipys(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert spearman(pairs) == 0.0
    else:
        assert spearman(pairs) == pytest.approx(spearmanr(one, other).statistic)

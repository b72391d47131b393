"""What a serving process may take: by its own forward pass, bounded by generation 0's and by the budget."""

from __future__ import annotations

import pytest

from trainer.evaluation import Budget, Clock
from trainer.scoring.serving import Allowance, ServingCost

REFERENCE = ServingCost(loading=0.02, answer=0.03)


def allowance(forward: float, train_seconds: float = 10.0, clock: Clock = Clock.CPU) -> Allowance:
    return Allowance(Budget(train_seconds, clock), REFERENCE, forward)


def test_a_model_as_fast_as_generation_0_has_three_times_its_own_forward_pass() -> None:
    assert allowance(0.03).answering(16) == pytest.approx(0.5 + 16 * 3 * 0.03)
    assert allowance(0.03).loading() == pytest.approx(0.5 + 10 * 0.02 + 3 * 0.03)


@pytest.mark.parametrize("forward", [1.0, 100.0])
def test_to_be_slow_on_purpose_brings_ten_times_what_generation_0_takes_at_most(forward: float) -> None:
    assert allowance(forward).answering(16) == pytest.approx(0.5 + 16 * 10 * 0.03)


def test_a_slow_model_of_a_long_training_may_take_a_tenth_of_that() -> None:
    assert allowance(100.0, train_seconds=600).answering(16) == pytest.approx(0.5 + 60)


def test_the_wall_clock_forgives_what_others_do() -> None:
    assert allowance(0.03, clock=Clock.WALL).loading() == pytest.approx(5 + 10 * 0.02 + 3 * 0.03)

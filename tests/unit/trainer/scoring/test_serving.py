"""What a serving process is given: weights and time by its own model, and by generation 0's."""

from __future__ import annotations

import pytest

from trainer.evaluation import Budget, Clock
from trainer.scoring.serving import Allowance, ServingCost, State, excess

REFERENCE = ServingCost(loading=0.02, answer=0.03, weights_bytes=2**20)
GRACE = 0.2 + 10 * 0.02


def allowance(forward: float, train_seconds: float = 10.0, clock: Clock = Clock.CPU) -> Allowance:
    return Allowance(Budget(train_seconds, clock), REFERENCE, forward, 16)


@pytest.mark.parametrize("answers", [1, 2, 16])
def test_a_model_as_fast_as_generation_0_has_three_times_its_own_forward_pass_for_each_answer(answers: int) -> None:
    assert allowance(0.03).until(answers) == pytest.approx(GRACE + answers * 3 * 0.03)


@pytest.mark.parametrize("forward", [1.0, 100.0])
def test_to_be_slow_on_purpose_brings_ten_times_what_generation_0_takes_at_most(forward: float) -> None:
    assert allowance(forward).until(16) == pytest.approx(GRACE + 16 * 10 * 0.03)


def test_a_slow_model_of_a_long_training_may_take_a_tenth_of_that_for_all_answers_and_not_at_once() -> None:
    assert allowance(100.0, train_seconds=600).until(16) == pytest.approx(GRACE + 60)
    assert allowance(100.0, train_seconds=600).until(1) == pytest.approx(GRACE + 60 / 16)


def test_the_wall_clock_forgives_what_others_do() -> None:
    assert allowance(0.03, clock=Clock.WALL).until(1) == pytest.approx(5 + 10 * 0.02 + 3 * 0.03)


@pytest.mark.parametrize(
    ("weights_bytes", "numbers", "words"),
    [
        (4 * 10**6 + 200, 10**6, ""),
        (8 * 10**6 + 200, 10**6, ""),  # saved in double precision
        (8 * 10**6 + 10**5, 10**6, "of 7.725 MiB, but the model that it builds has room for 1000000 numbers"),
        (64 * 2**20, 16 * 2**20, ""),
        (64 * 2**20 + 1, 16 * 2**20, "of 64 MiB, but 64 times generation 0's are allowed, 64 MiB"),
    ],
)
def test_weights_hold_what_the_model_has_room_for_and_not_far_more_than_generation_0s(
    weights_bytes: int, numbers: int, words: str
) -> None:
    assert excess(weights_bytes, State(numbers, tensors=3, name_bytes=30), REFERENCE) == words


def test_a_header_may_name_every_tensor() -> None:
    assert not excess(4 * 1000 + 1000 * 300, State(1000, tensors=1000, name_bytes=80_000), REFERENCE)

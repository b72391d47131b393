"""Effects on an individual's own parents, as of any result, with the drift of devices taken out."""

from __future__ import annotations

import itertools
from math import sqrt

import pytest

from evo.standings.effects import Effects
from evo.standings.sentinels import Sentinels
from evo.store import Outcome, Purpose
from trainer.evaluation import Status
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

BPB = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]
SIGMA = 0.01
EVER = 10**9


class Measured:
    """Measurements, told in their order."""

    def __init__(self) -> None:
        self._sentinels = Sentinels(10, BPB)
        self.effects = Effects(BPB, self._sentinels)
        self._numbers = itertools.count(1)

    def tell(self, individual: int, bpb: float, purpose: Purpose = Purpose.SEARCH, device: str = "cpu/0") -> None:
        number, objectives = next(self._numbers), {"val_bpb": bpb}
        outcome = Outcome(number, individual, number, purpose, 0, 1, device, Status.OK, objectives, {}, 0.0)
        if purpose.counts:
            self.effects.tell(outcome)
        self._sentinels.tell(outcome, SIGMA if purpose is Purpose.SENTINEL else None)

    def value(self, individual: int, *parents: int, until: int = EVER) -> float | None:
        found = self.effects.of(individual, parents, SIGMA, until)
        return None if found is None else found[1].value


def test_an_effect_is_on_the_better_parent_with_the_error_of_a_difference() -> None:
    run = Measured()
    for individual, bpb in ((0, 1.60), (1, 1.50), (1, 1.52), (2, 1.55), (3, 1.48)):
        run.tell(individual, bpb)
    found = run.effects.of(3, (2, 1), SIGMA, EVER)
    assert found is not None
    parent, difference = found
    assert parent == 1
    assert difference.value == pytest.approx(0.03)
    assert difference.standard_error == pytest.approx(SIGMA * sqrt(1 + 1 / 2))
    assert not difference.is_tie
    assert run.effects.of(2, (7,), SIGMA, EVER) is None


def test_an_effect_is_told_as_of_a_result() -> None:
    run = Measured()
    for individual, bpb in ((0, 1.60), (1, 1.50), (1, 1.60)):
        run.tell(individual, bpb)
    assert run.value(1, 0, until=2) == pytest.approx(0.10)
    assert run.value(1, 0) == pytest.approx(0.05)
    assert run.value(1, 0, until=1) is None


def test_what_a_drifting_device_adds_is_taken_out() -> None:
    run = Measured()
    run.tell(0, 1.60, Purpose.BASELINE)
    run.tell(1, 1.55)
    run.tell(0, 1.75, Purpose.SENTINEL)
    run.tell(2, 1.65)
    run.tell(0, 1.71, Purpose.SENTINEL)
    # Around the first individual generation 0 came out worse by 0.075 on the mean, around the other by 0.15, then 0.13.
    assert run.value(2, 1, until=4) == pytest.approx((1.55 - 0.075) - (1.65 - 0.15))
    assert run.value(2, 1) == pytest.approx((1.55 - 0.075) - (1.65 - 0.13))
    assert run.value(2, 0) == pytest.approx(1.60 - (1.65 - 0.13))


def test_another_device_and_noise_are_no_drift() -> None:
    run = Measured()
    run.tell(0, 1.60, Purpose.BASELINE)
    run.tell(1, 1.55, device="cuda:1/0")
    run.tell(0, 1.62, Purpose.SENTINEL)
    run.tell(2, 1.50)
    assert run.value(2, 1) == pytest.approx(0.05)

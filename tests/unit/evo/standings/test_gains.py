"""Gains over generation 0 where selection did not look, and what their intervals promise."""

from __future__ import annotations

import random

import pytest

from evo.standings.gains import Gain, paired_gains
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

LOSS = LANGUAGE_MODEL_OBJECTIVES["val_bpb"]


def confirmed(chance: random.Random, finalists: int, seeds: int, replicates: int) -> list[Gain]:
    """Gains of finalists that are better by 0.1 each: values vary by 1, and a seed does something to all alike."""
    effects = [chance.gauss(0.0, 0.5) for _ in range(replicates)]
    fresh = {
        individual: {
            seed: {"val_bpb": 2.0 - 0.1 * bool(individual) + effects[seed] + chance.gauss(0.0, 1.0)}
            for seed in range(seeds if individual else replicates)
        }
        for individual in range(finalists + 1)
    }
    return paired_gains(fresh, LOSS)


@pytest.mark.parametrize(
    ("finalists", "seeds", "replicates"),
    [(8, 4, 7), (3, 2, 5), (1, 2, 2), (1, 3, 3)],
    ids=["many", "few", "the fewest", "one finalist"],
)
def test_the_interval_of_a_gain_covers_what_is_true(finalists: int, seeds: int, replicates: int) -> None:
    chance, runs, covered = random.Random(1), 2_000, 0
    for _ in range(runs):
        gain = next(one for one in confirmed(chance, finalists, seeds, replicates) if one.individual == 1)
        covered += abs(gain.value - 0.1) <= gain.margin
    assert 0.935 <= covered / runs <= 0.985


def test_an_unstable_finalist_is_judged_by_its_own_spread() -> None:
    chance = random.Random(2)
    fresh = {
        individual: {seed: {"val_bpb": 2.0 - 0.1 * individual + chance.gauss(0.0, 0.001)} for seed in range(4)}
        for individual in range(6)
    }
    fresh[5] = {seed: {"val_bpb": value} for seed, value in enumerate((0.5, 1.0, 2.5, 3.0))}
    gains = {gain.individual: gain for gain in paired_gains(fresh, LOSS)}
    assert all(gains[individual].is_real for individual in range(1, 5))
    assert gains[5].value > 0
    assert not gains[5].is_real


def test_nobody_is_compared_with_a_generation_0_that_ran_once() -> None:
    assert paired_gains({0: {1: {"val_bpb": 2.0}}, 1: {1: {"val_bpb": 1.0}}}, LOSS) == []

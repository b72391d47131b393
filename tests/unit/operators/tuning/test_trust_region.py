"""Gaussian-process regression of noisy scores, and the points that a trust region suggests by it."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest

from operators.source.constants import find_constants
from operators.source.search_space import Point, search_space
from operators.tuning.gaussian_process import Array, GaussianProcess, fitted
from operators.tuning.trust_region import TrustRegion

SOURCE = """RATE = 1e-4
WIDTH = 16  # one of: 16, 32, 64, 128
ACT = "relu"  # one of: relu, gelu, tanh
"""
SPACE = search_space(find_constants(SOURCE).values())
COLUMNS = np.array([0, 1, 2, 2])


def bowl(rows: Array) -> Array:
    """Steep in the first number, flat in the second; of the third's choices one is better."""
    scores: Array = (rows[:, 0] - 1) ** 2 / 4 - (rows[:, 2] > 0)
    return scores


def drawn_rows(chance: np.random.Generator, count: int) -> Array:
    choice = chance.integers(0, 2, count)
    return np.column_stack([*chance.uniform(-2, 4, (2, count)), 0.7 * choice, 0.7 * (1 - choice)])


def measured(count: int, noise: float, looks: int = 1) -> tuple[GaussianProcess, np.random.Generator]:
    chance = np.random.default_rng(count)
    rows = drawn_rows(chance, count)
    scores = bowl(rows) + chance.normal(0, noise / math.sqrt(looks), count)
    known = rows, scores, np.full(count, float(looks))
    return GaussianProcess(COLUMNS, *known, fitted(COLUMNS, *known)), chance


@pytest.mark.parametrize(("count", "error"), [(30, 0.45), (160, 0.15)])
def test_measurements_lead_to_the_truth_behind_the_noise(count: int, error: float) -> None:
    process, chance = measured(count, noise=0.3)
    rows = drawn_rows(chance, 200)
    assert np.sqrt(((process.predict(rows)[0] - bowl(rows)) ** 2).mean()) < error


def test_it_is_surer_where_more_is_known() -> None:
    row = np.array([[0.5, 0.5, 0.7, 0.0]])
    few, many, often = (measured(*size)[0].predict(row)[1] for size in ((8, 0.3), (120, 0.3), (8, 0.3, 25)))
    assert many < 0.6 * few
    assert often < few


def loss_of(point: Point, chance: random.Random) -> float:
    rate, width, act = point
    assert isinstance(rate, float)
    assert isinstance(width, int)
    return math.log10(rate / 1e-2) ** 2 + math.log2(width / 64) ** 2 + (act != "gelu") + chance.gauss(0, 0.2)


def searched(seed: int, evaluations: int = 60) -> list[tuple[Point, float]]:
    chance = random.Random(seed)
    start: list[Point] = [(1e-4 * 3**n, 16 * 2**n, "relu") for n in range(4)]
    found = [(point, loss_of(point, chance)) for point in start]
    while len(found) < evaluations:
        point = TrustRegion(SPACE, found, frozenset(), lambda _: True, chance).ask()
        found.append((point, loss_of(point, chance)))
    return found


def test_it_finds_numbers_and_choices_under_noise() -> None:
    for seed in range(3):
        late = [point for point, _ in searched(seed)[40:]]
        ((best, count),) = Counter((width, act) for _, width, act in late).most_common(1)
        assert best == (64, "gelu")
        assert count > 8
        rates = sorted(float(rate) for rate, *_ in late)  # type: ignore[arg-type]
        assert 3e-3 < rates[10] < 3e-2


def test_equal_chances_suggest_equal_points() -> None:
    assert searched(7, 20) == searched(7, 20)


def test_it_goes_beyond_all_that_was_measured_where_that_leads() -> None:
    chance = random.Random(1)
    known: list[tuple[Point, float]] = [((1e-4 * 2**n, 64, "gelu"), -float(n)) for n in range(8)]
    rates = [float(TrustRegion(SPACE, known, frozenset(), lambda _: True, chance).ask()[0]) for _ in range(9)]  # type: ignore[arg-type]
    assert sorted(rates)[4] > 1e-4 * 2**7


def test_nothing_closed_infeasible_or_known_well_is_suggested() -> None:
    places: list[Point] = [(1e-4, width, act) for width in (16, 32, 64, 128) for act in ("relu", "gelu", "tanh")]
    known = [(point, float(number)) for number, point in enumerate(places)]
    for seed in range(20):
        region = TrustRegion(
            SPACE, known + 6 * known[:1], set(places[1:3]), lambda point: point[2] != "tanh", random.Random(seed)
        )
        point = region.ask()
        assert point not in places[:3]
        assert point[2] != "tanh" or point in places

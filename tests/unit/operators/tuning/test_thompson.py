"""Gaussian-process regression of noisy scores, and the places that Thompson sampling suggests by it."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest

from operators.source.constants import Value
from operators.source.search_space import Dimension, Scale
from operators.tuning.gaussian_process import Array, GaussianProcess
from operators.tuning.thompson import ThompsonSampling

RATE = Dimension("RATE", Scale.LOG, 1e-4, 1e-1)
WIDTH = Dimension("WIDTH", Scale.CHOICE, choices=(16, 32, 64, 128))
ACT = Dimension("ACT", Scale.CHOICE, choices=("relu", "gelu", "tanh"))
SPACE = (RATE, WIDTH, ACT)


def bowl(rows: Array) -> Array:
    """Steep in the first number, flat in the second; of the third's choices one is better."""
    scores: Array = 4 * (rows[:, 0] - 0.3) ** 2 - (rows[:, 2] == 1)
    return scores


def measured(count: int, noise: float, looks: int = 1) -> tuple[GaussianProcess, np.random.Generator]:
    chance = np.random.default_rng(count)
    rows = np.column_stack([chance.random(count), chance.random(count), chance.integers(0, 3, count)])
    scores = bowl(rows) + chance.normal(0, noise / math.sqrt(looks), count)
    is_number = np.array([True, True, False])
    return GaussianProcess(is_number, rows, scores, np.full(count, float(looks))), chance


def drawn(process: GaussianProcess, rows: Array, chance: np.random.Generator, times: int = 400) -> Array:
    return np.array([process.sample(rows, chance.standard_normal(len(rows))) for _ in range(times)])


@pytest.mark.parametrize(("count", "error"), [(30, 0.45), (160, 0.12)])
def test_measurements_lead_to_the_truth_behind_the_noise(count: int, error: float) -> None:
    process, chance = measured(count, noise=0.3)
    rows = np.column_stack([chance.random(200), chance.random(200), chance.integers(0, 3, 200)])
    errors = process.mean(rows) - bowl(rows)
    assert np.sqrt((errors**2).mean()) < error


def test_samples_scatter_around_the_mean_and_less_where_more_is_known() -> None:
    rows = np.array([[0.5, 0.5, 1.0], [0.2, 0.8, 0.0]])
    (few, chance), (many, _) = measured(8, noise=0.3), measured(120, noise=0.3)
    for process in (few, many):
        assert drawn(process, rows, chance).mean(axis=0) == pytest.approx(process.mean(rows), abs=0.1)
    assert drawn(many, rows, chance).std(axis=0).sum() < 0.5 * drawn(few, rows, chance).std(axis=0).sum()


def test_looks_count_like_rows() -> None:
    row, chance = np.array([[0.5, 0.5, 1.0]]), np.random.default_rng(0)
    once, often = measured(12, noise=0.5)[0], measured(12, noise=0.5, looks=25)[0]
    assert abs(often.mean(row) - bowl(row))[0] < 0.3
    assert drawn(often, row, chance).std() < drawn(once, row, chance).std()


def loss_of(values: dict[str, Value], chance: random.Random) -> float:
    rate, width = float(values["RATE"]), float(values["WIDTH"])  # type: ignore[arg-type]
    distance = math.log10(rate / 1e-2) ** 2 + math.log2(width / 64) ** 2 + (values["ACT"] != "gelu")
    return distance + chance.gauss(0, 0.2)


def searched(seed: int, evaluations: int = 60) -> list[tuple[dict[str, Value], float]]:
    chance = random.Random(seed)
    start: list[dict[str, Value]] = [{"RATE": 1e-4 * 3**n, "WIDTH": 16 * 2**n, "ACT": "relu"} for n in range(4)]
    points = [(values, loss_of(values, chance)) for values in start]
    while len(points) < evaluations:
        values = ThompsonSampling(SPACE, points, frozenset(), chance).ask()
        points.append((values, loss_of(values, chance)))
    return points


def test_it_finds_numbers_and_choices_under_noise() -> None:
    for seed in range(3):
        late = [values for values, _ in searched(seed)[40:]]
        (best, count), *_ = Counter((values["WIDTH"], values["ACT"]) for values in late).most_common(1)
        assert best == (64, "gelu")
        assert count > 8
        rates = sorted(float(values["RATE"]) for values in late)  # type: ignore[arg-type]
        assert 3e-3 < rates[10] < 3e-2


def test_equal_chances_suggest_equal_places() -> None:
    assert searched(7, 20) == searched(7, 20)


def test_nobody_closed_or_known_well_is_suggested() -> None:
    space = (WIDTH, ACT)
    places = [(width, act) for width in WIDTH.choices for act in ACT.choices]
    points: list[tuple[dict[str, Value], float]] = [
        ({"WIDTH": width, "ACT": act}, float(number)) for number, (width, act) in enumerate(places)
    ]
    often = points + 6 * points[:1]
    for seed in range(20):
        values = ThompsonSampling(space, often, {places[1], places[2]}, random.Random(seed)).ask()
        assert (values["WIDTH"], values["ACT"]) not in places[:3]
    all_closed = ThompsonSampling(space, points, set(places), random.Random(0)).ask()
    assert tuple(all_closed.values()) in places

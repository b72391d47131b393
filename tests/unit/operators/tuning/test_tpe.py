from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from statistics import median

import pytest

from operators.source.constants import Value
from operators.source.search_space import Dimension, Scale
from operators.tuning.tpe import TreeParzen

SPACE = (
    Dimension("RATE", 1e-3, Scale.LOG, 1e-5, 1e-1, is_named=True),
    Dimension("LAYERS", 6, Scale.LINEAR, 1, 24, is_integer=True, is_named=True),
    Dimension("WIDTH", 64, Scale.CHOICE, choices=(64, 128, 256, 512)),
    Dimension("ACT", "relu", Scale.CHOICE, choices=("relu", "gelu", "silu", "tanh")),
)
Points = Sequence[tuple[dict[str, Value], float]]


def points(count: int = 60) -> Points:
    """Return points whose loss is lowest at a rate of 1e-3, 12 layers, a width of 256 and gelu."""
    random = Random(5)
    found = []
    for _ in range(count):
        values: dict[str, Value] = {
            "RATE": 10 ** random.uniform(-5, -1),
            "LAYERS": random.randint(1, 24),
            "WIDTH": random.choice((64, 128, 256, 512)),
            "ACT": random.choice(("relu", "gelu", "silu", "tanh")),
        }
        found.append((values, loss(values)))
    return found


def loss(values: dict[str, Value]) -> float:
    rate, layers, width = float(values["RATE"]), float(values["LAYERS"]), float(values["WIDTH"])  # type: ignore[arg-type]
    distance = math.log10(rate / 1e-3) ** 2 + ((layers - 12) / 6) ** 2 + math.log2(width / 256) ** 2
    return distance + 3 * (values["ACT"] != "gelu")


def asked(measured: Points, count: int = 40, uniform_draws: int = 10) -> list[dict[str, Value]]:
    told = [(tuple(values.values()), loss) for values, loss in measured]
    asked = [TreeParzen(SPACE, told, Random(seed), uniform_draws).ask() for seed in range(count)]
    return [{one.name: value for one, value in zip(SPACE, point, strict=True)} for point in asked]


def test_it_suggests_better_points_than_it_was_told() -> None:
    result_number = points()
    suggested = [loss(values) for values in asked(result_number)]
    assert median(suggested) < 0.5 * median(value for _, value in result_number)
    assert sum(values["ACT"] == "gelu" for values in asked(result_number)) > 20  # one in four by chance


def test_suggestions_are_values_of_their_dimensions() -> None:
    for values in asked(points(), 20):
        assert list(values) == [one.name for one in SPACE]
        assert isinstance(values["RATE"], float)
        assert 1e-5 <= values["RATE"] <= 1e-1
        assert isinstance(values["LAYERS"], int)
        assert 1 <= values["LAYERS"] <= 24
        assert values["WIDTH"] in (64, 128, 256, 512)
        assert values["ACT"] in ("relu", "gelu", "silu", "tanh")


def test_it_draws_uniformly_before_it_knows_enough() -> None:
    drawn = asked(points(9), 200)
    for name, each in (("ACT", 50), ("WIDTH", 50)):
        counts = [sum(values[name] == choice for values in drawn) for choice in {values[name] for values in drawn}]
        assert len(counts) == 4
        assert max(abs(count - each) for count in counts) < 30
    rates = [math.log10(float(values["RATE"])) for values in drawn]  # type: ignore[arg-type]
    assert median(rates) == pytest.approx(-3, abs=0.4)


def test_one_asks_again_and_again_without_measuring() -> None:
    estimate = TreeParzen(SPACE, [(tuple(values.values()), loss) for values, loss in points()], Random(0), 10)
    assert len({repr(estimate.ask()) for _ in range(10)}) == 10


def test_equal_chances_lead_to_equal_suggestions() -> None:
    assert asked(points(), 3) == asked(points(), 3)

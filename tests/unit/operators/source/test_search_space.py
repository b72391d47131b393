"""How constants move: scales, grains and bounds."""

from __future__ import annotations

import random

import pytest

from operators.source.constants import Value, find_constants
from operators.source.search_space import Dimension, Scale, point_of, search_space, values_of

SOURCE = """LR = 1e-3
BETAS = (0.9, 0.95)
MOMENTUM = 0.5
WEIGHT_DECAY = 0.1
INIT_SCALE = 0.9
WIDTH = 128
SHIFT = -0.5
FUSED = False
ACT = "relu"  # one of: relu, gelu
NAME = "run"
"""


def dimension(text: str, name: str = "SIZE") -> Dimension:
    (found,) = search_space(find_constants(f"{name} = {text}\n").values())
    return found


def all_moves(text: str, name: str = "SIZE", size: float = 1.0) -> list[Value]:
    one = dimension(text, name)
    return [one.moved(one.own, random.Random(seed), size) for seed in range(300)]


def numbers(text: str, name: str = "SIZE", size: float = 1.0) -> list[float]:
    return [float(value) for value in all_moves(text, name, size)]  # type: ignore[arg-type]


def test_constants_get_the_scale_they_live_on() -> None:
    found = [(one.name, one.element, one.scale) for one in search_space(find_constants(SOURCE).values())]
    assert found == [
        ("LR", None, Scale.LOG),
        ("BETAS", 0, Scale.FRACTION),
        ("BETAS", 1, Scale.FRACTION),
        ("MOMENTUM", None, Scale.FRACTION),
        ("WEIGHT_DECAY", None, Scale.LOG),
        ("INIT_SCALE", None, Scale.LOG),
        ("WIDTH", None, Scale.LOG),
        ("SHIFT", None, Scale.LOG),
        ("FUSED", None, Scale.CHOICE),
        ("ACT", None, Scale.CHOICE),
    ]


def test_points_and_constants_are_inverse() -> None:
    constants = find_constants(SOURCE)
    own, space = {name: one.value for name, one in constants.items()}, search_space(constants.values())
    point = point_of(space, own)
    assert point == (1e-3, 0.9, 0.95, 0.5, 0.1, 0.9, 128, -0.5, False, "relu")
    changed = values_of(space, (1e-2, 0.8, 0.99, *point[3:]), own)
    assert {**own, **changed} == {**own, "LR": 1e-2, "BETAS": (0.8, 0.99)}
    assert point_of(space, own | {"BETAS": (0.9,)}) is None
    assert point_of(space, own | {"ACT": "silu"}) is None


def test_small_counts_move_by_ones_and_stay_counts() -> None:
    assert {2, 3, 5, 6} <= set(all_moves("4"))
    assert all(isinstance(value, int) and value > 0 for value in all_moves("1"))
    assert all(value < 0 and value != -3 for value in numbers("-3"))
    assert set(all_moves("0")) == {1}


def test_powers_of_two_stay_powers_of_two_but_for_a_few() -> None:
    moves = all_moves("64")
    assert set(moves) <= {16, 24, 32, 48, 96, 128, 192, 256}
    assert 0.7 < sum(value in (16, 32, 128, 256) for value in moves) / len(moves) < 0.95
    assert {value for value in all_moves("2**19") if value < 2**19} <= {2**18, 3 * 2**17, 3 * 2**16, 2**17}


def test_wide_integers_keep_their_grain() -> None:
    assert all(value % 128 == 0 and value > 0 and value != 384 for value in numbers("384"))
    assert all(value % 100 == 0 and value > 0 for value in numbers("3000"))


def test_floats_move_by_factors_and_read_well() -> None:
    moves = numbers("3e-4", "LR")
    assert all(value > 0 and float(f"{value:.2e}") == value and value != 3e-4 for value in moves)
    assert min(moves) < 2e-4
    assert max(moves) > 5e-4
    assert all(value < 0 for value in numbers("-0.5"))
    assert max(numbers("3e-4", "LR", size=0.25)) < 6e-4


@pytest.mark.parametrize(
    ("name", "text"),
    [("DECAY", "0.95"), ("MOMENTUM", "0.6"), ("BETA2", "0.999"), ("DROPOUT", "0.1"), ("WARMUP_RATIO", "0.02")],
)
def test_fractions_stay_between_zero_and_one(name: str, text: str) -> None:
    moves = numbers(text, name, size=3.0)
    assert all(0 < value < 1 and len(str(value)) <= 10 for value in moves)
    assert min(moves) < float(text) < max(moves)


def test_rates_and_scales_below_one_may_exceed_it() -> None:
    for name in ("EMBEDDING_LR", "INIT_SCALE", "GRAD_CLIP"):
        assert max(numbers("0.9", name)) > 1


def test_zero_becomes_small() -> None:
    assert all(0 < value < 1 for value in numbers("0.0"))

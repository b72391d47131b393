"""Spaces of constants, whatever a genome or its relatives hold: every number has a place, every place a number."""

from __future__ import annotations

import math
import random

from hypothesis import assume, example, given
from hypothesis import strategies as st

from operators.source.constants import find_constants
from operators.source.search_space import Scale, search_space

NUMBERS = st.one_of(
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False),
    st.sampled_from([5e-324, 1 - 2**-53, 1.0, 0.0, 2**53, 10**400]),
)
NAMES = st.sampled_from(["SIZE", "BETA", "LR"])


def written(value: float) -> str:
    return str(value).replace("inf", "1e999")


@given(NAMES, NUMBERS, NUMBERS, st.floats(-50, 50), st.integers(0, 99))
@example("SIZE", 5e-324, 0.0, 0.0, 0)
@example("BETA", 1 - 2**-53, 1.0, 1.0, 0)
@example("SIZE", 1.0, math.inf, 1.0, 0)
@example("SIZE", 1, 10**400, 0.5, 0)
def test_every_number_has_a_place_and_every_place_a_number(
    name: str, value: float, asked: float, place: float, seed: int
) -> None:
    for one in search_space(find_constants(f"{name} = {written(value)}\n").values()):
        assert one.scale is not Scale.CHOICE
        assert math.isfinite(one.place(asked))
        assert 0.0 <= one.to_unit(asked) <= 1.0
        found = (one.at(place), one.from_unit(min(1.0, abs(place))), one.moved(one.own, random.Random(seed)))
        for number in found:
            assert type(number) is type(value)
            assert math.isfinite(number)  # type: ignore[arg-type]
            assert number * value >= 0  # type: ignore[operator]
        assert found[-1] != value


@given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted), st.booleans(), st.floats(0, 1), st.integers(0, 99))
@example([5e-324, 5e-324, 1.0], True, 0.0, 0)
def test_a_range_that_a_comment_names_is_kept(ordered: list[float], is_log: bool, place: float, seed: int) -> None:
    low, value, high = ordered
    assume(abs(value) != math.inf)  # such a literal is no constant
    source = f"SIZE = {written(value)}  # range: {written(low)} to {written(high)}{', log' if is_log else ''}\n"
    (constant,) = find_constants(source).values()
    for one in search_space([constant]):
        if constant.range is not None:
            assert (one.low, one.high) == (constant.range.low, constant.range.high)
            for found in (one.from_unit(place), one.moved(one.own, random.Random(seed), 5.0)):
                assert one.low <= found <= one.high  # type: ignore[operator]

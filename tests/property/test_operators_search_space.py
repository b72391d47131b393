"""Spaces of constants, whatever a genome or its relatives hold: every number has a place, every place a number."""

from __future__ import annotations

import math

from hypothesis import assume, example, given
from hypothesis import strategies as st

from operators.source.constants import find_constants
from operators.source.search_space import Scale, search_space

NUMBERS = st.one_of(
    st.integers(-(10**400), 10**400),
    st.floats(allow_nan=False),
    st.sampled_from([5e-324, 1 - 2**-53, 1.0, 0.0, 2**53, 10**400]),
)


def written(value: float) -> str:
    return str(value).replace("inf", "1e999")


@given(NUMBERS, st.lists(NUMBERS, max_size=4), NUMBERS, st.floats(0, 1))
@example(5e-324, [], 0.0, 0.0)
@example(1 - 2**-53, [], 1.0, 1.0)
@example(1.0, [math.inf], math.inf, 1.0)
@example(1.0, [10**400], 10**400, 0.5)
def test_every_number_has_a_place_and_every_place_a_number(
    value: float, tried: list[float], asked: float, place: float
) -> None:
    constants = find_constants(f"SIZE = {written(value)}\n")
    for dimension in search_space(constants.values(), [{"SIZE": one} for one in tried]):
        assert dimension.scale is not Scale.CHOICE
        assert dimension.low < dimension.high
        assert 0.0 <= dimension.to_unit(asked) <= 1.0
        assert dimension.low <= dimension.from_unit(place) <= dimension.high


@given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted), st.booleans(), st.floats(0, 1))
@example([5e-324, 5e-324, 1.0], True, 0.0)
def test_a_range_that_a_comment_names_is_kept(ordered: list[float], is_log: bool, place: float) -> None:
    low, value, high = ordered
    assume(abs(value) != math.inf)  # such a literal is no constant
    source = f"SIZE = {written(value)}  # range: {written(low)} to {written(high)}{', log' if is_log else ''}\n"
    (constant,) = find_constants(source).values()
    for dimension in search_space([constant], []):
        if constant.range is not None:
            assert (dimension.low, dimension.high) == (constant.range.low, constant.range.high)
            assert 0.0 <= dimension.to_unit(value) <= 1.0
        assert dimension.low <= dimension.from_unit(place) <= dimension.high

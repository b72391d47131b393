"""Hypervolume and knee, against brute force."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from populations.hypervolume import hypervolume_shares, knee_point
from trainer.objectives import Direction, Objective

OBJECTIVES = tuple(
    Objective(name, direction, "")
    for name, direction in (("a", Direction.MINIMIZE), ("b", Direction.MAXIMIZE), ("c", Direction.MINIMIZE))
)


def _points(objectives: int):
    coarse = st.integers(0, 6).map(float)  # many ties, and cells that can be counted
    return st.lists(st.tuples(*[coarse] * objectives), max_size=8)


def _costs(point):
    return [-objective.weight * value for objective, value in zip(OBJECTIVES, point, strict=False)]


def _box(points):
    """Return the best cost of each objective, and the worst with a tenth of the range, or any margin, beyond it."""
    columns = list(zip(*map(_costs, points), strict=True))
    return [min(one) for one in columns], [max(one) + ((max(one) - min(one)) / 10 or 1.0) for one in columns]


def _included_and_excluded(points, limits):
    """Return the volume by inclusion and exclusion of the boxes that the points span with the reference."""
    total = 0.0
    for size in range(1, len(points) + 1):
        for some in itertools.combinations(points, size):
            corner = [max(values) for values in zip(*map(_costs, some), strict=True)]
            box = math.prod(max(0.0, limit - at) for limit, at in zip(limits, corner, strict=True))
            total += box if size % 2 else -box
    return total


@pytest.mark.parametrize("count", [1, 2, 3])
def test_shares_of_several_fronts_agree_with_brute_force_on_one_scale(count):
    objectives = OBJECTIVES[:count]

    @given(st.lists(_points(count), max_size=3))
    def check(fronts):
        points = [point for front in fronts for point in front]
        shares = hypervolume_shares([*fronts, points], objectives)
        assert len(shares) == len(fronts) + 1
        assert all(0.0 <= share <= shares[-1] + 1e-9 <= 1.0 + 2e-9 for share in shares)
        if points:
            best, limits = _box(points)
            whole = math.prod(limit - at for limit, at in zip(limits, best, strict=True))
            expected = [_included_and_excluded(front, limits) / whole for front in fronts]
            assert shares[:-1] == pytest.approx(expected)

    check()


@given(_points(2), st.tuples(*[st.integers(0, 6).map(float)] * 2))
def test_a_point_adds_to_a_share_exactly_if_no_other_covers_it(points, new):
    before, after = hypervolume_shares([points, [*points, new]], OBJECTIVES[:2])
    covered = any(one[0] <= new[0] and one[1] >= new[1] for one in points)
    assert (after == pytest.approx(before)) == covered


@given(_points(3))
def test_the_worst_point_has_a_share(points):
    assert all(share > 0.0 for share in hypervolume_shares([[point] for point in points], OBJECTIVES))


@given(_points(2))
def test_the_knee_is_the_member_farthest_from_the_line_through_the_extremes(points):
    objectives = OBJECTIVES[:2]
    front = sorted({one for one in points if not any(_beats(other, one) for other in points)})
    found = knee_point(front, objectives)
    (x0, y0), (x1, y1) = (front[0], front[-1]) if front else ((0.0, 0.0), (0.0, 0.0))
    # Of the first objective less is better and of the second more, so better lies above the line on the left.
    heights = [(y - y0) * (x1 - x0) - (y1 - y0) * (x - x0) for x, y in front]
    if not front or max(heights) <= 1e-9:
        assert found is None
    else:
        assert heights[found] == pytest.approx(max(heights))


def _beats(one, other):
    return one != other and one[0] <= other[0] and one[1] >= other[1]


def test_the_knee_of_three_objectives():
    a, b, c = (0.0, 0.0, 9.0), (9.0, 10.0, 9.0), (9.0, 0.0, 0.0)  # each best in one objective
    assert knee_point([a, b, c, (6.0, 4.0, 6.0), (1.0, 9.0, 1.0)], OBJECTIVES) == 4
    assert knee_point([a, b, c], OBJECTIVES) is None
    flat = [(x, y, 3.0) for x, y in ((0.0, 0.0), (1.0, 9.0), (5.0, 10.0))]
    assert knee_point(flat, OBJECTIVES) == 1


def test_a_point_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"one finite value for each of a, b, but got \(1.0,\)"):
        hypervolume_shares([[(1.0,)]], OBJECTIVES[:2])
    with pytest.raises(ValueError, match="finite"):
        hypervolume_shares([[(1.0, 2.0)], [(2.0, math.inf)]], OBJECTIVES[:2])


@pytest.mark.parametrize(("size", "expected"), [(1.7e308, [1 / 11, 1.0]), (5e-324, [1.0, 1.0])])
def test_shares_of_the_largest_and_the_smallest_numbers(size, expected):
    assert hypervolume_shares([[(size, 1.0)], [(-size, 1.0)]], OBJECTIVES[:2]) == pytest.approx(expected)

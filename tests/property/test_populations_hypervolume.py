"""Hypervolume and knee, against brute force."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from populations.hypervolume import hypervolume, hypervolume_shares, knee_point, reference_point
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


def _counted_cells(points, reference):
    """Return how many unit cells of the grid are dominated by a point, up to the reference."""
    limits, costs = _costs(reference), [_costs(point) for point in points]
    cells = itertools.product(*(range(int(limit) - 14, int(limit)) for limit in limits))
    return sum(any(all(c <= at for c, at in zip(cost, cell, strict=True)) for cost in costs) for cell in cells)


def _included_and_excluded(points, reference):
    """Return the volume by inclusion and exclusion of the boxes that the points span with the reference."""
    limits, total = _costs(reference), 0.0
    for size in range(1, len(points) + 1):
        for some in itertools.combinations(points, size):
            corner = [max(values) for values in zip(*map(_costs, some), strict=True)]
            box = math.prod(max(0.0, limit - at) for limit, at in zip(limits, corner, strict=True))
            total += box if size % 2 else -box
    return total


@pytest.mark.parametrize("count", [1, 2, 3])
def test_hypervolume_agrees_with_brute_force(count):
    objectives = OBJECTIVES[:count]

    @given(_points(count), st.tuples(*[st.integers(0, 7).map(float)] * count))
    def check(points, reference):
        measured = hypervolume(points, reference, objectives)
        assert measured == pytest.approx(_included_and_excluded(points, reference))
        if count < 3:  # the third dimension has too many cells to count them
            assert measured == _counted_cells(points, reference)

    check()


@given(_points(2), st.tuples(*[st.integers(0, 6).map(float)] * 2))
def test_a_point_adds_hypervolume_exactly_if_nobody_covers_it(points, new):
    objectives = OBJECTIVES[:2]
    reference = (8.0, -1.0)
    before = hypervolume(points, reference, objectives)
    covered = any(one[0] <= new[0] and one[1] >= new[1] for one in points)
    assert (hypervolume([*points, new], reference, objectives) == before) == covered


@given(_points(3).filter(bool))
def test_everyone_is_better_than_the_reference_point(points):
    reference = reference_point(points, OBJECTIVES)
    worst = _costs(reference)
    assert all(all(cost < limit for cost, limit in zip(_costs(point), worst, strict=True)) for point in points)


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
        hypervolume([(1.0,)], (2.0, 2.0), OBJECTIVES[:2])
    with pytest.raises(ValueError, match="finite"):
        hypervolume([(1.0, 2.0)], (2.0, math.inf), OBJECTIVES[:2])
    with pytest.raises(ValueError, match="at least one point"):
        reference_point([], OBJECTIVES[:2])


@given(st.lists(_points(2), max_size=4))
def test_shares_of_several_fronts_have_one_scale(fronts):
    objectives = OBJECTIVES[:2]
    points = [point for front in fronts for point in front]
    shares = hypervolume_shares([*fronts, points], objectives)
    assert len(shares) == len(fronts) + 1
    assert all(0.0 <= share <= shares[-1] <= 1.0 + 1e-9 for share in shares)
    if points:
        reference = reference_point(points, objectives)
        first, second = zip(*points, strict=True)
        whole = _included_and_excluded([(min(first), max(second))], reference)
        expected = [_included_and_excluded(front, reference) / whole for front in fronts]
        assert shares[:-1] == pytest.approx(expected)


@pytest.mark.parametrize(("size", "expected"), [(1.7e308, [1 / 11, 1.0]), (5e-324, [1.0, 1.0])])
def test_shares_of_the_largest_and_the_smallest_numbers(size, expected):
    assert hypervolume_shares([[(size, 1.0)], [(-size, 1.0)]], OBJECTIVES[:2]) == pytest.approx(expected)

"""How good fronts are as a whole, in one number each, and where the best trade-off of one lies.

The hypervolume is the size of the region that a set of points dominates, up to a reference point. It grows whenever a
front gets better anywhere (Zitzler and Thiele, 1998). moocore computes it exactly; DEAP's indicators rest on it too.

Points are plain values here, one an objective and in its unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from trainer.objectives import Objective

Point = Sequence[float]

_MARGIN = 0.1
_ROUNDING = 1e-9


def hypervolume_shares(fronts: Sequence[Sequence[Point]], objectives: Sequence[Objective]) -> list[float]:
    """Return the hypervolumes of several fronts on one scale without units, such as those of a run as it goes on.

    Each is a share of the box from the reference point of all fronts together to the best of each objective in any of
    them: 1.0 is a front with a point that is best in everything. The reference point is the worst of each objective and
    a tenth of its range beyond that, which lets the extremes of a front count (Ishibuchi et al., 2018).

    Raises:
        ValueError: a point does not fit the objectives.
    """
    points = [point for front in fronts for point in front]
    if not points:
        return [0.0 for _ in fronts]
    for point in points:
        _require_fitting(point, objectives)
    costs = zip(*_costs(points, objectives), strict=True)
    scaled = [[next(costs) for _ in front] for front in fronts]
    reference = [1.0 + _MARGIN for _ in objectives]
    whole = math.prod(reference)
    import moocore  # late, with NumPy: most commands show no hypervolume

    return [float(moocore.hypervolume(front, reference)) / whole if front else 0.0 for front in scaled]


def knee_point(front: Sequence[Point], objectives: Sequence[Objective]) -> int | None:
    """Return the place in `front` of its knee: a little more in one objective costs much in another there.

    With every objective scaled to 0 for the best and 1 for the worst on the front, the knee is the member farthest on
    the better side of the plane through the corners in which one objective is best and the others are worst; with two
    objectives these corners are the extremes of the front (Das, 1999). An objective that is equal everywhere is left
    out. Of equals it is the first; None where no point lies beyond that plane.

    Raises:
        ValueError: a point does not fit the objectives.
    """
    for point in front:
        _require_fitting(point, objectives)
    costs = [costs for costs in _costs(front, objectives) if any(costs)]
    sums = [sum(point) for point in zip(*costs, strict=True)]
    if not sums or min(sums) >= len(costs) - 1 - _ROUNDING:
        return None
    return sums.index(min(sums))


def _costs(points: Sequence[Point], objectives: Sequence[Objective]) -> Iterator[list[float]]:
    """Yield what points cost in each objective: 0 for the best, 1 for the worst, 0 for all where they are equal."""
    for objective, values in zip(objectives, zip(*points, strict=True), strict=False):  # no values without points
        costs = [-objective.weight * value / 2 for value in values]  # halved, no difference is too large for a float
        best, extent = min(costs), max(costs) - min(costs)
        yield [(cost - best) / extent if extent else 0.0 for cost in costs]


def _require_fitting(point: Point, objectives: Sequence[Objective]) -> None:
    if len(point) != len(objectives) or not all(math.isfinite(value) for value in point):
        names = ", ".join(objective.name for objective in objectives)
        raise ValueError(f"expected one finite value for each of {names}, but got {tuple(point)}")

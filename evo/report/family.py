"""Where each individual stands in the family tree.

Downwards runs time: the generation of birth with its fraction, so that a child always stands below its parents. The
line from generation 0 to the best runs straight down the middle; the others of a generation are ordered by where their
parents stand (the barycentre method of Sugiyama et al., 1981), half of them on either side.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

_CURVE_POINTS = 9


class Seat(NamedTuple):
    """A place in the tree: `x` in slots, 0 in the middle; `y` in generations of birth, 0 for generation 0."""

    x: float
    y: float


def seats(parents: Mapping[int, Sequence[int]], line: Collection[int], generation_size: int) -> dict[int, Seat]:
    """Return the seat of every individual: the ids of `line`, each an ancestor of the next, stand in the middle.

    Parents must be among the keys of `parents` and have lower ids than their children.
    """
    founders = [id_ for id_ in sorted(parents) if not parents[id_]]
    births = [id_ for id_ in sorted(parents) if parents[id_]]
    xs = _spread(founders, line, dict.fromkeys(founders, 0.0))
    for start in range(0, len(births), generation_size):
        generation = births[start : start + generation_size]
        xs.update(_spread(generation, line, _barycentres(generation, parents, xs)))
    times = dict.fromkeys(founders, 0.0) | {id_: 1 + birth / generation_size for birth, id_ in enumerate(births)}
    return {id_: Seat(xs[id_], times[id_]) for id_ in sorted(parents)}


def curve(start: Seat, end: Seat) -> tuple[list[float], list[float]]:
    """Return x and y of a smooth edge that leaves and arrives vertically (a cubic Bézier curve)."""
    steps = [step / (_CURVE_POINTS - 1) for step in range(_CURVE_POINTS)]
    xs = [start.x + (end.x - start.x) * t * t * (3 - 2 * t) for t in steps]
    ys = [start.y + (end.y - start.y) * (1.5 * t - 1.5 * t * t + t**3) for t in steps]
    return xs, ys


def _barycentres(
    generation: Sequence[int], parents: Mapping[int, Sequence[int]], xs: Mapping[int, float]
) -> dict[int, float]:
    """Return the mean x of each one's parents; a parent of the same generation has no x yet, but a mean of its own."""
    means: dict[int, float] = {}
    for id_ in generation:
        means[id_] = fmean(xs[parent] if parent in xs else means[parent] for parent in parents[id_])
    return means


def _spread(ids: Sequence[int], line: Collection[int], targets: Mapping[int, float]) -> dict[int, float]:
    """Return a slot for each id, ordered by target, leaving the middle to the line."""
    others = sorted((id_ for id_ in ids if id_ not in line), key=lambda id_: (targets[id_], id_))
    half = len(others) // 2
    slots = [*range(-half, 0), *range(1, len(others) - half + 1)]
    return dict.fromkeys(ids, 0.0) | {id_: float(slot) for id_, slot in zip(others, slots, strict=True)}

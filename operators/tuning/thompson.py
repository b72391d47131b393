"""Thompson sampling over the constants of one structure, from a Gaussian process of what was measured.

The process sees the ranks of the losses, as normal scores (Salinas et al., 2020): most losses lie near the best one,
some are a hundred times as large, and what matters is which is better. It draws a score for each possible next point,
all at once, and the best of that draw is next (Thompson, 1933): the point that is likely to be the best is drawn most,
evaluations that run at the same time are not all spent on the same, and another look competes with what is new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache
from random import Random

import numpy as np
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

from operators.source.constants import Value
from operators.source.search_space import Dimension, Scale
from operators.tuning.gaussian_process import Array, GaussianProcess

Place = tuple[Value, ...]
"""The values of all dimensions, in their order."""

_BEST_KNOWN, _OTHERS_KNOWN = 120, 40
_CENTRES = 12
"""The best by their expected scores, around whom the candidates lie."""
_MOVES = 3
"""Of each number of a centre; of a choice all others are candidates."""
_STEPS = (0.02, 0.1, 0.3)
"""Standard deviations of such a move, as shares of the range."""
_DOUBLE_MOVES, _UNIFORM_DRAWS = 60, 20
_CANDIDATES = 150
_MOST_LOOKS = 6
"""Measurements of one place. Later ones would teach less than a new place, as long as the search goes on."""


class ThompsonSampling:
    """Suggests places; each one independently, from the same measurements.

    Args:
        space: the dimensions.
        points: values of all dimensions, and a finite loss, of every measurement.
        closed: places that are known not to be open for a measurement now.
        random: the only source of randomness.
    """

    def __init__(
        self,
        space: Sequence[Dimension],
        points: Sequence[tuple[Mapping[str, Value], float]],
        closed: Set[Place],
        random: Random,
    ) -> None:
        self._space = space
        self._random = random
        self._coordinates = [_coordinates(one) for one in space]
        losses: defaultdict[Place, list[float]] = defaultdict(list)
        for values, loss in points:
            losses[tuple(values[one.name] for one in space)].append(loss)
        self._closed = set(closed) | {place for place, measured in losses.items() if len(measured) >= _MOST_LOOKS}
        means = {place: sum(measured) / len(measured) for place, measured in losses.items()}
        ranked = sorted(means, key=means.__getitem__)
        if len(ranked) > _BEST_KNOWN + _OTHERS_KNOWN:
            others = np.linspace(_BEST_KNOWN, len(ranked) - 1, _OTHERS_KNOWN).astype(int)
            ranked = ranked[:_BEST_KNOWN] + [ranked[at] for at in others]
        rows = self._rows(ranked)
        with _one_thread():
            self._process = GaussianProcess(
                np.array([one.scale is not Scale.CHOICE or one.is_ordered for one in space]),
                rows,
                _normal_scores([loss for _, loss in points], [means[place] for place in ranked]),
                np.array([float(len(losses[place])) for place in ranked]),
            )
            expected = self._process.mean(rows)
        self._centres = [ranked[at] for at in np.argsort(expected, kind="stable")[:_CENTRES]]

    def ask(self) -> dict[str, Value]:
        """Return values for all dimensions, others each time, as long as there are any that are not closed."""
        candidates = sorted(self._candidates() - self._closed, key=repr)
        if len(candidates) > _CANDIDATES:
            candidates = self._random.sample(candidates, _CANDIDATES)
        if not candidates:
            candidates = [self._uniform()]
        normal = np.array([self._random.gauss(0.0, 1.0) for _ in candidates])
        with _one_thread():
            drawn = self._process.sample(self._rows(candidates), normal)
        best = candidates[int(np.argmin(drawn))]
        self._closed.add(best)
        return {one.name: value for one, value in zip(self._space, best, strict=True)}

    def _candidates(self) -> set[Place]:
        found = set(self._centres)
        for centre in self._centres:
            for at, one in enumerate(self._space):
                values = (
                    one.choices if one.scale is Scale.CHOICE else [self._moved(one, centre[at]) for _ in range(_MOVES)]
                )
                found.update((*centre[:at], value, *centre[at + 1 :]) for value in values)
        for _ in range(_DOUBLE_MOVES):
            place = list(self._random.choice(self._centres))
            for at in self._random.sample(range(len(place)), min(2, len(place))):
                place[at] = self._moved(self._space[at], place[at])
            found.add(tuple(place))
        found.update(self._uniform() for _ in range(_UNIFORM_DRAWS))
        return found

    def _moved(self, one: Dimension, value: Value) -> Value:
        if one.scale is Scale.CHOICE:
            return self._random.choice(one.choices)
        return one.from_unit(one.to_unit(value) + self._random.gauss(0.0, self._random.choice(_STEPS)))

    def _uniform(self) -> Place:
        return tuple(
            self._random.choice(one.choices) if one.scale is Scale.CHOICE else one.from_unit(self._random.random())
            for one in self._space
        )

    def _rows(self, places: Sequence[Place]) -> Array:
        columns = zip(self._coordinates, zip(*places, strict=True), strict=True)
        return np.array([[coordinate(value) for value in column] for coordinate, column in columns]).T


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep matrices of this size on one core: more of them take longer, and belong to the trainings."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


def _coordinates(one: Dimension) -> Callable[[Value], float]:
    """Return what tells a number's place in its range, an ordered choice's among the others, any other's number."""
    if one.scale is not Scale.CHOICE:
        return one.to_unit
    last = len(one.choices) - 1 if one.is_ordered else 1
    return {value: at / last for at, value in enumerate(one.choices)}.__getitem__


def _normal_scores(losses: Sequence[float], means: Sequence[float]) -> Array:
    """Return where means stand among all losses, as quantiles of the normal distribution."""
    ordered, count = np.sort(losses), len(losses)
    below = (np.searchsorted(ordered, means, side="left") + np.searchsorted(ordered, means, side="right")) / 2
    scores: Array = ndtri(np.clip(below, 0.5, count - 0.5) / count)
    return scores

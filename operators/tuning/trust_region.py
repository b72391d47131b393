"""A trust region around the best known constants of one structure, searched with a Gaussian process.

As in TuRBO (Eriksson et al., 2019) a model is believed near good points only; no range limits the search, it goes where
the best points lead. Here the region is made of moves: candidates are offspring of the best points by the moves that
mutation makes (`operators.source.search_space`), small and large, of one constant and of many. The model chooses among
them by a lower confidence bound whose confidence is drawn for each proposal, which keeps evaluations that run at the
same time apart; the chosen ones' own offspring are considered next, a few times over. So a model that knows nothing
leaves mutation, and one that knows much finds steps that mutation would seldom draw.

The model sees the ranks of the losses, as normal scores (Salinas et al., 2020): a diverging setting is bad, but how bad
does not matter. Failures are no losses: candidates keep to the rules that they taught (`operators.source.feasibility`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from functools import cache, lru_cache
from random import Random

import numpy as np
from scipy.special import ndtri
from threadpoolctl import ThreadpoolController

from operators.source.constants import Value
from operators.source.search_space import Dimension, Point
from operators.tuning.gaussian_process import Array, GaussianProcess, fitted

_KNOWN = 150
"""Points that the model is fitted to: the best ones."""
_REFITTED_EVERY = 8
"""Measurements, after which the parameters of the model are estimated again."""
_CENTRES = 8
_CANDIDATES = 40
_ROUNDS = 3
_SURVIVORS = 6
"""Candidates whose own offspring are considered in the next round."""
_SIZES = (0.25, 0.5, 1.0, 2.0)
"""Standard deviations of moves, in steps."""
_MOST_LOOKS = 6
"""Measurements of one point. Later ones would teach less than a new point, as long as the search goes on."""
_CONFIDENCE = 1.0
"""Of the lower bound, in standard deviations: the scale of a half-normal draw."""
_FEWNESS = 0.7


class TrustRegion:
    """Suggests points; each one independently, from the same measurements.

    Args:
        measured: a point and a finite loss of every measurement, at least one, oldest first.
        closed: points that are known not to be open for a measurement now.
        is_feasible: whether a point may work.
        random: the only source of randomness.
    """

    def __init__(
        self,
        space: Sequence[Dimension],
        measured: Sequence[tuple[Point, float]],
        closed: Set[Point],
        is_feasible: Callable[[Point], bool],
        random: Random,
    ) -> None:
        self._space = space
        self._random = random
        self._is_feasible = is_feasible
        self._columns = [_Columns(one) for one in space]
        known = _ranked(measured)
        rows = {point: self._row(point) for point in known}
        self._closed = set(closed) | {point for point, looks in known.items() if looks >= _MOST_LOOKS}
        few = measured[: max(1, len(measured) // _REFITTED_EVERY * _REFITTED_EVERY)]
        dimensions = tuple(at for at, one in enumerate(space) for _ in range(_width(one)))
        best = list(known)[:_KNOWN]
        with _one_thread():
            arrays = _arrays(rows, {one: known[one] for one in best})
            parameters = _fitted(dimensions, *(one.tobytes() for one in _arrays(rows, _ranked(few))))
            self._process = GaussianProcess(
                np.array(dimensions), arrays[0], _normal_scores(len(best)), arrays[1], parameters
            )
            expected, _ = self._process.predict(arrays[0])
        self._centres = {best[at]: rows[best[at]] for at in np.argsort(expected, kind="stable")[:_CENTRES]}

    def ask(self) -> Point:
        """Return a point, another one each time, as long as there are any that are not closed."""
        confidence = abs(self._random.gauss(0.0, _CONFIDENCE))
        found = dict(self._centres)
        with _one_thread():
            for _ in range(_ROUNDS):
                found |= dict(self._offspring(list(found.items())))
                candidates = [one for one in found if one not in self._closed]
                if not candidates:
                    break
                mean, deviation = self._process.predict(np.array([found[one] for one in candidates]))
                order = np.argsort(mean - confidence * deviation, kind="stable")[:_SURVIVORS]
                found = {candidates[at]: found[candidates[at]] for at in order}
        best: Point = next(iter(found))
        self._closed.add(best)
        return best

    def _offspring(self, parents: Sequence[tuple[Point, list[float]]]) -> Iterator[tuple[Point, list[float]]]:
        for _ in range(_CANDIDATES):
            parent, _ = self._random.choice(parents)
            moved, size = list(parent), self._random.choice(_SIZES)
            places = self._random.sample(range(len(moved)), self._count())
            for at in places:
                moved[at] = self._space[at].moved(moved[at], self._random, size)
            point = tuple(moved)
            if self._is_feasible(point):
                yield point, self._row(point)

    def _row(self, point: Point) -> list[float]:
        return [x for columns, value in zip(self._columns, point, strict=True) for x in columns[value]]

    def _count(self) -> int:
        """Draw how many dimensions move: mostly few."""
        return min(len(self._space), 1 + int(self._random.expovariate(_FEWNESS)))


def _ranked(measured: Sequence[tuple[Point, float]]) -> dict[Point, int]:
    """Return the points with their numbers of measurements, the best mean first."""
    losses: defaultdict[Point, list[float]] = defaultdict(list)
    for point, loss in measured:
        losses[point].append(loss)
    return {one: len(losses[one]) for one in sorted(losses, key=lambda one: sum(losses[one]) / len(losses[one]))}


@lru_cache(maxsize=32)
def _fitted(dimensions: tuple[int, ...], rows: bytes, looks: bytes) -> Array:
    """Return the parameters of the model, estimated once for every few measurements: a function of these alone."""
    many = np.frombuffer(looks)
    known = np.frombuffer(rows).reshape(len(many), len(dimensions))
    return fitted(np.array(dimensions), known, _normal_scores(len(many)), many)


def _arrays(rows: Mapping[Point, list[float]], looks: Mapping[Point, int]) -> tuple[Array, Array]:
    return np.array([rows[one] for one in looks]), np.array([*looks.values()], float)


def _width(one: Dimension) -> int:
    return 1 if one.is_ordered else len(one.choices)


class _Columns(dict[Value, tuple[float, ...]]):
    """The columns of each value: its place, or of choices without an order one for each, 1 apart from the others."""

    def __init__(self, one: Dimension) -> None:
        super().__init__()
        self._one = one

    def __missing__(self, value: Value) -> tuple[float, ...]:
        one = self._one
        if one.is_ordered:
            self[value] = (one.place(value),)
        else:
            self[value] = tuple(math.sqrt(0.5) if value == choice else 0.0 for choice in one.choices)
        return self[value]


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep matrices of this size on one core: more of them take longer, and belong to the trainings."""
    with _libraries().limit(limits=1, user_api="blas"):
        yield


def _normal_scores(count: int) -> Array:
    """Return the quantiles of the normal distribution that so many ranks stand for."""
    scores: Array = ndtri((np.arange(count) + 0.5) / count)
    return scores

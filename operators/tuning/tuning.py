"""Tuning: classical optimisation of the constants of one structure, from everything that was measured of it.

    trust_region   a Gaussian process among moves of the best points (`operators.tuning.trust_region`)
    tpe            TPE of Optuna (Bergstra et al., 2011; multivariate: Falkner et al., 2018)
    cma_es         CMA-ES of `cmaes`
    random         uniform draws, to compare with

Each is rebuilt for every proposal from the measurements alone, so that neither a kill nor results that come in another
order leave it in a state of its own. The first begins with moves of its parent, as mutation makes them. The others are
there to be compared with and search a range that is guessed around the parent where its comments name none: TPE begins
with uniform draws; CMA-ES begins around the parent, takes the measurements in their order, one generation after the
other (Hansen, 2016), and leaves choices as they are.

Every measurement is told by itself, so that the noise shows. A program that is proposed though it exists is evaluated
with a further seed. While it is being evaluated, or where nothing varies, a step aside takes its place. In a space that
is searched through, the individual with the fewest measurements is evaluated once more.

A failure has no number. It teaches constraints (`operators.source.feasibility`), and is told to nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import fmean

from operators.attempts import Draft, feasible_points, first_accepted
from operators.proposal import MeasureAgain, NoOffspring, Proposal, Request, Variant
from operators.source.constants import find_constants, is_for_another_device, replace_constants, written
from operators.source.search_space import Dimension, Point, Scale, point_of, search_space, values_of
from trainer.objectives import Objective

_FEWEST_POINTS = 4
"""Fewer programs say nothing about where to look."""
_SHOWN_MOVES = 6
_UNIFORM_DRAWS = 10
"""That TPE begins with: Optuna's own default."""
_DRAWS = 3
"""That may turn out to exist, and not to be open for another look, before a step aside from the last one."""
_TRIES = 20
"""Of a move that keeps to what is feasible."""
_FIRST_SIGMA = 0.2
"""Spread of the first generation of CMA-ES, as a share of each range."""


class Method(StrEnum):
    """How constants are chosen."""

    TRUST_REGION = "trust_region"
    TPE = "tpe"
    CMA_ES = "cma_es"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class _Measured:
    individual: int
    point: Point
    loss: float


class Tuning:
    """Proposes other constants for its parent.

    Args:
        objective: what is optimised, the run's first.
        device: kind of device that the run trains on; constants for others stay. Empty where it is not known.
    """

    name = "tuning"
    arity = 1

    def __init__(self, objective: Objective, method: Method = Method.TRUST_REGION, device: str = "") -> None:
        self._objective = objective
        self._method = method
        self._device = device

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with constants that its measured variants speak for (see `Operator.propose`).

        Raises:
            MeasureAgain: they speak for one of them.
            NoOffspring: it has no constants to tune.
        """
        source = request.parents[0].source
        fixed = request.protection.lines(source)
        named = find_constants(source).items()
        items = request.protection.items
        constants = {name: one for name, one in named if one.line not in fixed and name not in items}
        space = search_space(one for one in constants.values() if not is_for_another_device(one.name, self._device))
        own = {name: constant.value for name, constant in constants.items()}
        here = point_of(space, own)
        if not space or here is None:
            raise NoOffspring("tuning: the parent has no top-level `UPPER_CASE` constant that could be tuned")
        measured = self._measured(space, request.known.variants)
        suggest = self._suggester(space, here, measured, request)

        def draft_of(point: Point) -> Draft:
            values = values_of(space, point, own)
            moves = [
                f"{name} {constants[name].text} → {text}"
                for name, value in values.items()
                if (text := written(value, constants[name])) != constants[name].text
            ]
            more = f" and {len(moves) - _SHOWN_MOVES} more" if len(moves) > _SHOWN_MOVES else ""
            said = ", ".join(moves[:_SHOWN_MOVES]) or "nothing changed"
            return Draft(replace_constants(source, values), f"tuning: {said}{more}")

        def step_aside(draft: Draft) -> Draft:
            drafted = {name: one.value for name, one in find_constants(draft.source).items()}
            point = point_of(space, drafted)
            assert point is not None  # noqa: S101 - the draft was made in this space
            return draft_of(_moved(space, point, request.random))

        learns = self._method is not Method.RANDOM
        try:
            return first_accepted(
                request, self.name, lambda: draft_of(suggest()), step_aside=step_aside, draws=_DRAWS, repeats=learns
            )
        except NoOffspring:
            open_ones = [one for one in measured if one.individual in request.known.repeatable] if learns else []
            if not open_ones:
                raise
            raise MeasureAgain(_known_least(open_ones)) from None

    def _measured(self, space: Sequence[Dimension], variants: Sequence[Variant]) -> list[_Measured]:
        name, sign = self._objective.name, -self._objective.weight
        return [
            _Measured(one.individual, point, sign * one.objectives[name])
            for one in variants
            if name in one.objectives and (point := point_of(space, one.constants)) is not None
        ]

    def _suggester(
        self, space: Sequence[Dimension], here: Point, measured: Sequence[_Measured], request: Request
    ) -> Callable[[], Point]:
        """Return what draws points.

        `here` are the values of the parent, `measured` the measurements in their order.
        """
        match self._method:
            case Method.RANDOM:
                return _by_tpe(space, [], request.random)
            case Method.CMA_ES:
                return lambda: _by_cma_es(space, here, _means(measured), request.random)
            case Method.TPE:
                repeats = len(measured) - _programs(measured)
                return _by_tpe(space, measured, request.random, _UNIFORM_DRAWS + repeats)
        return _by_trust_region(space, here, measured, request)


def _by_trust_region(
    space: Sequence[Dimension], here: Point, measured: Sequence[_Measured], request: Request
) -> Callable[[], Point]:
    is_feasible = feasible_points(space, request)
    if _programs(measured) < _FEWEST_POINTS:
        return lambda: _feasible_move(space, here, is_feasible, request.random)
    from operators.tuning.trust_region import TrustRegion

    closed = {one.point for one in measured if one.individual not in request.known.repeatable}
    pairs = [(one.point, one.loss) for one in measured]
    return TrustRegion(space, pairs, closed, is_feasible, request.random).ask


def _feasible_move(
    space: Sequence[Dimension], here: Point, is_feasible: Callable[[Point], bool], random: Random
) -> Point:
    for _ in range(_TRIES):
        point = _moved(space, here, random)
        if is_feasible(point):
            break
    return point


def _moved(space: Sequence[Dimension], point: Point, random: Random) -> Point:
    """Return a point with another value in one dimension."""
    at = random.randrange(len(space))
    return (*point[:at], space[at].moved(point[at], random), *point[at + 1 :])


def _programs(measured: Sequence[_Measured]) -> int:
    """Return how many individuals were measured."""
    return len({one.individual for one in measured})


def _means(measured: Sequence[_Measured]) -> list[_Measured]:
    """Return one mean for each individual, in the order of their first measurements."""
    losses: defaultdict[int, list[float]] = defaultdict(list)
    for one in measured:
        losses[one.individual].append(one.loss)
    points = {one.individual: one.point for one in measured}
    return [_Measured(one, points[one], fmean(all_of)) for one, all_of in losses.items()]


def _known_least(measured: Sequence[_Measured]) -> int:
    """Return the individual that was measured least; of several the best."""
    looks = Counter(one.individual for one in measured)
    return min(_means(measured), key=lambda one: (looks[one.individual], one.loss)).individual


def _by_cma_es(space: Sequence[Dimension], here: Point, measured: Sequence[_Measured], random: Random) -> Point:
    numbers = [at for at, one in enumerate(space) if one.scale is not Scale.CHOICE]
    if len(numbers) < 2:
        raise NoOffspring(f"tuning: CMA-ES needs two numbers among the parent's constants, but found {len(numbers)}")
    import cmaes
    import numpy as np

    def placed(point: Point) -> np.ndarray:
        return np.array([space[at].to_unit(point[at]) for at in numbers])

    bounds = np.array([[0.0, 1.0]] * len(numbers))
    evolution = cmaes.CMA(mean=placed(here), sigma=_FIRST_SIGMA, bounds=bounds, seed=random.getrandbits(31))
    size = evolution.population_size
    for start in range(0, len(measured) - size + 1, size):
        evolution.tell([(placed(one.point), one.loss) for one in measured[start : start + size]])
    found = list(here)
    for at, place in zip(numbers, evolution.ask(), strict=True):
        found[at] = space[at].from_unit(float(place))
    return tuple(found)


def _by_tpe(
    space: Sequence[Dimension], measured: Sequence[_Measured], random: Random, uniform_draws: int = _FEWEST_POINTS
) -> Callable[[], Point]:
    from operators.tuning.tpe import TreeParzen

    return TreeParzen(space, [(one.point, one.loss) for one in measured], random, uniform_draws).ask

"""Tuning: classical optimisation of the constants of one structure, from everything that was measured of it.

Three methods share the work, all rebuilt for every proposal from the measurements alone, so that neither a kill nor
results that come in another order leave it in a state of its own:

    gp       Thompson sampling from a Gaussian process (`operators.tuning.thompson`)
    TPE      the tree-structured Parzen estimator of Optuna (Bergstra et al., 2011; multivariate: Falkner et al., 2018)
    CMA-ES   of `cmaes`, its distribution estimated from the best known points (warm starting: Nomura et al., 2021)

They err differently: the first, which does most of the work, believes that neighbours are alike, TPE in no smoothness,
CMA-ES in directions across the dimensions.

As the only method of a search, each works as it would alone, over the ranges that the parent's own constants span. The
first two begin with uniform draws. CMA-ES begins around the parent, takes the measurements in their order, one
generation after the other (Hansen, 2016), and leaves choices as they are. `random` draws uniformly, to compare with.

Every measurement is told by itself, so that the noise shows. Who is proposed though it exists is worth another look: it
is evaluated with a further seed. While it is being evaluated, or where nothing varies, a step aside takes its place. In
a space that is searched through, the individual with the fewest measurements is evaluated once more.

A failure has no number. It is told to none of them: neither a large loss nor a guess in its place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from statistics import fmean

from operators.attempts import Draft, first_accepted
from operators.mutation.constants import moved_constant
from operators.proposal import MeasureAgain, NoOffspring, Proposal, Request, Variant
from operators.source.constants import Value, find_constants, replace_constants, written
from operators.source.search_space import Dimension, Scale, search_space
from trainer.objectives import Objective

_FEWEST_POINTS = 4
"""Fewer measurements say nothing about where to look."""
_TPE_SHARE, _CMA_SHARE = 0.15, 0.15
_BEST_SHARE = 0.2
_OVERLAP = 0.1
_SHOWN_MOVES = 6
_UNIFORM_DRAWS = 10
"""That a method alone begins with: Optuna's own default."""
_DRAWS = 3
"""That may turn out to exist, and not to be open for another look, before a step aside from the last one."""
_FIRST_SIGMA = 0.2
"""Spread of the first generation of CMA-ES, as a share of each range."""


class Method(StrEnum):
    """How constants are chosen."""

    MIXED = "mixed"
    """All of them share the work, from what other operators have measured."""
    GAUSSIAN_PROCESS = "gp"
    TPE = "tpe"
    CMA_ES = "cma_es"
    RANDOM = "random"


@dataclass(frozen=True, slots=True)
class _Point:
    individual: int
    values: Mapping[str, Value]
    loss: float


class Tuning:
    """Proposes other constants for its parent.

    Args:
        objective: what is optimised, the run's first.
        method: any but `MIXED` needs no measurements of others to begin with.
    """

    name = "tuning"
    arity = 1

    def __init__(self, objective: Objective, method: Method = Method.MIXED) -> None:
        self._objective = objective
        self._method = method

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with constants that its measured variants speak for (see `Operator.propose`).

        Raises:
            MeasureAgain: they speak for one of them.
            NoOffspring: it has no constants to tune, or too few variants were measured.
        """
        source = request.parents[0].source
        fixed = request.protection.lines(source)
        constants = {name: one for name, one in find_constants(source).items() if one.line not in fixed}
        points = [self._point(variant) for variant in request.variants if self._objective.name in variant.objectives]
        count = _programs(points)
        shares = self._method is Method.MIXED
        if shares and count < _FEWEST_POINTS:
            raise NoOffspring(f"tuning: {count} variants were measured, and {_FEWEST_POINTS} are needed")
        space = search_space(constants.values(), [point.values for point in points] if shares else [])
        if not space:
            raise NoOffspring("tuning: the parent has no top-level `UPPER_CASE` constant that could be tuned")
        complete = [one for one in points if _is_inside(one, space)]
        own = {name: constant.value for name, constant in constants.items()}
        suggest = self._suggester(space, own, complete, request)

        def draft_of(values: Mapping[str, Value]) -> Draft:
            moves = [
                f"{name} {constants[name].text} → {text}"
                for name, value in values.items()
                if (text := written(value, constants[name])) != constants[name].text
            ]
            more = f" and {len(moves) - _SHOWN_MOVES} more" if len(moves) > _SHOWN_MOVES else ""
            said = ", ".join(moves[:_SHOWN_MOVES]) or "nothing changed"
            return Draft(replace_constants(source, values), f"tuning: {said}{more}")

        def step_aside(draft: Draft) -> Draft:
            drafted = find_constants(draft.source)
            name = request.random.choice(space).name
            moved = moved_constant(drafted[name], request.random)
            return draft_of({one.name: drafted[one.name].value for one in space} | {name: moved})

        learns = self._method is not Method.RANDOM
        try:
            return first_accepted(
                request, self.name, lambda: draft_of(suggest()), step_aside=step_aside, draws=_DRAWS, repeats=learns
            )
        except NoOffspring:
            open_points = [one for one in points if one.individual in request.repeatable] if learns else []
            if not open_points:
                raise
            raise MeasureAgain(_known_least(open_points)) from None

    def _suggester(
        self, space: Sequence[Dimension], own: Mapping[str, Value], points: Sequence[_Point], request: Request
    ) -> Callable[[], dict[str, Value]]:
        """Return what draws values for the dimensions.

        Args:
            space: the dimensions.
            own: the parent's constants.
            points: what was measured, in that order.
            request: what the operator was given.
        """
        random = request.random
        programs = _programs(points)
        numbers = [dimension for dimension in space if dimension.scale is not Scale.CHOICE]
        match self._method:
            case Method.RANDOM:
                return _by_tpe(space, [], random)
            case Method.CMA_ES:
                return lambda: _by_cma_es_alone(numbers, own, _means(points), random)
            case Method.TPE:
                return _by_tpe(space, points, random, _UNIFORM_DRAWS + len(points) - programs)
            case Method.GAUSSIAN_PROCESS:
                if programs < _UNIFORM_DRAWS:
                    return _by_tpe(space, [], random)
                return _by_gaussian_process(space, points, request)
        method = random.random()
        if method < _TPE_SHARE or programs < _FEWEST_POINTS:
            return _by_tpe(space, points, random)
        if method < _TPE_SHARE + _CMA_SHARE and len(numbers) > 1 and programs > 2 * len(numbers):
            return lambda: _by_cma_es(numbers, points, random)
        return _by_gaussian_process(space, points, request)

    def _point(self, variant: Variant) -> _Point:
        return _Point(
            variant.individual, variant.constants, -self._objective.weight * variant.objectives[self._objective.name]
        )


def _programs(points: Sequence[_Point]) -> int:
    """Return how many individuals were measured."""
    return len({point.individual for point in points})


def _means(points: Sequence[_Point]) -> list[_Point]:
    """Return one point for each individual, in the order of their first measurements."""
    losses: defaultdict[int, list[float]] = defaultdict(list)
    for point in points:
        losses[point.individual].append(point.loss)
    values = {point.individual: point.values for point in points}
    return [_Point(one, values[one], fmean(measured)) for one, measured in losses.items()]


def _known_least(points: Sequence[_Point]) -> int:
    """Return the individual that was measured least; of several the best."""
    looks = Counter(point.individual for point in points)
    return min(_means(points), key=lambda point: (looks[point.individual], point.loss)).individual


def _is_inside(point: _Point, space: Sequence[Dimension]) -> bool:
    return all(one.name in point.values and one.holds(point.values[one.name]) for one in space)


def _by_gaussian_process(
    space: Sequence[Dimension], points: Sequence[_Point], request: Request
) -> Callable[[], dict[str, Value]]:
    from operators.tuning.thompson import ThompsonSampling

    repeatable = request.repeatable
    closed = {tuple(one.values[d.name] for d in space) for one in points if one.individual not in repeatable}
    measured = [(one.values, one.loss) for one in points]
    return ThompsonSampling(space, measured, closed, request.random).ask


def _by_cma_es(space: Sequence[Dimension], points: Sequence[_Point], random: Random) -> dict[str, Value]:
    import cmaes
    import numpy as np

    known = [(np.array([one.to_unit(point.values[one.name]) for one in space]), point.loss) for point in points]
    mean, sigma, covariance = cmaes.get_warm_start_mgd(known, gamma=_BEST_SHARE, alpha=_OVERLAP)
    bounds = np.array([[0.0, 1.0]] * len(space))
    seed = random.getrandbits(31)
    places = cmaes.CMA(mean=mean, sigma=sigma, cov=covariance, bounds=bounds, seed=seed).ask()
    return {one.name: one.from_unit(float(place)) for one, place in zip(space, places, strict=True)}


def _by_cma_es_alone(
    space: Sequence[Dimension], own: Mapping[str, Value], points: Sequence[_Point], random: Random
) -> dict[str, Value]:
    if len(space) < 2:
        raise NoOffspring(f"tuning: CMA-ES needs two numbers among the parent's constants, but found {len(space)}")
    import cmaes
    import numpy as np

    def placed(values: Mapping[str, Value]) -> np.ndarray:
        return np.array([one.to_unit(values[one.name]) for one in space])

    bounds = np.array([[0.0, 1.0]] * len(space))
    evolution = cmaes.CMA(mean=placed(own), sigma=_FIRST_SIGMA, bounds=bounds, seed=random.getrandbits(31))
    size = evolution.population_size
    for start in range(0, len(points) - size + 1, size):
        evolution.tell([(placed(point.values), point.loss) for point in points[start : start + size]])
    places = evolution.ask()
    return {one.name: one.from_unit(float(place)) for one, place in zip(space, places, strict=True)}


def _by_tpe(
    space: Sequence[Dimension], points: Sequence[_Point], random: Random, uniform_draws: int = _FEWEST_POINTS
) -> Callable[[], dict[str, Value]]:
    from operators.tuning.tpe import TreeParzen

    return TreeParzen(space, [(point.values, point.loss) for point in points], random, uniform_draws).ask

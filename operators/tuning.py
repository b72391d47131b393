"""Tuning: classical optimisation of the constants of one structure, from everything that was measured of it.

Two methods share the work, both rebuilt for every proposal from the measurements alone, so that neither a kill nor
results that come in another order leave it in a state of its own:

    TPE      the tree-structured Parzen estimator of Optuna (Bergstra et al., 2011; multivariate: Falkner et al., 2018)
    CMA-ES   of `cmaes`, its distribution estimated from the best known points (warm starting: Nomura et al., 2021)

A failure has no number. It is not told to either: neither a large loss nor a guess in its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from operators.attempts import Draft, first_accepted
from operators.constants import Value, find_constants, replace_constants, written
from operators.proposal import NoOffspring, Proposal, Request, Variant
from operators.search_space import Dimension, Scale, search_space
from trainer.objectives import Objective

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

_FEWEST_POINTS = 4
"""Fewer measurements say nothing about where to look."""
_CMA_SHARE = 0.3
_BEST_SHARE = 0.2
_BEST_TOLD, _OTHERS_TOLD = 30, 50
_OVERLAP = 0.1
_SHOWN_MOVES = 6


@dataclass(frozen=True, slots=True)
class _Point:
    values: Mapping[str, Value]
    loss: float


class Tuning:
    """Proposes other constants for its parent.

    Args:
        objective: what is optimised, the run's first.
    """

    name = "tuning"
    arity = 1

    def __init__(self, objective: Objective) -> None:
        self._objective = objective

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with constants that its measured variants speak for (see `Operator.propose`).

        Raises:
            NoOffspring: it has no constants to tune, or too few variants were measured.
        """
        source = request.parents[0].source
        constants = find_constants(source)
        points = [self._point(variant) for variant in request.variants if self._objective.name in variant.objectives]
        if len(points) < _FEWEST_POINTS:
            raise NoOffspring(f"tuning: {len(points)} variants were measured, and {_FEWEST_POINTS} are needed")
        space = search_space(constants.values(), [point.values for point in points])
        if not space:
            raise NoOffspring("tuning: the parent has no top-level `UPPER_CASE` constant that could be tuned")
        complete = [point for point in points if all(one.name in point.values for one in space)]
        told = _telling(complete, request.random)

        def draw() -> Draft:
            values = _suggested(space, told, request.random)
            moves = [
                f"{name} {constants[name].text} → {text}"
                for name, value in values.items()
                if (text := written(value, constants[name])) != constants[name].text
            ]
            more = f" and {len(moves) - _SHOWN_MOVES} more" if len(moves) > _SHOWN_MOVES else ""
            return Draft(replace_constants(source, values), f"tuning: {', '.join(moves[:_SHOWN_MOVES])}{more}")

        return first_accepted(request, self.name, draw)

    def _point(self, variant: Variant) -> _Point:
        return _Point(variant.constants, -self._objective.weight * variant.objectives[self._objective.name])


def _telling(points: Sequence[_Point], random: Random) -> list[_Point]:
    """Return the best points, and of the others a sample: what is far from good needs no more to be known by."""
    ranked = sorted(points, key=lambda point: point.loss)
    others = ranked[_BEST_TOLD:]
    return ranked[:_BEST_TOLD] + random.sample(others, min(_OTHERS_TOLD, len(others)))


def _suggested(space: Sequence[Dimension], points: Sequence[_Point], random: Random) -> dict[str, Value]:
    numbers = [dimension for dimension in space if dimension.scale is not Scale.CHOICE]
    if len(numbers) > 1 and len(points) > 2 * len(numbers) and random.random() < _CMA_SHARE:
        return _by_cma_es(numbers, points, random)
    return _by_tpe(space, points, random)


def _by_cma_es(space: Sequence[Dimension], points: Sequence[_Point], random: Random) -> dict[str, Value]:
    import cmaes
    import numpy as np

    known = [(np.array([one.to_unit(point.values[one.name]) for one in space]), point.loss) for point in points]
    mean, sigma, covariance = cmaes.get_warm_start_mgd(known, gamma=_BEST_SHARE, alpha=_OVERLAP)
    bounds = np.array([[0.0, 1.0]] * len(space))
    seed = random.getrandbits(31)
    places = cmaes.CMA(mean=mean, sigma=sigma, cov=covariance, bounds=bounds, seed=seed).ask()
    return {one.name: one.from_unit(float(place)) for one, place in zip(space, places, strict=True)}


def _by_tpe(space: Sequence[Dimension], points: Sequence[_Point], random: Random) -> dict[str, Value]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    distributions = {one.name: _distribution(one) for one in space}

    def place(dimension: Dimension, value: Value) -> int | float:
        return dimension.choices.index(value) if dimension.scale is Scale.CHOICE else dimension.to_unit(value)

    def is_inside(point: _Point) -> bool:
        return all(one.scale is not Scale.CHOICE or point.values[one.name] in one.choices for one in space)

    seed = random.getrandbits(31)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=_FEWEST_POINTS)
    study = optuna.create_study(sampler=sampler)
    for point in filter(is_inside, points):
        params = {one.name: place(one, point.values[one.name]) for one in space}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, value=point.loss))
    asked = study.ask(distributions).params
    return {
        one.name: one.choices[asked[one.name]] if one.scale is Scale.CHOICE else one.from_unit(asked[one.name])
        for one in space
    }


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if dimension.scale is not Scale.CHOICE:
        return FloatDistribution(0.0, 1.0)
    places = len(dimension.choices)
    return IntDistribution(0, places - 1) if dimension.is_ordered else CategoricalDistribution(range(places))

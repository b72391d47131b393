"""The tree-structured Parzen estimator of Optuna, asked about points that were measured elsewhere.

Optuna copies every trial into its storage, which takes several times as long as its estimate does. Here its sampler
reads the points from a storage that holds them already. Imported late, since Optuna takes most of a second.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import UTC, datetime
from random import Random

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

from operators.source.constants import Value
from operators.source.search_space import Dimension, Point, Scale


class TreeParzen:
    """Suggests points, multivariate over all dimensions; each one independently, from the same measurements.

    Args:
        points: pairs of a point and a finite loss, oldest first.
        random: the only source of randomness, used once.
        uniform_draws: so many points must have been measured before it draws otherwise than uniformly.
    """

    def __init__(
        self,
        space: Sequence[Dimension],
        points: Sequence[tuple[Point, float]],
        random: Random,
        uniform_draws: int,
    ) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._names = [str(at) for at in range(len(space))]
        self._distributions = {name: _distribution(one) for name, one in zip(self._names, space, strict=True)}
        trials = [
            _measured(number, self._places(point), self._distributions, loss)
            for number, (point, loss) in enumerate(points)
        ]
        seed = random.getrandbits(31)
        # The points under way are unknown here, so there are no constant liars.
        self._sampler = TPESampler(
            seed=seed, multivariate=True, n_startup_trials=max(1, uniform_draws), constant_liar=False
        )
        self._uniform = RandomSampler(seed=seed)
        self._study = optuna.create_study(sampler=self._sampler, storage=_Measured(trials))
        self._asked = create_trial(state=TrialState.RUNNING)

    def ask(self) -> Point:
        """Return a point, another one each time."""
        places = self._sampler.sample_relative(self._study, self._asked, self._distributions)
        for name, distribution in self._distributions.items():
            if name not in places:
                places[name] = self._uniform.sample_independent(self._study, self._asked, name, distribution)
        return tuple(
            one.choices[places[name]] if one.scale is Scale.CHOICE else one.from_unit(places[name])
            for name, one in zip(self._names, self._space, strict=True)
        )

    def _places(self, point: Point) -> dict[str, int | float]:
        return {name: _place(one, value) for name, one, value in zip(self._names, self._space, point, strict=True)}


class _Measured(InMemoryStorage):
    """Holds trials that are all there are."""

    def __init__(self, trials: Sequence[FrozenTrial]) -> None:
        super().__init__()
        self._all = list(trials)

    def get_all_trials(
        self,
        study_id: int,  # noqa: ARG002 - there is one study
        deepcopy: bool = True,  # noqa: ARG002 - Optuna's signature; they are not changed
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        return [trial for trial in self._all if states is None or trial.state in states]


def _measured(
    number: int, params: Mapping[str, int | float], distributions: Mapping[str, BaseDistribution], loss: float
) -> FrozenTrial:
    # `create_trial` would convert and compare every distribution of every point, which takes longer than the estimate.
    now = datetime.now(tz=UTC)
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=TrialState.COMPLETE,
        value=loss,
        datetime_start=now,
        datetime_complete=now,
        params=dict(params),
        distributions=dict(distributions),
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


def _place(dimension: Dimension, value: Value) -> int | float:
    return dimension.choices.index(value) if dimension.scale is Scale.CHOICE else dimension.to_unit(value)


def _distribution(dimension: Dimension) -> BaseDistribution:
    if dimension.scale is Scale.CHOICE:
        return CategoricalDistribution(range(len(dimension.choices)))
    return FloatDistribution(0.0, 1.0)

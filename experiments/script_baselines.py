"""What a search over scripts without ranges is compared with: other optimisers, over a range that is guessed for them.

All begin with generation 0, get as many evaluations at a time as there are slots, and spend the same part of the
budget on the same race between their best. A failure has no loss: TPE is told that it failed; CMA-ES, which needs an
order, and the forest, as SMAC does, take it for as bad as the worst.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from experiments.scripts import Landscape, Values
from experiments.table_baselines import Trial, confirmation
from operators.source.constants import Value, find_constants
from operators.source.search_space import Dimension, point_of, search_space, values_of

Row = npt.NDArray[np.float64]


class _Optimiser(Protocol):
    def ask(self, count: int) -> Sequence[Row]:
        """Return places in the unit cube, at most `count`."""

    def tell(self, rows: Sequence[Row], losses: Sequence[float | None]) -> None:
        """Take in what was asked for; None where it failed."""


class _Random:
    def __init__(self, start: Row, seed: int) -> None:
        self._size = len(start)
        self._chance = np.random.default_rng(seed)

    def ask(self, count: int) -> Sequence[Row]:
        return list(self._chance.random((count, self._size)))

    def tell(self, rows: Sequence[Row], losses: Sequence[float | None]) -> None:
        pass


class _Tpe:
    """Optuna's TPE with its defaults."""

    def __init__(self, start: Row, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._failed = optuna.trial.TrialState.FAIL
        self._names = [str(at) for at in range(len(start))]
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        self._study.enqueue_trial(dict(zip(self._names, map(float, start), strict=True)))
        self._asked: list[optuna.Trial] = []

    def ask(self, count: int) -> Sequence[Row]:
        self._asked = [self._study.ask() for _ in range(count)]
        return [np.array([trial.suggest_float(name, 0.0, 1.0) for name in self._names]) for trial in self._asked]

    def tell(self, rows: Sequence[Row], losses: Sequence[float | None]) -> None:  # noqa: ARG002 - it knows what it asked
        for trial, loss in zip(self._asked, losses, strict=True):
            if loss is None:
                self._study.tell(trial, state=self._failed)
            else:
                self._study.tell(trial, loss)


class _CmaEs:
    """CMA-ES from the start, with the step that Ferreira et al. (2026) begin with and its default population."""

    def __init__(self, start: Row, seed: int) -> None:
        import cmaes

        bounds = np.array([[0.0, 1.0]] * len(start))
        self._evolution = cmaes.CMA(mean=start, sigma=0.2, bounds=bounds, seed=seed)
        self._told: list[tuple[Row, float | None]] = []

    def ask(self, count: int) -> Sequence[Row]:
        left = self._evolution.population_size - len(self._told)
        return [self._evolution.ask() for _ in range(min(count, left))]

    def tell(self, rows: Sequence[Row], losses: Sequence[float | None]) -> None:
        self._told += zip(rows, losses, strict=True)
        if len(self._told) == self._evolution.population_size:
            self._evolution.tell([(row, 1e9 if loss is None else loss) for row, loss in self._told])
            self._told = []


class _Forest:
    """A random forest and expected improvement, as SMAC has them (Hutter et al., 2011)."""

    def __init__(self, start: Row, seed: int) -> None:
        self._start = start
        self._seed = seed
        self._chance = np.random.default_rng(seed)
        self._rows: list[Row] = []
        self._losses: list[float | None] = []

    def ask(self, count: int) -> Sequence[Row]:
        if not self._rows:
            return [self._start, *self._chance.random((count - 1, len(self._start)))]
        if len(self._rows) < 10:
            return list(self._chance.random((count, len(self._start))))
        from scipy.stats import norm
        from sklearn.ensemble import RandomForestRegressor

        known = [one for one in self._losses if one is not None]
        losses = np.array([max(known) if one is None else one for one in self._losses])
        forest = RandomForestRegressor(10, min_samples_split=3, max_features=5 / 6, random_state=self._seed)
        forest.fit(self._rows, losses)
        best = [self._rows[at] for at in np.argsort(losses)[:10]]
        near = [np.clip(one + self._one_moved(), 0, 1) for one in best for _ in range(4 * len(self._start))]
        candidates = np.array([*near, *self._chance.random((500, len(self._start)))])
        each = np.array([tree.predict(candidates) for tree in forest.estimators_])
        mean, spread = each.mean(axis=0), each.std(axis=0) + 1e-9
        gain = losses.min() - mean
        improvement = gain * norm.cdf(gain / spread) + spread * norm.pdf(gain / spread)
        return [candidates[at] for at in np.argsort(-improvement)[:count]]

    def tell(self, rows: Sequence[Row], losses: Sequence[float | None]) -> None:
        self._rows += rows
        self._losses += losses

    def _one_moved(self) -> Row:
        move = np.zeros(len(self._start))
        move[self._chance.integers(len(move))] = self._chance.normal(0.0, 0.2)
        return move


def _optimised(kind: Callable[[Row, int], _Optimiser]) -> Callable[[Landscape, int, int, int], Values]:
    def run(script: Landscape, seed: int, evaluations: int, slots: int) -> Values:
        constants = find_constants(script.source)
        space = search_space(constants.values())
        own = {name: one.value for name, one in constants.items()}
        extra = {name: value for name, value in script.start.items() if name not in constants}
        start = point_of(space, own)
        assert start is not None
        optimiser = kind(np.array([one.to_unit(value) for one, value in zip(space, start, strict=True)]), seed)
        trial = Trial(script, seed, evaluations)
        reserve = confirmation(evaluations).confirmations
        while trial.left > reserve:
            rows = optimiser.ask(min(slots, trial.left - reserve))
            losses = [trial.evaluate(_values(space, row, own) | extra) for row in rows]
            optimiser.tell(rows, losses)
        return trial.confirmed_best()

    return run


def _values(space: Sequence[Dimension], row: Row, own: Values) -> dict[str, Value]:
    point = tuple(one.from_unit(float(place)) for one, place in zip(space, row, strict=True))
    return values_of(space, point, own)


METHODS: dict[str, Callable[[Landscape, int, int, int], Values]] = {
    "random": _optimised(_Random),
    "TPE": _optimised(_Tpe),
    "CMA-ES": _optimised(_CmaEs),
    "forest": _optimised(_Forest),
}

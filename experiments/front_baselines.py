"""What a search for fronts is compared with: other implementations of NSGA-II under the same budget of evaluations.

Both get the parameters as they are: pymoo as places of choices, with the operators that its documentation has for
integers, Optuna as categorical parameters. Each answers with whatever it measured that nothing else dominates.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from experiments.front_tables import OBJECTIVES, FrontTable
from operators.source.constants import Value

Configuration = dict[str, Value]

_UNTRAINED = 1e9
"""The cost of what is no architecture, in every objective."""


class Spent(Exception):  # noqa: N818 - the end of every search, and no error
    """The budget of evaluations is spent."""


class Trials:
    """Counts a method's evaluations, repeated ones too.

    What is no architecture costs nothing, as it is refused before it would be evaluated.

    Args:
        table: that is searched.
        evaluations: the budget.
    """

    def __init__(self, table: FrontTable, evaluations: int) -> None:
        self.table = table
        self._left = evaluations
        self._costs: dict[tuple[Value, ...], list[float]] = {}

    def evaluate(self, configuration: Configuration) -> list[float]:
        """Return what was recorded as costs: the objectives with their signs turned where more is better.

        Raises:
            Spent: there is no budget left.
        """
        if not self._left:
            raise Spent
        if not self.table.exists(configuration):
            return [_UNTRAINED] * len(OBJECTIVES)
        self._left -= 1
        measured = self.table.measure(configuration, seed=0)
        costs = [-objective.weight * measured[objective.name] for objective in OBJECTIVES]
        self._costs[tuple(configuration.values())] = costs
        return costs

    def front(self) -> list[Configuration]:
        """Return the configurations that no others dominate."""
        import moocore

        kept = moocore.is_nondominated(np.array(list(self._costs.values())), keep_weakly=True)
        return [
            dict(zip(self.table.space, key, strict=True))
            for key, is_kept in zip(self._costs, kept, strict=True)
            if is_kept
        ]


def random_search(table: FrontTable, seed: int, evaluations: int) -> list[Configuration]:
    """Draw."""
    chance, trials = random.Random(seed), Trials(table, evaluations)
    with suppress(Spent):
        while True:
            trials.evaluate(table.draw(chance))
    return trials.front()


def pymoo_nsga2(table: FrontTable, seed: int, evaluations: int, population: int) -> list[Configuration]:
    """Run pymoo's NSGA-II with simulated binary crossover and polynomial mutation, rounded."""
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.problem import ElementwiseProblem
    from pymoo.core.termination import NoTermination
    from pymoo.operators.crossover.sbx import SBX
    from pymoo.operators.mutation.pm import PM
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    trials, choices = Trials(table, evaluations), list(table.space.items())

    class Recorded(ElementwiseProblem):  # type: ignore[misc]  # pymoo has no types
        def __init__(self) -> None:
            last = [len(values) - 1 for _, values in choices]
            super().__init__(n_var=len(choices), n_obj=len(OBJECTIVES), xl=0, xu=np.array(last), vtype=int)

        def _evaluate(self, x: Sequence[int], out: dict[str, Any], *_: Any, **__: Any) -> None:
            out["F"] = trials.evaluate({name: values[int(at)] for (name, values), at in zip(choices, x, strict=True)})

    algorithm = NSGA2(
        pop_size=population,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=1.0, eta=3.0, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    with suppress(Spent):
        minimize(Recorded(), algorithm, NoTermination(), seed=seed)
    return trials.front()


def optuna_nsga2(table: FrontTable, seed: int, evaluations: int, population: int) -> list[Configuration]:
    """Run Optuna's NSGAIISampler."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trials = Trials(table, evaluations)
    sampler = optuna.samplers.NSGAIISampler(seed=seed, population_size=population)
    study = optuna.create_study(directions=["minimize"] * len(OBJECTIVES), sampler=sampler)
    with suppress(Spent):
        while True:
            trial = study.ask()
            values: dict[str, Any] = {}
            for name, choices in table.space.items():
                values[name] = trial.suggest_categorical(name, list[Any](choices))
            study.tell(trial, trials.evaluate(values))
    return trials.front()


METHODS: dict[str, Callable[[FrontTable, int, int], list[Configuration]]] = {
    "random search": random_search,
    "NSGA-II (pymoo), 100": partial(pymoo_nsga2, population=100),
    "NSGA-II (pymoo), 40": partial(pymoo_nsga2, population=40),
    "NSGA-II (pymoo), 16": partial(pymoo_nsga2, population=16),
    "NSGA-II (Optuna), 50": partial(optuna_nsga2, population=50),
    "NSGA-II (Optuna), 16": partial(optuna_nsga2, population=16),
}
"""With the size of the population; 100 and 50 are the defaults of the two libraries."""

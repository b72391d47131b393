"""What a search over tables is compared with: other methods under the same budget of evaluations, noise included."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable
from statistics import fmean

from deap import algorithms, base, creator, tools

from experiments.tables import Table, Value

Configuration = dict[str, Value]

FINALISTS, CONFIRMATIONS = 5, 40
"""Of the methods that confirm: so many of the best single results share so many more evaluations."""


class Trial:
    """Counts a method's evaluations, each with a training seed of its own.

    Args:
        table: that is searched.
        evaluations: the budget.
    """

    def __init__(self, table: Table, evaluations: int) -> None:
        self.table = table
        self.left = evaluations
        self._losses: defaultdict[Hashable, list[float]] = defaultdict(list)
        self._configurations: dict[Hashable, Configuration] = {}

    def evaluate(self, configuration: Configuration) -> float:
        """Return the loss of one training."""
        self.left -= 1
        key = tuple(configuration.values())
        self._configurations[key] = configuration
        loss = self.table.loss(configuration, len(self._losses[key]))
        self._losses[key].append(loss)
        return loss

    def best(self) -> Configuration:
        """Return the configuration with the lowest single result."""
        return self._ranked(min)[0]

    def confirmed_best(self) -> Configuration:
        """Spend what is left on the best single results, and return the one with the lowest mean of these."""
        finalists = self._ranked(min)[:FINALISTS]
        place = 0
        while self.left:
            self.evaluate(finalists[place % len(finalists)])
            place += 1
        return min(finalists, key=lambda one: fmean(self._losses[tuple(one.values())][1:]))

    def _ranked(self, of: Callable[[list[float]], float]) -> list[Configuration]:
        keys = sorted(self._losses, key=lambda key: of(self._losses[key]))
        return [self._configurations[key] for key in keys]


def random_search(table: Table, seed: int, evaluations: int) -> Configuration:
    """Draw, and take the lowest single result."""
    chance, trial = random.Random(seed), Trial(table, evaluations)
    while trial.left:
        trial.evaluate(table.draw(chance))
    return trial.best()


def greedy(table: Table, seed: int, evaluations: int) -> Configuration:
    """Change one parameter, and keep it if the result is lower: what one agent does to one file."""
    chance, trial = random.Random(seed), Trial(table, evaluations)
    kept = table.draw(chance)
    lowest = trial.evaluate(kept)
    while trial.left:
        name = chance.choice(list(table.space))
        changed = kept | {name: chance.choice([one for one in table.space[name] if one != kept[name]])}
        loss = trial.evaluate(changed)
        if loss < lowest:
            kept, lowest = changed, loss
    return kept


def tpe(table: Table, seed: int, evaluations: int) -> Configuration:
    """Optuna's TPE with its defaults, then the confirmation of the best."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    trial = Trial(table, evaluations)

    def loss(suggest: optuna.Trial) -> float:
        return trial.evaluate({name: suggest.suggest_categorical(name, one) for name, one in table.space.items()})

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(loss, n_trials=evaluations - CONFIRMATIONS)
    return trial.confirmed_best()


def plain_ga(table: Table, seed: int, evaluations: int) -> Configuration:
    """DEAP's simple genetic algorithm, 16 a generation, and the lowest single result."""
    return _evolved(table, seed, evaluations).best()


def confirmed_ga(table: Table, seed: int, evaluations: int) -> Configuration:
    """The same genetic algorithm with less budget, then the confirmation of the best."""
    trial = _evolved(table, seed, evaluations, reserve=CONFIRMATIONS)
    return trial.confirmed_best()


METHODS: dict[str, Callable[[Table, int, int], Configuration]] = {
    "random search": random_search,
    "greedy": greedy,
    "plain GA (DEAP)": plain_ga,
    "plain GA, confirmed": confirmed_ga,
    "TPE (Optuna), confirmed": tpe,
}


def _evolved(table: Table, seed: int, evaluations: int, reserve: int = 0) -> Trial:
    """Run `eaSimple` over the places of choices: tournaments of 3, two-point crossover, uniform mutation."""
    random.seed(seed)  # DEAP draws from the global source of chance
    trial = Trial(table, evaluations)
    sizes = [len(choices) for choices in table.space.values()]
    if not hasattr(creator, "TableIndividual"):
        creator.create("TableFitness", base.Fitness, weights=(-1.0,))
        creator.create("TableIndividual", list, fitness=creator.TableFitness)

    def loss(places: list[int]) -> tuple[float]:
        if trial.left <= reserve:
            return (float("inf"),)
        values = zip(table.space.items(), places, strict=True)
        return (trial.evaluate({name: choices[at] for (name, choices), at in values}),)

    toolbox = base.Toolbox()
    toolbox.register("individual", tools.initIterate, creator.TableIndividual, lambda: map(random.randrange, sizes))
    toolbox.register("population", tools.initRepeat, list, toolbox.individual)
    toolbox.register("evaluate", loss)
    toolbox.register("mate", tools.cxTwoPoint)
    toolbox.register("mutate", tools.mutUniformInt, low=0, up=[size - 1 for size in sizes], indpb=1.5 / len(sizes))
    toolbox.register("select", tools.selTournament, tournsize=3)
    population = toolbox.population(16)
    while trial.left > reserve:
        population, _ = algorithms.eaSimple(population, toolbox, cxpb=0.5, mutpb=0.5, ngen=1, verbose=False)
    return trial

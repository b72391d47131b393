"""What a search over tables is compared with: other methods under the same budget of evaluations, noise included."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from statistics import fmean
from typing import Any

from deap import algorithms, base, creator, tools

from evo.standings.plan import Plan, make_plan
from experiments.table_search import SLOTS, Recorded, configuration, training_seconds
from experiments.tables import Table
from operators.source.constants import Value

Configuration = Mapping[str, Value]

_SEEDS_A_SEARCH = 1000


class Trial:
    """Counts a method's evaluations; those of one configuration have training seeds of their own.

    Args:
        table: that is searched.
        seed: of the method; no other seed's trainings are met again.
        evaluations: the budget.
    """

    def __init__(self, table: Recorded, seed: int, evaluations: int) -> None:
        self._table = table
        self.left = self._evaluations = evaluations
        self._first_seed = _SEEDS_A_SEARCH * seed
        self._losses: defaultdict[Hashable, list[float]] = defaultdict(list)
        self._configurations: dict[Hashable, Configuration] = {}

    def evaluate(self, configuration: Configuration) -> float | None:
        """Return the loss of one training; None where it crashed."""
        self.left -= 1
        key = tuple(configuration.values())
        seed = self._first_seed + len(self._losses.get(key, ()))
        try:
            loss = self._table.measure(configuration, seed)["loss"]
        except ValueError:
            return None
        self._configurations[key] = configuration
        self._losses[key].append(loss)
        return loss

    def always(self, configuration: Configuration) -> float:
        """Return the loss of one training of what never crashes."""
        loss = self.evaluate(configuration)
        if loss is None:
            raise RuntimeError(f"expected {configuration} not to crash")
        return loss

    def best(self) -> Configuration:
        """Return the configuration with the lowest single result."""
        return self._configurations[min(self._losses, key=lambda key: min(self._losses[key]))]

    def confirmed_best(self) -> Configuration:
        """Spend what is left on a race between those with the lowest means, and return its winner.

        It is the product's confirmation, in rounds: the same finalists and seeds; what that spends on generation 0 goes
        to the last finalists here.
        """
        rounds = confirmation(self._evaluations).rounds
        finalists = sorted(self._losses, key=lambda key: fmean(self._losses[key]))
        fresh: defaultdict[Hashable, list[float]] = defaultdict(list)
        for each in rounds:
            finalists = finalists[: each.finalists]
            for key in finalists:
                fresh[key] += [self._again(key) for _ in range(each.seeds - len(fresh[key]))]
            finalists.sort(key=lambda key: fmean(fresh[key]))
        for place in range(self.left):
            key = finalists[place % rounds[-1].finalists]
            fresh[key].append(self._again(key))
        return self._configurations[min(finalists, key=lambda key: fmean(fresh[key]))]

    def _again(self, key: Hashable) -> float:
        loss = self.evaluate(self._configurations[key])
        assert loss is not None
        return loss


def confirmation(evaluations: int) -> Plan:
    """Return how the product divides such a budget."""
    return make_plan(configuration(0, evaluations))


def random_search(table: Table, seed: int, evaluations: int) -> Configuration:
    """Draw, and take the lowest single result."""
    chance, trial = random.Random(seed), Trial(table, seed, evaluations)
    while trial.left:
        trial.evaluate(table.draw(chance))
    return trial.best()


def greedy(table: Table, seed: int, evaluations: int) -> Configuration:
    """Change one parameter, and keep it if the result is lower: what one agent does to one file."""
    chance, trial = random.Random(seed), Trial(table, seed, evaluations)
    kept = table.draw(chance)
    lowest = trial.always(kept)
    while trial.left:
        name = chance.choice(list(table.space))
        changed = kept | {name: chance.choice([one for one in table.space[name] if one != kept[name]])}
        loss = trial.evaluate(changed)
        if loss is not None and loss < lowest:
            kept, lowest = changed, loss
    return kept


def tpe(table: Table, seed: int, evaluations: int) -> Configuration:
    """Optuna's TPE with its defaults, one evaluation after the other, then the confirmation of the best."""
    return _by_tpe(table, seed, evaluations, slots=1)


def parallel_tpe(table: Table, seed: int, evaluations: int) -> Configuration:
    """The same with as many evaluations at a time as the product has."""
    return _by_tpe(table, seed, evaluations, slots=SLOTS)


def plain_ga(table: Table, seed: int, evaluations: int) -> Configuration:
    """DEAP's simple genetic algorithm, 16 a generation, and the lowest single result."""
    return _evolved(table, seed, evaluations).best()


def confirmed_ga(table: Table, seed: int, evaluations: int) -> Configuration:
    """The same genetic algorithm with less budget, then the confirmation of the best."""
    trial = _evolved(table, seed, evaluations, reserve=confirmation(evaluations).confirmations)
    return trial.confirmed_best()


METHODS: dict[str, Callable[[Table, int, int], Configuration]] = {
    "random search": random_search,
    "greedy": greedy,
    "plain GA (DEAP)": plain_ga,
    "plain GA, confirmed": confirmed_ga,
    "TPE (Optuna), confirmed": tpe,
    "TPE, 16 at a time, confirmed": parallel_tpe,
}


def _by_tpe(table: Table, seed: int, evaluations: int, slots: int) -> Configuration:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    chance, trial = random.Random(seed), Trial(table, seed, evaluations)
    reserve = confirmation(evaluations).confirmations
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    running: list[tuple[float, int, optuna.Trial, float]] = []
    now = 0.0
    while running or trial.left > reserve:
        while len(running) < slots and trial.left > reserve:
            suggest = study.ask()
            values: dict[str, Any] = {}
            for name, choices in table.space.items():
                values[name] = suggest.suggest_categorical(name, list[Any](choices))
            heapq.heappush(running, (now + training_seconds(chance), suggest.number, suggest, trial.always(values)))
        now, _, suggest, loss = heapq.heappop(running)
        study.tell(suggest, loss)
    return trial.confirmed_best()


def _evolved(table: Table, seed: int, evaluations: int, reserve: int = 0) -> Trial:
    """Run `eaSimple` over the places of choices: tournaments of 3, two-point crossover, uniform mutation."""
    random.seed(seed)  # DEAP draws from the global source of chance
    trial = Trial(table, seed, evaluations)
    sizes = [len(choices) for choices in table.space.values()]
    if not hasattr(creator, "TableIndividual"):
        creator.create("TableFitness", base.Fitness, weights=(-1.0,))
        creator.create("TableIndividual", list, fitness=creator.TableFitness)

    def loss(places: list[int]) -> tuple[float]:
        if trial.left <= reserve:
            return (float("inf"),)
        values = zip(table.space.items(), places, strict=True)
        return (trial.always({name: choices[at] for (name, choices), at in values}),)

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

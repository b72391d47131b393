"""Successive halving: offspring train with a part of the budget first, and those that rank well there get the whole.

Every rung is a training of its own from scratch that knows its shorter budget, never one that is cut off: schedules end
with the budget, and the loss on the way there says little. Only the whole budget gives a fitness.

Promotion is asynchronous successive halving (Li et al., 2020, "A System for Massively Parallel Hyperparameter Tuning"),
with two differences that an evolutionary search needs: a result is compared with the newest of its rung, since a
population moves on, and each is judged once, on arrival, since one that was dropped is as old as its parents. Where
devices are of several classes, results are compared on their own: what a rung gives on another class is not measured.

That a rung ranks as the whole budget does is not assumed but measured: the first individuals, and a tenth of the later
ones, go on whatever they score. Only these say how the ranks agree, for among those that were promoted for their rank
the range is cut and the agreement looks smaller. A rung that agrees too little is left out until they say otherwise.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import correlation

from evo.config.config import FidelityConfig
from evo.store import Outcome, Purpose
from populations.fitness import Fitness
from trainer.errors import counted
from trainer.evaluation import Status
from trainer.objectives import Constraint, Objective

WHOLE = 1.0
"""The part of the budget that gives a fitness."""

_UNJUDGED_SHARE = 0.1
_COMPARED_WITH = 32
"""So many of the newest results of a rung: twice the default population."""


@dataclass(frozen=True, slots=True)
class Switch:
    """A rung was switched off or, later, on again.

    Attributes:
        result_number: of the result that showed it.
        budget_fraction: of the budget, the rung's.
        is_used: whether it is used from then on.
        correlation: Spearman's, of the rung's values with those of the whole budget.
        pairs: individuals that it rests on.
        wanted: the least correlation.
    """

    result_number: int
    budget_fraction: float
    is_used: bool
    correlation: float
    pairs: int
    wanted: float

    def __str__(self) -> str:
        what = "is used again" if self.is_used else "is switched off: offspring skip it"
        return (
            f"The rung of {self.budget_fraction:g} of the budget {what}. Its ranks correlate with those of the whole "
            f"budget by {self.correlation:.2f} (Spearman, {counted(self.pairs, 'individual')}; at least "
            f"{self.wanted:g} is wanted)"
        )


@dataclass(frozen=True, slots=True)
class RungState:
    """What a rung below the whole budget has shown.

    Attributes:
        budget_fraction: of the budget.
        results: trainings on it so far, failures included; `promoted` of them went on.
        correlation: Spearman's with the whole budget; None before two pairs.
        pairs: individuals that it rests on: those that went on whatever they scored.
        is_used: whether offspring train on it now.
    """

    budget_fraction: float
    results: int
    promoted: int
    correlation: float | None
    pairs: int
    is_used: bool

    def __str__(self) -> str:
        agreement = "unknown" if self.correlation is None else f"{self.correlation:.2f}"
        off = "" if self.is_used else "; switched off"
        return (
            f"{counted(self.results, 'result')}, {self.promoted} promoted; rank correlation with the whole budget "
            f"{agreement} (Spearman, {counted(self.pairs, 'individual')}){off}"
        )


class _Rung:
    """The results of one rung."""

    def __init__(self, budget_fraction: float) -> None:
        self.budget_fraction = budget_fraction
        self.results = 0
        self.promoted = 0
        # All by class of devices.
        self.newest: defaultdict[str | None, deque[Fitness]] = defaultdict(lambda: deque(maxlen=_COMPARED_WITH))
        self.pairs: defaultdict[str | None, list[tuple[float, float]]] = defaultdict(list)
        # Class and first objective, by individual, of those that count as pairs.
        self.values: dict[int, tuple[str | None, float]] = {}
        self.correlation: float | None = None

    def pair(self, individual: int, value: float) -> bool:
        """Take in what the whole budget gave an individual; return whether that is a pair."""
        if individual not in self.values:
            return False
        device_class, own = self.values.pop(individual)
        self.pairs[device_class].append((own, value))
        self.correlation = _pooled(self.pairs.values())
        return True

    @property
    def pair_count(self) -> int:
        """How many pairs there are, over all classes."""
        return sum(map(len, self.pairs.values()))


class SuccessiveHalving:
    """Decides on which share of the budget an individual trains next: a function of the results told, in their order.

    Args:
        config: the rungs; without any, every individual trains with the whole budget at once.
        objectives: by which results of a rung are ranked; with several, by how many results dominate one.
        constraints: bounds that rank before the objectives.

    Attributes:
        switches: when rungs were switched off, or on again.
    """

    def __init__(
        self,
        config: FidelityConfig,
        seed: int,
        objectives: Sequence[Objective],
        constraints: Sequence[Constraint] = (),
    ) -> None:
        self._config = config
        self._seed = seed
        self._objectives = tuple(objectives)
        self._constraints = tuple(constraints)
        self._rungs = [_Rung(budget_fraction) for budget_fraction in config.rungs if budget_fraction < WHOLE]
        self._used = {rung.budget_fraction: True for rung in self._rungs}
        self._decided: dict[int, float | None] = {}
        self._unjudged: set[int] = set()
        self.switches: list[Switch] = []

    @property
    def rungs(self) -> list[RungState]:
        """The rungs below the whole budget, the smallest first."""
        return [
            RungState(
                rung.budget_fraction,
                rung.results,
                rung.promoted,
                rung.correlation,
                rung.pair_count,
                self._used[rung.budget_fraction],
            )
            for rung in self._rungs
        ]

    def first(self, individual: int) -> float:
        """Return the share of the budget that a new individual trains with first."""
        return self._next(individual, above=0.0)

    def cost_from(self, budget_fraction: float) -> float:
        """Return the most that an individual costs from a rung on, that one included: evaluations."""
        return sum(rung.budget_fraction for rung in self._rungs if rung.budget_fraction >= budget_fraction) + WHOLE

    def promotion(self, individual: int) -> float | None:
        """Return the share that an individual's newest result earned it, None when that was the end of it."""
        return self._decided.get(individual)

    def tell(self, outcome: Outcome) -> None:
        """Take in a result of the run."""
        if outcome.purpose is Purpose.SCREEN:
            self._judge(outcome)
        elif outcome.purpose is Purpose.SEARCH and outcome.status is Status.OK:
            self._compare(outcome)

    def _judge(self, outcome: Outcome) -> None:
        """Decide whether a result of a rung is good enough to go on with."""
        individual = outcome.individual
        self._decided[individual] = None
        rung = next((rung for rung in self._rungs if rung.budget_fraction == outcome.budget_fraction), None)
        if rung is None:  # the run goes on without it
            self._decided[individual] = WHOLE if outcome.status is Status.OK else None
            return
        rung.results += 1
        if outcome.status is not Status.OK:
            return
        if self._is_calibrating or self._is_drawn(individual):
            self._unjudged.add(individual)
        if individual in self._unjudged:
            rung.values[individual] = (outcome.device_class, self._first_value(outcome))
        fitness = Fitness(self._objectives, constraints=self._constraints)
        fitness.judge(outcome.objectives)
        newest = rung.newest[outcome.device_class]
        newest.append(fitness)
        better = sum(other.dominates(fitness) for other in newest)
        if individual in self._unjudged or better < self._config.promote * len(newest):
            rung.promoted += 1
            self._decided[individual] = self._next(individual, above=rung.budget_fraction)

    def _compare(self, outcome: Outcome) -> None:
        """Hold the rungs' values of an individual against that of the whole budget."""
        value = self._first_value(outcome)
        for rung in self._rungs:
            if rung.pair(outcome.individual, value) and rung.pair_count >= self._config.calibrate:
                measured = rung.correlation or 0.0
                is_used = measured >= self._config.min_correlation
                if is_used != self._used[rung.budget_fraction]:
                    self._used[rung.budget_fraction] = is_used
                    pairs, wanted = rung.pair_count, self._config.min_correlation
                    self.switches.append(
                        Switch(outcome.result_number, rung.budget_fraction, is_used, measured, pairs, wanted)
                    )

    def _next(self, individual: int, above: float) -> float:
        """Return the next share above one: of all rungs for those that are to be compared, of the used for others."""
        takes_all = self._is_calibrating or individual in self._unjudged or self._is_drawn(individual)
        shares = (
            rung.budget_fraction
            for rung in self._rungs
            if rung.budget_fraction > above and (takes_all or self._used[rung.budget_fraction])
        )
        return next(shares, WHOLE)

    @property
    def _is_calibrating(self) -> bool:
        return any(rung.pair_count < self._config.calibrate for rung in self._rungs)

    def _is_drawn(self, individual: int) -> bool:
        """Whether an individual is one of those that always go on."""
        chance = random.Random(f"{self._seed}:{individual}:fidelity")  # noqa: S311 - no secret depends on it
        return chance.random() < _UNJUDGED_SHARE

    def _first_value(self, outcome: Outcome) -> float:
        return outcome.objectives[self._objectives[0].name]


def _pooled(classes: Iterable[Sequence[tuple[float, float]]]) -> float | None:
    """Return the mean of the rank correlations within classes by their degrees of freedom; None before two pairs."""
    told = [pairs for pairs in classes if len(pairs) > 1]
    if len(told) == 1:
        return spearman(told[0])
    degrees = sum(len(pairs) - 1 for pairs in told)
    return sum((len(pairs) - 1) * spearman(pairs) for pairs in told) / degrees if degrees else None


def spearman(pairs: Sequence[tuple[float, float]]) -> float:
    """Return Spearman's rank correlation, ties at their mean rank; 0.0 where one side is all ties.

    Args:
        pairs: two at least.
    """
    one, other = (_ranks([pair[side] for pair in pairs]) for side in (0, 1))
    if len(set(one)) == 1 or len(set(other)) == 1:
        return 0.0
    return correlation(one, other)


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [(bisect_left(ordered, value) + bisect_right(ordered, value)) / 2 for value in values]

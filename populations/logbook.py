"""The logbook: one row of statistics for every generation, on DEAP's Logbook and Statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from deap import tools

from populations.individual import Individual
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective

Row: TypeAlias = dict[str, int | float]

_HEADER = ("generation", "evaluations", "failed", "best", "mean", "std", "min", "median", "max", "front")
_FAILURES = [status.value for status in Status if status is not Status.OK]


class Logbook:
    """Counts evaluations and closes a row whenever `generation_size` of them are complete.

    A row holds: `generation` (from 1), `evaluations` (complete ones so far), `failed` and each failure's `Status` by
    name (in this generation), `front` (individuals on it), and, once the population has somebody, `best`, `mean`,
    `std`, `min`, `median` and `max` of the first objective in the population, in its unit.

    LOST evaluations are counted, but complete nothing: they run again.

    Args:
        generation_size: completed evaluations a generation, usually the size of the population.
        objective: what the statistics are about.
    """

    def __init__(self, generation_size: int, objective: Objective) -> None:
        self._generation_size = generation_size
        # Not a subclass: DEAP's Logbook.pop calls super(self.__class__, …), which never returns in one.
        self._book = tools.Logbook()
        self._book.header = list(_HEADER)
        self._statistics = _statistics_of(objective)
        self._statuses: Counter[str] = Counter()

    def record(self, status: Status, population: Sequence[Individual], front_size: int) -> Row | None:
        """Count one evaluation; return the generation's row when this one completed it.

        Args:
            status: how the evaluation ended.
            population: the survivors after it, all measured.
            front_size: individuals on the Pareto front after it.
        """
        self._statuses[status.value] += 1
        if self._complete() < self._generation_size:
            return None
        row = self._row(population, front_size)
        self._book.record(**row)
        self._statuses.clear()
        return row

    @property
    def rows(self) -> list[Row]:
        """A row for every complete generation, oldest first."""
        return list(self._book)

    @property
    def stream(self) -> str:
        """The rows that were not streamed before, as aligned text; the first time with a header."""
        return str(self._book.stream) if self._book else ""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `restore` takes back."""
        return {"rows": self.rows, "open": dict(self._statuses)}

    def restore(self, data: dict[str, Any]) -> None:
        """Replace everything by the output of `to_json`; restored rows count as streamed."""
        self._book.clear()
        self._book.extend(dict(row) for row in data["rows"])
        self._book.buffindex = len(self._book)
        self._statuses = Counter(data["open"])

    def _complete(self) -> int:
        return self._statuses.total() - self._statuses[Status.LOST.value]

    def _row(self, population: Sequence[Individual], front_size: int) -> Row:
        failures = {name: self._statuses[name] for name in _FAILURES}
        generation = len(self._book) + 1
        return {
            "generation": generation,
            "evaluations": generation * self._generation_size,
            "failed": sum(failures.values()),
            **failures,
            "front": front_size,
            **(
                {name: float(value) for name, value in self._statistics.compile(population).items()}
                if population
                else {}
            ),
        }


def _statistics_of(objective: Objective) -> tools.Statistics:
    """Return DEAP statistics of the first fitness value of a population."""
    statistics = tools.Statistics(key=_first_value)
    statistics.register("best", np.min if objective.direction is Direction.MINIMIZE else np.max)
    for name in ("mean", "std", "min", "median", "max"):
        statistics.register(name, getattr(np, name))
    return statistics


def _first_value(individual: Individual) -> float:
    return individual.fitness.values[0]

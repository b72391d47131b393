"""An individual: a genome, where it came from, and what was measured of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from types import MappingProxyType

from populations.fitness import Fitness
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True, eq=False)
class Individual:
    """One genome of a run. Two individuals are the same when their ids are; only the measurements ever change.

    Attributes:
        id: the number of the proposal it came from; 0 is generation 0. A lower id is an older individual.
        source: the whole genome file.
        parents: ids; none for generation 0, two after a crossover.
        operator: name of the operator that made it.
        idea: what was changed and why, in the operator's words.
        fitness: means of the objectives that selection looks at; not valid before the first OK evaluation.
    """

    id: int
    source: str = field(repr=False)
    parents: tuple[int, ...]
    operator: str
    idea: str
    fitness: Fitness
    _evaluations: list[tuple[int, Mapping[str, float]]] = field(default_factory=list, init=False, repr=False)
    _means: dict[str, float] = field(default_factory=dict, init=False, repr=False)

    def __eq__(self, other: object) -> bool:
        return self.id == other.id if isinstance(other, Individual) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.id)

    def tell(self, seed: int, objectives: Mapping[str, float]) -> None:
        """Add the objectives of one OK evaluation and set the fitness to the new means.

        A seed may be told again: a repeated measurement of the same training is a replicate like any other.

        Raises:
            ValueError: an objective of the fitness is missing or a value is not finite; nothing is changed then.
        """
        missing = [objective.name for objective in self.fitness.objectives if objective.name not in objectives]
        if missing:
            raise ValueError(f"individual {self.id} expected {', '.join(missing)} among {', '.join(objectives)}")
        if not all(math.isfinite(value) for value in objectives.values()):
            raise ValueError(f"objectives of individual {self.id} must be finite, but they were {dict(objectives)}")
        self._evaluations.append((seed, MappingProxyType(dict(objectives))))
        # Once a result, not once a comparison: generation 0 collects hundreds of evaluations and is compared with all.
        for name in objectives:
            self._means[name] = fmean(measured[name] for _, measured in self._evaluations if name in measured)
        self.fitness.judge(self._means)

    @property
    def evaluations(self) -> tuple[tuple[int, Mapping[str, float]], ...]:
        """Seed and objectives of every OK evaluation, in the order they were told."""
        return tuple(self._evaluations)

    @property
    def replicates(self) -> int:
        """How many OK evaluations the means rest on."""
        return len(self._evaluations)

    def means(self) -> dict[str, float]:
        """Return the mean of each objective over the evaluations that measured it; independent of their order."""
        return dict(self._means)

    def fitness_over(self, objectives: Sequence[Objective]) -> Fitness:
        """Return the current means of any measured objectives as a fitness of their own.

        Raises:
            ValueError: one of the objectives was never measured.
        """
        missing = [objective.name for objective in objectives if objective.name not in self._means]
        if missing:
            measured = ", ".join(self._means) or "nothing"
            raise ValueError(f"individual {self.id} has no {', '.join(missing)}: measured was {measured}")
        fitness = Fitness(objectives, constraints=self.fitness.constraints)
        fitness.judge(self._means)
        return fitness


def require_measured(individuals: Sequence[Individual]) -> None:
    """Raise ValueError when one of the individuals has no OK evaluation: failures never enter a population."""
    for individual in individuals:
        if not individual.fitness.valid:
            raise ValueError(
                f"individual {individual.id} has no OK evaluation, so it has no fitness to compare; "
                "leave failed individuals out"
            )

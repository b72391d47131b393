"""Fitness on DEAP's terms, without classes made at run time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deap import base

from trainer.objectives import Constraint, Objective


class Fitness(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """The values of some objectives, compared and dominating by DEAP's rules.

    `>` means better: lexicographic over the objectives, each by its own direction. A fitness is not `valid` until
    values are set, and only finite numbers can be set. DEAP keeps the weights on the class; here every fitness takes
    them from its objectives, so that several choices of objectives live side by side.

    An individual that breaks constraints is worse than all that break them less, whatever the values (Deb, 2000).
    DEAP's own `ConstrainedFitness` treats all violations as equal, so that selection could not reduce them.

    Args:
        objectives: at least one; the first decides comparisons, the others break ties.
        values: one an objective and in its unit; none leaves the fitness invalid.
        constraints: bounds on what is measured, be it an objective or not.

    Attributes:
        weights: -1.0 where the objective is minimised, +1.0 where it is maximised.
        wvalues: values times weights, so that larger is better; empty while invalid.
        violation: how far the constraints are broken, relative to their bounds; 0.0 when feasible.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...]
    violation: float
    weights: tuple[float, ...]
    wvalues: tuple[float, ...]

    def __init__(
        self,
        objectives: Sequence[Objective],
        values: Sequence[float] = (),
        constraints: Sequence[Constraint] = (),
    ) -> None:
        """Raise ValueError without objectives, or where `values` does not fit them."""
        if not objectives:
            raise ValueError("a fitness needs at least one objective, but none was given")
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.violation = 0.0
        self.weights = tuple(objective.weight for objective in objectives)
        super().__init__(values)

    @property
    def values(self) -> tuple[float, ...]:
        """One value an objective, in the objective's unit; empty while invalid.

        Raises:
            ValueError: on setting another number of values than there are objectives, or one that is not finite.
        """
        values: tuple[float, ...] = self.getValues()
        return values

    @values.setter
    def values(self, values: Sequence[float]) -> None:
        names = ", ".join(objective.name for objective in self.objectives)
        if len(values) != len(self.objectives):
            raise ValueError(f"expected one value for each of {names}, but got {len(values)}: {tuple(values)}")
        if not all(math.isfinite(value) for value in values):
            raise ValueError(f"{names} must be finite, but got {tuple(values)}; a failed evaluation sets no fitness")
        self.setValues(values)

    @values.deleter
    def values(self) -> None:
        self.delValues()

    def judge(self, measured: Mapping[str, float]) -> None:
        """Set values and violation from everything that was measured, by name.

        Raises:
            ValueError: an objective is missing or not finite.
        """
        self.values = [measured[objective.name] for objective in self.objectives]
        self.violation = sum(constraint.violation(measured) for constraint in self.constraints)

    @property
    def feasible(self) -> bool:
        """Whether all constraints are kept."""
        return self.violation == 0.0

    def dominates(self, other: Fitness, obj: slice = slice(None)) -> bool:
        """Return whether this one is better by its violation or, where those are equal, dominates by its values."""
        if self.violation != other.violation:
            return self.violation < other.violation
        dominates: bool = super().dominates(other, obj)
        return dominates

    @property
    def _key(self) -> tuple[float, tuple[float, ...]]:
        return (-self.violation, self.wvalues)

    # DEAP defines the other comparisons by these three.
    def __le__(self, other: Fitness) -> bool:
        return self._key <= other._key

    def __lt__(self, other: Fitness) -> bool:
        return self._key < other._key

    def __eq__(self, other: object) -> bool:
        return self._key == other._key if isinstance(other, Fitness) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key)

    def __deepcopy__(self, memo: dict[int, Any]) -> Fitness:
        # DEAP's own version calls the class without arguments and forgets the weights.
        twin = Fitness(self.objectives, constraints=self.constraints)
        twin.wvalues, twin.violation = self.wvalues, self.violation
        return twin

    def __repr__(self) -> str:
        shown = zip(self.objectives, self.values, strict=True) if self.valid else ()
        return f"Fitness({', '.join(f'{objective.name}={value!r}' for objective, value in shown)})"

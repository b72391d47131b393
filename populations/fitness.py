"""Fitness on DEAP's terms, without classes made at run time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from deap import base

from trainer.objectives import Objective


class Fitness(base.Fitness):  # type: ignore[misc]  # DEAP has no types
    """The values of some objectives, compared and dominating by DEAP's rules.

    `>` means better: lexicographic over the objectives, each by its own direction. A fitness is not `valid` until
    values are set, and only finite numbers can be set. DEAP keeps the weights on the class; here every fitness takes
    them from its objectives, so that several choices of objectives live side by side.

    Args:
        objectives: at least one; the first decides comparisons, the others break ties.
        values: one a objective and in its unit; none leaves the fitness invalid.

    Attributes:
        weights: -1.0 where the objective is minimised, +1.0 where it is maximised.
        wvalues: values times weights, so that larger is better; empty while invalid.
    """

    objectives: tuple[Objective, ...]
    weights: tuple[float, ...]
    wvalues: tuple[float, ...]

    def __init__(self, objectives: Sequence[Objective], values: Sequence[float] = ()) -> None:
        """Raise ValueError without objectives, or where `values` does not fit them."""
        if not objectives:
            raise ValueError("a fitness needs at least one objective, but none was given")
        self.objectives = tuple(objectives)
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

    def __deepcopy__(self, memo: dict[int, Any]) -> Fitness:
        # DEAP's own version calls the class without arguments and forgets the weights.
        twin = Fitness(self.objectives)
        twin.wvalues = self.wvalues
        return twin

    def __repr__(self) -> str:
        shown = zip(self.objectives, self.values, strict=True) if self.valid else ()
        return f"Fitness({', '.join(f'{objective.name}={value!r}' for objective, value in shown)})"

"""Which operator makes the next offspring."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from operators.proposal import Connected, Operator
from trainer.errors import ConfigError


class OperatorChoice:
    """A weighted draw among operators.

    Args:
        weighted: operators with their weights, positive finite numbers on any scale.

    Raises:
        ConfigError: a weight is not positive, or no operator could vary the single individual a run begins with.
    """

    def __init__(self, weighted: Sequence[tuple[Operator, float]]) -> None:
        for operator, weight in weighted:
            if not (math.isfinite(weight) and weight > 0):
                raise ConfigError(
                    f"The weight of operator {operator.name} must be a positive number, but it was {weight}."
                )
        if not any(operator.arity == 1 for operator, _ in weighted):
            names = ", ".join(operator.name for operator, _ in weighted) or "none"
            raise ConfigError(
                f"A run begins with one individual, so at least one operator must work on a single parent, but the "
                f"operators were: {names}. Add a mutation, such as random."
            )
        self._weighted = tuple(weighted)

    def pick(self, rng: random.Random, available_parents: int) -> Operator:
        """Draw an operator that needs no more than `available_parents` (at least 1) different parents."""
        fitting = [(operator, weight) for operator, weight in self._weighted if operator.arity <= available_parents]
        operators, weights = zip(*fitting, strict=True)
        chosen: Operator = rng.choices(operators, weights)[0]
        return chosen

    async def close(self) -> None:
        """Close the connections that operators hold."""
        for operator, _ in self._weighted:
            if isinstance(operator, Connected):
                await operator.close()

    def named(self, name: str) -> Operator:
        """Return the operator of this name.

        Raises:
            ConfigError: there is none among the operators of this run.
        """
        for operator, _ in self._weighted:
            if operator.name == name:
                return operator
        names = ", ".join(operator.name for operator, _ in self._weighted)
        raise ConfigError(f"A proposal under way needs the operator {name}, but the operators are: {names}.")

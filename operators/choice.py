"""Which operator makes the next offspring: by fixed weights, or by what each has brought for its cost."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeGuard

from operators.proposal import Connected, Operator, Teacher
from trainer.errors import ConfigError

_FORGETTING = 0.98
"""What a result still counts for after the next one of the same operator: about the last fifty speak."""
_FLOOR_SHARE = 0.3
"""Of the draws, by the configured weights alone: an operator that brings nothing now may bring something later."""

_AS_CONFIGURED: Mapping[str, float] = MappingProxyType({})


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
        self._connected = [operator for operator, _ in weighted if isinstance(operator, Connected)]

    def pick(
        self,
        rng: random.Random,
        available_parents: int,
        weights: Mapping[str, float] = _AS_CONFIGURED,
        *,
        is_local: bool = False,
    ) -> Operator:
        """Draw an operator that needs no more than `available_parents` (at least 1) different parents.

        Args:
            rng: the source of chance.
            available_parents: different ones.
            weights: in place of the configured ones, by the names that the configuration uses.
            is_local: whether only operators without a service are drawn; there must be some (`has_local`).
        """
        operators, chances = zip(*self._fitting(available_parents, weights, is_local=is_local), strict=True)
        chosen: Operator = rng.choices(operators, self._chances(rng, operators, chances))[0]
        return chosen

    def _chances(self, rng: random.Random, operators: Sequence[Operator], weights: Sequence[float]) -> Sequence[float]:  # noqa: ARG002
        """Return how likely each operator is drawn, relative to the others."""
        return weights

    def tell(self, name: str, *, improved: bool, cost: float) -> None:
        """Take in what came of an offspring of the operator called `name`: nothing changes by it here."""

    async def close(self) -> None:
        """Close the connections that operators hold."""
        for operator in self._connected:
            await operator.close()

    @property
    def is_away(self) -> bool:
        """Whether no service of an operator can be used; False without such operators."""
        connected = self._connected
        return bool(connected) and all(operator.is_away for operator in connected)

    @property
    def most_calls(self) -> float:
        """How many proposals at a time the services can take."""
        return min((operator.most_calls for operator in self._connected), default=math.inf)

    @property
    def teacher(self) -> Teacher | None:
        """The first operator that can say what a run has taught; None without any."""
        return next((operator for operator, _ in self._weighted if isinstance(operator, Teacher)), None)

    @property
    def has_local(self) -> bool:
        """Whether an operator without a service can vary a single individual."""
        return any(operator.arity == 1 and not self.is_connected(operator) for operator, _ in self._weighted)

    def is_connected(self, operator: Operator) -> TypeGuard[Connected]:
        """Return whether a service stands behind an operator of this run."""
        return any(operator is one for one in self._connected)

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

    def is_drawn(self, name: str, weights: Mapping[str, float] = _AS_CONFIGURED) -> bool:
        """Return whether an operator of this name is among those of the run, and not switched off by `weights`."""
        return any(one.name == name and weights.get(_family(one), 1.0) > 0 for one, _ in self._weighted)

    def _fitting(
        self, available_parents: int, weights: Mapping[str, float], *, is_local: bool
    ) -> list[tuple[Operator, float]]:
        """Return the operators that have parents enough, with their weights; none of them may have weight 0 alone."""
        fitting = [
            (one, weight)
            for one, weight in self._weighted
            if one.arity <= available_parents and not (is_local and self.is_connected(one))
        ]
        if not weights:
            return fitting
        # Of several operators under one name, such as the styles of a prompt, each has a part of its weight.
        totals: dict[str, float] = {}
        for one, weight in self._weighted:
            totals[_family(one)] = totals.get(_family(one), 0.0) + weight
        changed = [
            (one, weights.get(_family(one), totals[_family(one)]) * weight / totals[_family(one)])
            for one, weight in fitting
        ]
        drawn = [(one, weight) for one, weight in changed if weight > 0]
        # Early in a run only one parent exists; if all that could vary it alone is switched off, they do it until then.
        return drawn or fitting


def _family(operator: Operator) -> str:
    """Return the name under which the configuration knows an operator."""
    return operator.name.partition(":")[0]


@dataclass(slots=True)
class Arm:
    """What is known of one operator.

    Attributes:
        tries: results, older ones counting less.
        improvements: those that improved on their best parent beyond noise.
        cost: mean cost of a result.
    """

    tries: float = 0.0
    improvements: float = 0.0
    cost: float = 0.0

    def tell(self, *, improved: bool, cost: float) -> None:
        """Take in one result."""
        self.tries = self.tries * _FORGETTING + 1.0
        self.improvements = self.improvements * _FORGETTING + improved
        self.cost += (cost - self.cost) / self.tries


class AdaptiveChoice(OperatorChoice):
    """A bandit over operators, with a floor: weights times improvements per cost, as Thompson sampling estimates them.

    Rates are drawn from what is known of them (Thompson, 1933). Operators are drawn in proportion to weight and rate,
    not the highest alone: where no operator improves any more, as late in a search, the weights decide, not chance.

    Its state is a function of the results in their order, and its draws are those of the generator that it is given: a
    resumed run that tells it the same results goes on alike.

    Attributes:
        arms: by the operator's name.
    """

    def __init__(self, weighted: Sequence[tuple[Operator, float]]) -> None:
        super().__init__(weighted)
        self.arms = {operator.name: Arm() for operator, _ in weighted}

    def _chances(self, rng: random.Random, operators: Sequence[Operator], weights: Sequence[float]) -> Sequence[float]:
        """Return the weights alone in the floor's share of the cases, else the weights times sampled rates per cost."""
        if rng.random() < _FLOOR_SHARE:
            return weights
        costs = [arm.cost for arm in self.arms.values() if arm.cost > 0]
        typical = sum(costs) / len(costs) if costs else 1.0

        def sampled(operator: Operator) -> float:
            arm = self.arms[operator.name]
            rate = rng.betavariate(1.0 + arm.improvements, 1.0 + max(0.0, arm.tries - arm.improvements))
            return rate / (arm.cost or typical)

        return [weight * sampled(operator) for operator, weight in zip(operators, weights, strict=True)]

    def tell(self, name: str, *, improved: bool, cost: float) -> None:
        """Take in what came of an offspring; of an operator that the run goes on without, nothing is learnt."""
        if name in self.arms:
            self.arms[name].tell(improved=improved, cost=cost)

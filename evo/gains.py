"""What was confirmed where selection did not look: gains over generation 0, and a front.

Noise is the spread of generation 0 there: it ran with the same seeds as everybody else who was confirmed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from populations.dominance import dominates
from populations.fitness import Fitness
from trainer.objectives import Constraint, Objective

Fresh = Mapping[int, Mapping[int, Mapping[str, float]]]
"""Objectives that were measured where selection did not look, by individual and seed."""


@dataclass(frozen=True, slots=True)
class Gain:
    """The improvement of an individual over generation 0 where selection did not look, on seeds that both ran with.

    Attributes:
        value: mean paired difference in the unit of the first objective; positive is better.
        own: mean of the individual on these seeds.
        generation_zero: mean of generation 0 on these seeds.
        noise: standard error of `value`, from the spread of generation 0's replicates.
        seeds: how many pairs it rests on.
    """

    individual: int
    value: float
    own: float
    generation_zero: float
    noise: float
    seeds: int

    @property
    def is_real(self) -> bool:
        """Whether the gain exceeds two standard errors; less counts as a tie."""
        return self.value > 2 * self.noise


@dataclass(frozen=True, slots=True)
class ConfirmedMember:
    """A member of a front as it was measured again where selection did not look.

    Attributes:
        means: over its fresh evaluations, by objective.
        errors: standard error of each mean, from the spread of generation 0's replicates.
        seeds: how many evaluations the means rest on.
        holds: whether the means keep the constraints and nobody else who was confirmed, generation 0 included,
            dominates them beyond noise.
    """

    individual: int
    means: Mapping[str, float]
    errors: Mapping[str, float]
    seeds: int
    holds: bool


@dataclass(frozen=True, slots=True)
class _Means:
    fitness: Fitness
    replicates: int


def paired_gains(fresh: Fresh, objective: Objective) -> list[Gain]:
    """Return the gain of everybody but generation 0, best first; nobody's before generation 0 ran twice."""
    name, sign = objective.name, objective.weight
    reference = fresh.get(0, {})
    if len(reference) < 2 or len(fresh) == 1:
        return []
    sigma = stdev(measured[name] for measured in reference.values())
    gains = []
    for individual, own in fresh.items():
        pairs = [(own[seed][name], reference[seed][name]) for seed in sorted(reference.keys() & own.keys())]
        if individual and pairs:
            differences = [sign * (mine - base) for mine, base in pairs]
            mine, base = (fmean(side) for side in zip(*pairs, strict=True))
            # Both sides of each pair carry the noise of one evaluation.
            noise = sigma * math.sqrt(2 / len(pairs))
            gains.append(Gain(individual, fmean(differences), mine, base, noise, len(pairs)))
    return sorted(gains, key=lambda gain: (-gain.value, gain.individual))


def confirmed_members(
    fresh: Fresh, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> list[ConfirmedMember]:
    """Return everybody but generation 0, best in the first objective first; nobody before generation 0 ran twice."""
    reference = fresh.get(0, {})
    if len(reference) < 2:
        return []
    noise = {one.name: stdev(measured[one.name] for measured in reference.values()) for one in objectives}
    means = {individual: _means(own, objectives, constraints) for individual, own in fresh.items()}
    members = [
        ConfirmedMember(
            individual,
            means={one.name: value for one, value in zip(objectives, own.fitness.values, strict=True)},
            errors={name: sigma / math.sqrt(own.replicates) for name, sigma in noise.items()},
            seeds=own.replicates,
            holds=own.fitness.feasible and not any(dominates(other, own, noise) for other in means.values()),
        )
        for individual, own in means.items()
        if individual
    ]
    # Of equals the older comes first.
    members.sort(key=lambda member: member.individual)
    return sorted(members, key=lambda member: means[member.individual].fitness, reverse=True)


def _means(
    own: Mapping[int, Mapping[str, float]], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> _Means:
    names = dict.fromkeys(name for measured in own.values() for name in measured)
    fitness = Fitness(objectives, constraints=constraints)
    fitness.judge({name: fmean(measured[name] for measured in own.values() if name in measured) for name in names})
    return _Means(fitness, len(own))

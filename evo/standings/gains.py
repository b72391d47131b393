"""What was confirmed where selection did not look: gains over generation 0, and a front.

Generation 0 ran with the same seeds as every other confirmed individual, so differences are paired.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from evo.standings.paired_noise import PairedNoise
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
        noise: standard error of `value`.
        margin: half the width of the 95% interval around `value`: more standard errors than two where `noise` itself
            rests on few evaluations.
        seeds: how many pairs it rests on.
        is_behind: whether these are half as many as another's or fewer: it was eliminated in the race (`plan`), and
            cannot win, however well its few seeds scored.
        is_exact: whether there is no noise, by the task's own word (`task.noise`), and so no interval.
    """

    individual: int
    value: float
    own: float
    generation_zero: float
    noise: float
    margin: float
    seeds: int
    is_behind: bool
    is_exact: bool = False

    @classmethod
    def exact(cls, individual: int, own: float, generation_zero: float, objective: Objective) -> Gain:
        """Return the gain of an individual where every evaluation of a program gives the same."""
        value = objective.weight * (own - generation_zero)
        return cls(individual, value, own, generation_zero, 0.0, 0.0, 1, is_behind=False, is_exact=True)

    @property
    def is_real(self) -> bool:
        """Whether the 95% interval of the gain lies above zero; else it counts as a tie."""
        return self.value > self.margin

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the gain."""
        return self.value - self.margin, self.value + self.margin

    @property
    def margin_of_mean(self) -> float:
        """Half the width of the 95% interval around either mean, which carries half the variance of the difference."""
        return self.margin / math.sqrt(2)


@dataclass(frozen=True, slots=True)
class ConfirmedMember:
    """A member of a front as it was measured again where selection did not look.

    Attributes:
        means: over its fresh evaluations, by objective.
        errors: standard error of each mean, from the spread of generation 0's replicates.
        seeds: how many evaluations the means rest on.
        holds: whether the means keep the constraints and no other confirmed individual, generation 0 included,
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
    """Return the gain of every individual but generation 0; none before generation 0 ran twice.

    None either where no seed gave another value than any other: then nothing was replicated, whatever ran again.

    The best comes first, those eliminated in the race last. They rank by their own means: gains of individuals
    that ran with different seeds carry the noise of generation 0 with them, which says nothing about either.
    """
    name, sign = objective.name, objective.weight
    reference = fresh.get(0, {})
    if len(reference) < 2 or len(fresh) == 1:
        return []
    values = {individual: _on_seeds(own, reference, name) for individual, own in fresh.items()}
    if all(len({*own.values()}) <= 1 for own in values.values()):
        return []
    spread = _spread(values)
    most = max(len(own) for individual, own in values.items() if individual)
    gains = []
    for individual, own in values.items():
        if individual and own:
            differences = [sign * (mine - values[0][seed]) for seed, mine in own.items()]
            base = fmean(values[0][seed] for seed in own)
            varies = spread.of_pairs(differences)
            # A program that ignores its seed was drawn once, however often it ran.
            draws = min(
                len(of) if len({*of.values()}) > 1 else 1 for of in (own, {seed: values[0][seed] for seed in own})
            )
            noise = varies.sigma / math.sqrt(draws)
            margin = varies.quantile * noise
            gains.append(
                Gain(
                    individual,
                    value=fmean(differences),
                    own=fmean(own.values()),
                    generation_zero=base,
                    noise=noise,
                    margin=margin,
                    seeds=len(own),
                    is_behind=2 * len(own) <= most,
                )
            )
    return sorted(gains, key=lambda gain: (gain.is_behind, -sign * gain.own, gain.individual))


def confirmed_members(
    fresh: Fresh, objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> list[ConfirmedMember]:
    """Return all but generation 0, best in the first objective first; none before generation 0 ran twice."""
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


def _on_seeds(
    own: Mapping[int, Mapping[str, float]], reference: Mapping[int, Mapping[str, float]], name: str
) -> dict[int, float]:
    return {seed: own[seed][name] for seed in sorted(reference.keys() & own.keys())}


def _spread(values: Mapping[int, Mapping[int, float]]) -> PairedNoise:
    """Return how much a difference varies, by the most that can tell: some individuals and the seeds all of them had.

    The survivors of a race are few with many seeds, all finalists are more with fewer; or generation 0 alone, if it ran
    with more seeds still.
    """
    others = [own for individual, own in values.items() if individual and own]
    spreads = [PairedNoise.of_replicates([*values[0].values()])]
    for count in sorted({len(own) for own in others}):
        rows = [own for own in others if len(own) >= count]
        seeds = sorted(set.intersection(*(set(own) for own in rows)))
        spreads.append(PairedNoise.between([[own[seed] for seed in seeds] for own in (values[0], *rows)]))
    return max(reversed(spreads), key=lambda one: one.degrees)


def _means(
    own: Mapping[int, Mapping[str, float]], objectives: Sequence[Objective], constraints: Sequence[Constraint]
) -> _Means:
    names = dict.fromkeys(name for measured in own.values() for name in measured)
    fitness = Fitness(objectives, constraints=constraints)
    fitness.judge({name: fmean(measured[name] for measured in own.values() if name in measured) for name in names})
    return _Means(fitness, len(own))

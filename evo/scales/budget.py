"""How the seconds of a ladder are divided among its scales: by what each has brought at the largest one.

The total is spent in rounds. In the first one all scales get the same. After it a scale gets by its credit: by how much
its searches have raised the best gain known at the largest scale, per second that they took, times how far its ranks
agree with those there. What was long ago counts less: each round half as much as the one after it. Every scale keeps a
floor, so that one that brought nothing yet can still do so. While no scale has any credit, they get by agreement alone.

What a scale cannot spend on whole generations goes to the next larger one. No chance and no language model takes part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_FADING = 0.5
"""What a round counts beside the one after it."""


@dataclass(frozen=True, slots=True)
class Spell:
    """What the search at one scale did in one round.

    Attributes:
        seconds: that it took, those of its comparisons included.
        raised: by how much it raised the best gain that is known at the largest scale; 0 or more.
    """

    seconds: float
    raised: float


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a scale.

    Attributes:
        spells: one a round, oldest first.
        transfer: 0 to 1: how far its ranks agree with those of the largest scale.
    """

    spells: Sequence[Spell]
    transfer: float

    @property
    def credit(self) -> float:
        """What a second at this scale brings at the largest, in the objective's unit."""
        ages = range(len(self.spells) - 1, -1, -1)
        seconds = math.fsum(_FADING**age * one.seconds for age, one in zip(ages, self.spells, strict=True))
        raised = math.fsum(_FADING**age * one.raised for age, one in zip(ages, self.spells, strict=True))
        return self.transfer * raised / seconds if seconds else 0.0


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest that a search can spend.

    Attributes:
        evaluations: of one generation.
        seconds: of one evaluation.
    """

    evaluations: int
    seconds: float

    @property
    def generation_seconds(self) -> float:
        """Seconds of one generation."""
        return self.evaluations * self.seconds


def shares(accounts: Sequence[Account], floor: float) -> list[float]:
    """Return the share of a round that each scale gets; they sum to 1.

    Args:
        accounts: from small to large.
        floor: what each gets in any case.
    """
    credits_ = [one.credit for one in accounts]
    weights = credits_ if any(credits_) else [one.transfer for one in accounts]
    total = math.fsum(weights)
    return [floor + (1 - floor * len(accounts)) * weight / total for weight in weights]


def round_count(total_seconds: float, most: int, units: Sequence[Unit], reserve_seconds: float) -> int:
    """Return in how many rounds a total is spent: as many as let each scale begin with a generation; 0 for none.

    `reserve_seconds` are what the comparisons of the first round take.
    """
    least = first_round_seconds(units, reserve_seconds)
    return min(most, math.floor(total_seconds / least))


def first_round_seconds(units: Sequence[Unit], reserve_seconds: float) -> float:
    """Return the seconds without which a first round does not reach all scales."""
    return len(units) * max(one.generation_seconds for one in units) + reserve_seconds


def largest_alone(units: Sequence[Unit]) -> list[float]:
    """Return the shares of a round that the largest scale has for itself."""
    return [0.0] * (len(units) - 1) + [1.0]


def allotted(seconds: float, parts: Sequence[float], units: Sequence[Unit]) -> list[int]:
    """Return the evaluations of each scale in a round: whole generations; what is left goes to the next larger one."""
    evaluations, carried = [], 0.0
    for part, unit in zip(parts, units, strict=True):
        carried += part * max(0.0, seconds)
        generations = math.floor(carried / unit.generation_seconds + 1e-9)
        carried -= generations * unit.generation_seconds
        evaluations.append(generations * unit.evaluations)
    return evaluations

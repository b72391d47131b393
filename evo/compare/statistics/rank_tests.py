"""Which differences between arms are more than chance: rank tests, corrected for how many there are.

Where runs of one repeat share their seed, the differences within repeats are tested by Wilcoxon's signed ranks (1945);
differences of zero are ranked and then count for neither side (Pratt 1959). Other designs are tested by Mann and
Whitney's rank sums (1947). Every arm is compared with the first, and these comparisons are one family, whose error rate
Holm's procedure (1979) keeps. p values are two-sided and exact, from all that signs or arms could have been, wherever
that can be counted; `Source` says where it could not.

Differences are gains throughout: positive is better, whichever the direction of the objective.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd

from evo.compare.statistics.results import Results

ALPHA = 0.05
"""The rate at which a family without any true difference may have one claimed."""

WAYS = 2**16
"""How many assignments of signs or arms are gone through where values tie, or drawn where there are more."""
_MOST_SIGNED, _MOST_SUMMED = 50, 100
"""Differences, and runs of both arms, up to which the distribution of ranks without ties is counted out."""
_SAME = 1e-12
"""Of the largest value: differences below this come from the order of sums."""


class Claim(StrEnum):
    """What a comparison allows to say of an arm beside the first."""

    BETTER = "better"
    WORSE = "worse"
    OPEN = "not decided"
    TOO_FEW = "too few runs"


class Source(StrEnum):
    """What a p value comes from."""

    EXACT = "exact"
    DRAWN = "drawn"  # from so many random assignments, since values tie and there are too many to go through
    NORMAL = "normal approximation"


@dataclass(frozen=True)
class Comparison:
    """An arm beside the first one.

    Attributes:
        ours: outcomes of the arm, negated where the objective is minimised, so that higher is better; shape (runs,).
        theirs: those of the first arm; where paired, in the same order of repeats.
        tendency: which way the ranks point: positive where the arm is better.
        p: two-sided; 1.0 without a pair or a run.
        source: of p.
        smallest_p: the least that so many runs can reach, whatever their outcomes.
        holm_p: `p` adjusted for the family.
        family: comparisons in it.
    """

    arm: str
    reference: str
    paired: bool
    ours: np.ndarray
    theirs: np.ndarray
    tendency: float
    p: float
    source: Source
    smallest_p: float
    holm_p: float
    family: int

    @property
    def differences(self) -> np.ndarray:
        """Gains within repeats, shape (pairs,); where paired."""
        return _differences(self.ours, self.theirs)

    @property
    def verdict(self) -> Claim:
        """What may be claimed at `ALPHA`."""
        if self.holm_p <= ALPHA:
            return Claim.BETTER if self.tendency > 0 else Claim.WORSE
        return Claim.TOO_FEW if self.smallest_p > self.strictest else Claim.OPEN

    @property
    def strictest(self) -> float:
        """What the smallest p of the family must not exceed."""
        return ALPHA / self.family


def outcomes(results: Results) -> pd.DataFrame:
    """Return the outcome of every run that has one, shape (repeats, arms); NaN elsewhere.

    A failed run has one, that of generation 0; an unfinished run has none, whatever it has measured so far.
    """
    runs = results.runs
    known = runs[(runs["state"] != "unfinished") & np.isfinite(runs["outcome"].astype(float))]
    table = known.pivot_table(index="repeat", columns="arm", values="outcome", aggfunc="first")
    return table.reindex(index=sorted(runs["repeat"].unique()), columns=list(results.arms)).astype(float)


def counted(results: Results) -> pd.DataFrame:
    """Return the outcomes that count, shape (repeats, arms).

    Where runs are paired these are the repeats in which every arm has an outcome, so that all arms are judged by the
    same seeds; elsewhere every outcome counts.
    """
    table = outcomes(results)
    return table.dropna() if results.paired else table


def counted_runs(results: Results) -> pd.DataFrame:
    """Return the rows of `results.runs` whose outcomes count."""
    table = counted(results).reset_index().melt("repeat", var_name="arm", value_name="counted").dropna()
    return results.runs.merge(table[["arm", "repeat"]], on=["arm", "repeat"])


def comparisons(results: Results) -> tuple[Comparison, ...]:
    """Return every arm but the first beside the first, in the order of the arms."""
    table = counted(results) * results.objective.weight
    samples = [table[arm].dropna().to_numpy() for arm in results.arms]
    tested = [(signed_ranks if results.paired else rank_sums)(ours, samples[0]) for ours in samples[1:]]
    adjusted = holm([test.p for test in tested])
    return tuple(
        Comparison(
            arm=arm,
            reference=results.arms[0],
            paired=results.paired,
            ours=ours,
            theirs=samples[0],
            tendency=test.tendency,
            p=test.p,
            source=test.source,
            smallest_p=test.smallest_p,
            holm_p=holm_p,
            family=len(tested),
        )
        for arm, ours, test, holm_p in zip(results.arms[1:], samples[1:], tested, adjusted, strict=True)
    )


@dataclass(frozen=True, slots=True)
class RankTest:
    """The result of a rank test: see `Comparison`."""

    tendency: float
    p: float
    source: Source
    smallest_p: float


def signed_ranks(ours: np.ndarray, theirs: np.ndarray) -> RankTest:
    """Return Wilcoxon's test of paired values, where higher is better."""
    from scipy import stats

    differences = _differences(ours, theirs)
    sizes = np.abs(differences)
    signed = np.sign(differences) * stats.rankdata(sizes)  # a difference of zero has its rank and no side
    smallest = smallest_paired_p(len(differences))
    if not signed.any():
        return RankTest(0.0, 1.0, Source.EXACT, smallest)
    if _all_distinct(sizes) and sizes.all():
        source = Source.EXACT if len(differences) <= _MOST_SIGNED else Source.NORMAL
        p = stats.wilcoxon(differences, method="exact" if source is Source.EXACT else "asymptotic").pvalue
    else:
        source = _source_with_ties(2 ** len(differences))
        p = stats.permutation_test(
            (signed,), np.sum, permutation_type="samples", n_resamples=WAYS, vectorized=True, rng=0
        ).pvalue
    return RankTest(float(signed.sum()), float(p), source, smallest)


def rank_sums(ours: np.ndarray, theirs: np.ndarray) -> RankTest:
    """Return Mann and Whitney's test of unpaired values, where higher is better."""
    from scipy import stats

    smallest = smallest_unpaired_p(len(ours), len(theirs))
    if smallest == 1.0:
        return RankTest(0.0, 1.0, Source.EXACT, smallest)
    pooled = np.concatenate([ours, theirs])
    ranks = stats.rankdata(_without_rounding(pooled, pooled))
    own, other = ranks[: len(ours)], ranks[len(ours) :]
    if _all_distinct(ranks):
        source = Source.EXACT if len(pooled) <= _MOST_SUMMED else Source.NORMAL
        p = stats.mannwhitneyu(own, other, method="exact" if source is Source.EXACT else "asymptotic").pvalue
    else:
        source = _source_with_ties(math.comb(len(pooled), len(ours)))
        p = stats.permutation_test(
            (own, other), _first_sum, permutation_type="independent", n_resamples=WAYS, vectorized=True, rng=0
        ).pvalue
    return RankTest(float(own.mean() - other.mean()), float(p), source, smallest)


def smallest_paired_p(pairs: int) -> float:
    """Return the least p that signed ranks reach: all differences on one side."""
    return min(1.0, 2.0 ** (1 - pairs))


def smallest_unpaired_p(ours: int, theirs: int) -> float:
    """Return the least p that rank sums reach: all of one arm before all of the other; 1.0 with a single run in one."""
    return 1.0 if min(ours, theirs) < 2 else 2.0 / math.comb(ours + theirs, ours)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted by Holm's procedure (1979), which scipy does not have."""
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = least
    return adjusted


def _source_with_ties(ways: int) -> Source:
    return Source.EXACT if ways <= WAYS else Source.DRAWN


def _differences(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    return _without_rounding(ours - theirs, np.concatenate([ours, theirs]))


def _without_rounding(values: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Return values among which those are equal that only the rounding of what was measured tells apart."""
    grain = _SAME * (np.abs(measured).max(initial=0.0) or 1.0)
    rounded: np.ndarray = np.round(values / grain) * grain
    return rounded


def _all_distinct(values: np.ndarray) -> bool:
    return len(np.unique(values)) == len(values)


def _first_sum(first: np.ndarray, _second: np.ndarray, axis: int) -> np.ndarray:
    total: np.ndarray = first.sum(axis=axis)
    return total

"""What results say of every arm and of every comparison, ready to be put into words."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from evo.compare.statistics.attainment import hypervolumes
from evo.compare.statistics.curves import expected_runtimes
from evo.compare.statistics.effect_sizes import Estimate, difference, interquartile_mean, mean, superiority
from evo.compare.statistics.power import (
    detectable_effect,
    fewest_runs,
    observed_effect,
    runs_needed,
    superiority_of,
)
from evo.compare.statistics.rank_tests import Claim, Comparison, Source, comparisons, counted, counted_runs
from evo.compare.statistics.results import Results

_DIGITS = 6
_FEWEST_BLOCKS = 5
"""With fewer no order of the values is rarer than one in twenty."""


@dataclass(frozen=True)
class ArmSummary:
    """An arm by itself, over its runs that count.

    Attributes:
        counted: its runs that count, `counted_failed` of them failed.
        finished: of all that were begun, as `failed` and `unfinished`.
        missing: asked for and not begun.
        middle: interquartile mean of the outcome.
        gain: mean over generation 0, on the same seeds; positive is better.
        evaluations: a run's, on average, as what follows.
        failed_share: of its evaluations those that gave no measurement.
        usd: NaN where the cost of a run is unknown.
        hypervolume: interquartile mean; None with one objective.
        reasons: why runs failed, the most frequent first, with how many did.
    """

    name: str
    counted: int
    counted_failed: int
    finished: int
    failed: int
    unfinished: int
    missing: int
    middle: Estimate
    mean: Estimate
    gain: Estimate
    evaluations: float
    failed_share: float
    gpu_seconds: float
    usd: float
    hypervolume: Estimate | None
    reasons: tuple[tuple[str, int], ...]

    @property
    def requested(self) -> int:
        """Runs that the experiment asks for."""
        return self.finished + self.failed + self.unfinished + self.missing


@dataclass(frozen=True)
class Contrast:
    """An arm beside the first.

    Attributes:
        runs: pairs, or the runs of the smaller arm.
        difference: mean gain over the first arm.
        superiority: how often the arm is better.
        spread: standard deviation of a paired difference, or of the runs of an arm; NaN with fewer than two.
        any_failed: whether a run failed that counts: far from the others, it makes `spread` say little about them.
        needed: pairs, or runs of each arm, that would find an effect like the observed one; None where no reasonable
            number would, or nothing differs.
        detectable: the smallest effect that as many runs would have found, in standard deviations; None where none.
        fewest: pairs, or runs of each arm, below which no claim is possible.
    """

    comparison: Comparison
    runs: int
    difference: Estimate
    superiority: Estimate
    spread: float
    any_failed: bool
    needed: int | None
    detectable: float | None
    fewest: int

    @property
    def decimals(self) -> int:
        """Those that suit its difference."""
        return decimals_for(self.spread, self.runs)

    @property
    def wins(self) -> int:
        """Repeats in which the arm is better; where paired."""
        return int((self.comparison.differences > 0).sum())

    @property
    def ties(self) -> int:
        """Repeats in which both are equal; where paired."""
        return int((self.comparison.differences == 0).sum())

    @property
    def detectable_difference(self) -> float:
        """`detectable` in the objective's unit; NaN where that is unknown."""
        known = self.detectable is not None and not self.any_failed and self.spread > 0
        return (self.detectable or 0.0) * self.spread if known else math.nan

    @property
    def detectable_superiority(self) -> float:
        """How often an arm is better whose effect is `detectable`."""
        return superiority_of(self.detectable or 0.0, paired=self.comparison.paired)


@dataclass(frozen=True)
class Sentinel:
    """Generation 0 as every block judged it: what the machine did in the course of the experiment to all arms alike.

    Attributes:
        blocks: that judged it.
        mean: over the blocks.
        low: the smallest value, `high` the largest.
        trend: Kendall's rank correlation with the number of the block, positive where it became better; NaN where all
            values are equal.
        p: of the trend, two-sided; exact without ties.
    """

    blocks: int
    mean: float
    low: float
    high: float
    trend: float
    p: float

    @property
    def varies(self) -> bool:
        """Whether not all values are equal."""
        return self.low < self.high

    @property
    def decimals(self) -> int:
        """Those that suit its values."""
        return decimals_for(self.high - self.low, self.blocks)


@dataclass(frozen=True)
class Target:
    """A value of the objective, and what every arm is expected to spend on it (`expected_runtimes`).

    Attributes:
        share: of the way from where runs begin to the best that any run saw.
        arms: expected evaluations, runs that reached it, and runs, in the order of the arms.
    """

    share: float
    value: float
    arms: tuple[tuple[float, int, int], ...]


@dataclass(frozen=True)
class Findings:
    """All that the report says.

    Attributes:
        sentinel: None before enough blocks judged generation 0 to show a trend.
        left_out: repeats that were begun and do not count, since not every arm has an outcome in them; where paired.
        without_outcome: runs that ended without any measurement.
    """

    results: Results
    arms: tuple[ArmSummary, ...]
    contrasts: tuple[Contrast, ...]
    sentinel: Sentinel | None
    left_out: tuple[int, ...]
    without_outcome: int

    @property
    def is_complete(self) -> bool:
        """Whether every run that was asked for has ended."""
        return not any(arm.unfinished or arm.missing for arm in self.arms)

    @property
    def has_outcomes(self) -> bool:
        """Whether any run counts."""
        return any(arm.counted for arm in self.arms)

    @property
    def requested(self) -> int:
        """Runs that the experiment asks for."""
        return sum(arm.requested for arm in self.arms)

    @property
    def ended(self) -> int:
        """Runs that finished or failed."""
        return sum(arm.finished + arm.failed for arm in self.arms)

    @property
    def seeds(self) -> list[int]:
        """Seeds of the runs, ascending."""
        return sorted({int(seed) for seed in self.results.runs["seed"].dropna()})

    @property
    def pairs(self) -> list[Contrast]:
        """Comparisons within repeats."""
        return [one for one in self.contrasts if one.comparison.paired and one.runs]

    @property
    def fewest_runs(self) -> Contrast | None:
        """The comparison with the fewest runs."""
        return min(self.contrasts, key=lambda one: one.runs, default=None)

    @property
    def arms_by_verdict(self) -> dict[str, list[str]]:
        """Names of arms by what may be claimed of them."""
        return {
            verdict: [one.comparison.arm for one in self.contrasts if one.comparison.verdict is verdict]
            for verdict in Claim
        }

    @property
    def arms_by_source(self) -> dict[str, list[str]]:
        """Names of arms by where their p values come from."""
        return {
            source: [one.comparison.arm for one in self.contrasts if one.comparison.source is source]
            for source in Source
        }

    @property
    def decimals(self) -> int:
        """Those that suit the outcomes of the steadiest arm."""
        table = counted(self.results)
        spreads = [float(np.std(table[arm].dropna(), ddof=1)) for arm in table.columns if table[arm].count() > 1]
        return max((decimals_for(spread, len(table)) for spread in spreads if spread > 0), default=4)

    @cached_property
    def targets(self) -> list[Target]:
        """What the arms are expected to spend; empty where no run got better than it began."""
        return [
            Target(
                float(str(share)),
                float(rows["target"].iloc[0]),
                tuple(rows[["evaluations", "reached", "runs"]].itertuples(index=False, name=None)),
            )
            for share, rows in expected_runtimes(self.results).groupby("share")
        ]


def decimals_for(spread: float, runs: int) -> int:
    """Return the decimals that show a mean's standard error with two digits."""
    error = spread / math.sqrt(runs) if runs else 0.0
    return min(_DIGITS, max(0, 1 - math.floor(math.log10(error)))) if math.isfinite(error) and error > 0 else 4


def find(results: Results) -> Findings:
    """Return the findings of results, be they complete, partial or empty."""
    counts = counted(results)
    begun = results.runs
    volumes = hypervolumes(results) if len(results.objectives) > 1 else None
    ended = begun[begun["state"] != "unfinished"]
    return Findings(
        results=results,
        arms=tuple(_arm(results, name, volumes) for name in results.arms),
        contrasts=tuple(_contrast(comparison, results) for comparison in comparisons(results)),
        sentinel=_sentinel(results),
        left_out=tuple(sorted({*begun["repeat"]} - {*counts.index})),
        without_outcome=int((~np.isfinite(ended["outcome"].astype(float))).sum()),
    )


def _arm(results: Results, name: str, volumes: pd.DataFrame | None) -> ArmSummary:
    own, runs = (frame[frame["arm"] == name] for frame in (results.runs, counted_runs(results)))
    states = Counter(own["state"])
    values, zero = (runs[column].to_numpy(dtype=float) for column in ("outcome", "generation_zero"))
    gains = results.objective.weight * (values - zero)
    evaluations = float(runs["evaluations"].sum())
    failures = own.loc[own["state"] == "failed", "reason"].fillna("").astype(str)
    return ArmSummary(
        name=name,
        counted=len(runs),
        counted_failed=int((runs["state"] == "failed").sum()),
        finished=states["finished"],
        failed=states["failed"],
        unfinished=states["unfinished"],
        missing=max(0, results.repeats - len(own)),
        middle=interquartile_mean(values),
        mean=mean(values),
        gain=mean(gains[np.isfinite(gains)]),
        evaluations=_average(runs["evaluations"]),
        failed_share=float(runs["failures"].sum()) / evaluations if evaluations else math.nan,
        gpu_seconds=_average(runs["gpu_seconds"]),
        usd=_average(runs["usd"]),
        hypervolume=None
        if volumes is None
        else interquartile_mean(volumes.loc[volumes["arm"] == name, "hypervolume"].to_numpy(dtype=float)),
        reasons=tuple(Counter(failures).most_common()),
    )


def _sentinel(results: Results) -> Sentinel | None:
    from scipy import stats

    by_block = results.runs.groupby("repeat")["generation_zero"].first().dropna().sort_index()
    if len(by_block) < _FEWEST_BLOCKS:
        return None
    values = by_block.to_numpy(dtype=float)
    is_constant = bool((values == values[0]).all())
    trend, p = (math.nan, 1.0) if is_constant else stats.kendalltau(by_block.index, results.objective.weight * values)
    return Sentinel(len(values), float(values.mean()), values.min(), values.max(), float(trend), float(p))


def _contrast(comparison: Comparison, results: Results) -> Contrast:
    runs = min(len(comparison.ours), len(comparison.theirs))
    paired, level = comparison.paired, comparison.strictest
    counting = counted_runs(results)
    failed = {*counting.loc[counting["state"] == "failed", "arm"]}
    return Contrast(
        comparison=comparison,
        runs=runs,
        difference=difference(comparison),
        superiority=superiority(comparison),
        spread=_spread(comparison),
        any_failed=not failed.isdisjoint((comparison.arm, comparison.reference)),
        needed=runs_needed(observed_effect(comparison), level, paired=paired) if runs > 1 else None,
        detectable=detectable_effect(runs, level, paired=paired),
        fewest=fewest_runs(level, paired=paired),
    )


def _spread(comparison: Comparison) -> float:
    samples = [comparison.differences] if comparison.paired else [comparison.ours, comparison.theirs]
    variances = [float(np.var(sample, ddof=1)) for sample in samples if len(sample) > 1]
    return math.sqrt(sum(variances) / len(variances)) if len(variances) == len(samples) else math.nan


def _average(values: pd.Series) -> float:
    """Return the mean, NaN where one is unknown."""
    return float(values.astype(float).mean(skipna=False)) if len(values) else math.nan

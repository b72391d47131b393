"""How far the arms are at any time, and how long they take to a target, in evaluations, device time and dollars.

Both look at selection values, of the runs that count: a run's best so far is what selection would have chosen then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evo.compare.statistics.effect_sizes import trimmed
from evo.compare.statistics.rank_tests import counted_runs
from evo.compare.statistics.results import Results

COSTS = ("evaluations", "gpu_seconds", "usd")
"""Columns of what a run spends."""

TARGETS = (0.25, 0.5, 0.75, 0.9)
"""Shares of the way from where runs begin to the best that any of them saw."""

_STEPS = 120


@dataclass(frozen=True)
class Curve:
    """An arm's best so far: interquartile mean and interquartile range over its runs.

    Attributes:
        spent: shape (steps,), ascending, in the cost's unit.
        middle: shape (steps,), as `low` and `high`, the 25th and the 75th percentile.
        runs: behind every step.
    """

    arm: str
    spent: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: int


def anytime_curves(results: Results, cost: str) -> tuple[Curve, ...]:
    """Return the curves over one of `COSTS`, of the arms of which it is known; none where none was spent.

    A curve begins where all of the arm's runs have a value. A run that has ended keeps its last value.
    """
    courses = _courses(results)
    last = float(courses[cost].max()) if len(courses) else 0.0
    if not last > 0:
        return ()
    curves = []
    for arm in results.arms:
        runs = [run for _, run in courses[courses["arm"] == arm].groupby("repeat")]
        if runs and not any(run[cost].isna().any() for run in runs):
            spent = np.linspace(max(float(run[cost].iloc[0]) for run in runs), last, _STEPS)
            values = np.stack([_best_at(run, cost, spent) for run in runs])
            low, high = np.quantile(values, [0.25, 0.75], axis=0)
            curves.append(Curve(arm, spent, trimmed(values, axis=0), low, high, len(runs)))
    return tuple(curves)


def expected_runtimes(results: Results) -> pd.DataFrame:
    """Return what each arm is expected to spend until it reaches each target, if it restarts after a run that did not.

    That is everything that its runs spent, up to the target where they reached it, over the number that did (Hansen,
    Auger, Ros, Mersmann, Tušar and Brockhoff 2021; Price 1997): infinite where none did.

    Returns:
        One row a target and an arm: `share` of `TARGETS`, `target` in the objective's unit, `arm`, `reached` and `runs`
        as counts, and an expectation in each of `COSTS`, NaN where the cost of a run is unknown. Empty where no run got
        better than it began.
    """
    courses, runs = _courses(results), counted_runs(results)
    weight = results.objective.weight
    rows = []
    for share, target in _targets(courses, weight):
        reached = courses[weight * courses["best"] >= weight * target].groupby(["arm", "repeat"])[[*COSTS]].first()
        for arm in results.arms:
            own = runs[runs["arm"] == arm].set_index(["arm", "repeat"])
            found = reached.reindex(own.index).dropna(how="all")
            vain = own.drop(found.index)[[*COSTS]]
            total = found.sum(skipna=False) + vain.sum(skipna=False)
            rows.append(
                {
                    "share": share,
                    "target": target,
                    "arm": arm,
                    "reached": len(found),
                    "runs": len(own),
                    **{cost: float(total[cost]) / len(found) if len(found) else math.inf for cost in COSTS},
                }
            )
    return pd.DataFrame(rows, columns=["share", "target", "arm", "reached", "runs", *COSTS])


def _targets(courses: pd.DataFrame, weight: float) -> list[tuple[float, float]]:
    if not len(courses):
        return []
    by_run = courses.groupby(["arm", "repeat"])["best"]
    start = float(by_run.first().median())
    best = float((weight * courses["best"]).max()) * weight
    if weight * best <= weight * start:
        return []
    return [(share, start + share * (best - start)) for share in TARGETS]


def _courses(results: Results) -> pd.DataFrame:
    """Return the rows of `progress` with a value, of runs that count, each run's in the order in which it spent."""
    rows = results.progress[np.isfinite(results.progress["best"].astype(float))]
    rows = rows.merge(counted_runs(results)[["arm", "repeat"]], on=["arm", "repeat"])
    return rows.sort_values(["arm", "repeat", "evaluations"], kind="stable")


def _best_at(run: pd.DataFrame, cost: str, spent: np.ndarray) -> np.ndarray:
    """Return the best of a run with as much spent as `spent` says, none of which is less than its first row."""
    rows = np.searchsorted(run[cost].to_numpy(dtype=float), spent, side="right") - 1
    values: np.ndarray = run["best"].to_numpy(dtype=float)[rows]
    return values

"""Fronts of several objectives: how much of the objective space runs dominate, and what a share of them attains.

A run without a front, as a failed one, dominates and attains nothing; it counts all the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from evo.compare.statistics.rank_tests import counted_runs
from evo.compare.statistics.results import Results
from populations.hypervolume import hypervolume_shares
from trainer.objectives import Objective

LEVELS = (25, 50, 75)
"""Per cent of an arm's runs."""


def hypervolumes(results: Results) -> pd.DataFrame:
    """Return the hypervolume of every run that counts.

    It is the dominated share of the box that all fronts span together (`populations.hypervolume.hypervolume_shares`).

    Returns:
        One row a run: `arm`, `repeat`, `hypervolume` from 0 to 1. Empty where no run has a front.
    """
    objectives = results.objectives
    runs, points = counted_runs(results)[["arm", "repeat"]], _points(results, objectives)
    if points.empty:
        return pd.DataFrame(columns=["arm", "repeat", "hypervolume"])
    names = [one.name for one in objectives]
    fronts = {run: rows[names].to_numpy(dtype=float).tolist() for run, rows in points.groupby(["arm", "repeat"])}
    own = [fronts.get(run, []) for run in runs.itertuples(index=False, name=None)]
    return runs.assign(hypervolume=hypervolume_shares(own, objectives))


def attainment_surface(results: Results, arm: str, pair: tuple[Objective, Objective]) -> dict[int, np.ndarray]:
    """Return what shares of an arm's runs attain in two objectives, whatever the others.

    That is where the empirical attainment function (Grunert da Fonseca, Fonseca and Hall 2001) crosses `LEVELS`.

    Returns:
        For each level the corners of its surface, shape (corners, 2), ascending in the first objective; without corners
        where so many runs attain nothing.
    """
    import moocore

    points = _points(results, pair)
    names, signs = [one.name for one in pair], np.array([-one.weight for one in pair])
    runs = counted_runs(results)
    own = points[points["arm"] == arm]
    surfaces = {level: np.empty((0, 2)) for level in LEVELS}
    if not len(own):
        return surfaces
    nothing = (points[names].to_numpy(dtype=float) * signs).max(axis=0) + 1.0  # as costs: worse than all that was seen
    costs = own[names].to_numpy(dtype=float) * signs
    empty = [repeat for repeat in runs.loc[runs["arm"] == arm, "repeat"] if repeat not in set(own["repeat"])]
    costs = np.vstack([costs, *[nothing] * len(empty)])
    sets = np.array([*own["repeat"], *empty])
    order = np.argsort(sets, kind="stable")  # moocore miscounts sets that do not ascend
    found = moocore.eaf(costs[order], sets[order], percentiles=list(LEVELS))
    for level in LEVELS:
        corners = found[found[:, 2] == level, :2]
        corners = corners[(corners < nothing).all(axis=1)] * signs
        surfaces[level] = corners[np.argsort(corners[:, 0])]
    return surfaces


def _points(results: Results, objectives: tuple[Objective, ...]) -> pd.DataFrame:
    """Return the rows of `points` of runs that count with all of the objectives measured."""
    names = [one.name for one in objectives]
    if not {*names} <= {*results.points.columns}:
        return pd.DataFrame(columns=["arm", "repeat", *names])
    measured = results.points[np.isfinite(results.points[names].astype(float)).all(axis=1)]
    return measured.merge(counted_runs(results)[["arm", "repeat"]], on=["arm", "repeat"])

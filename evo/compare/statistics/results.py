"""The results of an experiment as tables for statistics, report and pandas."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from trainer.objectives import Objective

RUN_COLUMNS = (
    "arm",
    "repeat",
    "seed",
    "state",
    "outcome",
    "generation_zero",
    "chosen",
    "evaluations",
    "failures",
    "gpu_seconds",
    "usd",
    "wall_seconds",
    "reason",
)
PROGRESS_COLUMNS = ("arm", "repeat", "evaluations", "gpu_seconds", "usd", "best")
POINT_COLUMNS = ("arm", "repeat", "individual")


@dataclass(frozen=True, slots=True)
class Results:
    """The results of an experiment, complete or so far.

    Attributes:
        arms: in the order of the file; the first is the one that the others are compared with.
        repeats: runs an arm that the experiment asks for.
        paired: whether runs of one `repeat` share their seed, so that differences within a repeat are the data.
        objective: what `outcome` and `best` measure, in its unit.
        objectives: those of the front; `points` has a column for each.
        budget: what was equal, in words, such as "640 evaluations".
        runs: one row a run that was started (`RUN_COLUMNS`). `state` is `finished`, `failed` or `unfinished`. `outcome`
            is the held-out mean of the individual `chosen`, `generation_zero` that of generation 0 on the same seeds;
            NaN only while `unfinished`. A run that ended without an individual is `failed` with its `reason`, and has
            the outcome of generation 0. `evaluations` counts everything that was evaluated for selection, a smaller
            rung as its share of an evaluation; `failures` those of them without a measurement; `gpu_seconds` and `usd`
            include crashes, repairs and re-evaluations.
        progress: one row a result (`PROGRESS_COLUMNS`): budget used up to there, and the selection value of the
            individual that would have been chosen then. Selection values flatter: for curves, not for claims.
        points: one row a non-dominated individual of a run (`POINT_COLUMNS`, then the objectives by name).
        rehearsal: whether the experiment only tests the machinery, so that its numbers mean nothing.
        drifts: sentences on devices that a run's sentinels found to drift.
        held_out: whether outcomes are of data that no search scores; a script has fresh seeds alone.
        claim: what self-reported objectives rest on, one sentence; empty where none is.
    """

    name: str
    arms: tuple[str, ...]
    repeats: int
    paired: bool
    objective: Objective
    objectives: tuple[Objective, ...]
    budget: str
    runs: pd.DataFrame
    progress: pd.DataFrame
    points: pd.DataFrame
    rehearsal: bool = False
    drifts: tuple[str, ...] = ()
    held_out: bool = True
    claim: str = ""

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The three tables by name."""
        return {"runs": self.runs, "progress": self.progress, "points": self.points}

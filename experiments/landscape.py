"""Results of comparisons whose truth is known.

An outcome is what the arm is worth, plus what the seed does to all arms, plus luck. Nothing is searched: this is what
the statistics of `evo compare` are tried on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from evo.compare.statistics.results import POINT_COLUMNS, PROGRESS_COLUMNS, RUN_COLUMNS, Results
from trainer.objectives import Direction, Objective

LOSS = Objective("loss", Direction.MINIMIZE, "nats")
SPEED = Objective("speed", Direction.MAXIMIZE, "tokens/s")
ARMS = ("random", "greedy", "independent", "tuning", "llm")
SIGMA = 0.01
"""Standard deviation of a run's outcome around what its arm and its seed make of it."""

_START = 2.0
_GAIN = 0.3
_EVALUATIONS = 64
_FAILED = "no offspring was scored"


@dataclass(frozen=True)
class Landscape:
    """Arms of known worth.

    Attributes:
        gains: what each arm is better by than the first, in `SIGMA`; the first is 0.
        repeats: runs of each arm.
        paired: whether the arms of a repeat share their seed, which moves all of them by as much as luck moves one.
        failure_rate: of runs, in every arm.
        skewed: whether luck is lopsided, as losses are that diverge now and then, or normal.
    """

    gains: tuple[float, ...] = (0.0, 0.0)
    repeats: int = 10
    paired: bool = True
    failure_rate: float = 0.0
    skewed: bool = False

    def results(self, seed: int, *, progress: bool = False) -> Results:
        """Return the results of one experiment; the same for the same seed.

        Args:
            seed: of its luck.
            progress: whether to make up the course of every run and its front too.
        """
        chance = np.random.default_rng(seed)
        runs = self._runs(chance)
        courses = [_course(run, chance) for run in runs.itertuples()] if progress else []
        fronts = [_front(run, chance) for run in runs.itertuples() if run.state == "finished"] if progress else []
        return Results(
            name="planted truth",
            arms=ARMS[: len(self.gains)],
            repeats=self.repeats,
            paired=self.paired,
            objective=LOSS,
            objectives=(LOSS, SPEED),
            budget=f"{_EVALUATIONS} evaluations",
            runs=runs,
            progress=_joined(courses, [*PROGRESS_COLUMNS]),
            points=_joined(fronts, [*POINT_COLUMNS, LOSS.name, SPEED.name]),
        )

    def draw(self, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return what runs end with unless they fail, shape (repeats, arms), and generation 0 with their seeds."""
        shape = (self.repeats, len(self.gains))
        # One exponential has variance 1 and a long tail on the worse side.
        luck = chance.exponential(size=shape) - 1 if self.skewed else chance.standard_normal(shape)
        seeds = chance.standard_normal((self.repeats, 1 if self.paired else len(self.gains)))
        outcomes = _START - _GAIN + SIGMA * (seeds + luck - np.array(self.gains))
        return outcomes, np.broadcast_to(_START + SIGMA * seeds, shape)

    def _runs(self, chance: np.random.Generator) -> pd.DataFrame:
        outcomes, zero = self.draw(chance)
        failed = chance.random(outcomes.shape) < self.failure_rate
        rows = []
        for repeat in range(self.repeats):
            for index, arm in enumerate(ARMS[: len(self.gains)]):
                broken = bool(failed[repeat, index])
                rows.append(
                    {
                        "arm": arm,
                        "repeat": repeat,
                        "seed": repeat if self.paired else repeat * len(self.gains) + index,
                        "state": "failed" if broken else "finished",
                        "outcome": zero[repeat, index] if broken else outcomes[repeat, index],
                        "generation_zero": zero[repeat, index],
                        "chosen": 0 if broken else _EVALUATIONS - 1,
                        "evaluations": _EVALUATIONS,
                        "failures": _EVALUATIONS - 1 if broken else _EVALUATIONS // 10,
                        "gpu_seconds": 30.0 * _EVALUATIONS,
                        "usd": 0.02 * _EVALUATIONS if arm == "llm" else 0.0,
                        "wall_seconds": 31.0 * _EVALUATIONS,
                        "reason": _FAILED if broken else "",
                    }
                )
        return pd.DataFrame(rows, columns=[*RUN_COLUMNS])


def _course(run: Any, chance: np.random.Generator) -> pd.DataFrame:
    """Return a run's progress: from generation 0 to its outcome, by ever smaller steps."""
    done = np.sort(chance.random(_EVALUATIONS))
    done[0], done[-1] = 0.0, 1.0
    numbers = np.arange(1, _EVALUATIONS + 1)
    best = run.generation_zero + (run.outcome - run.generation_zero) * (1 - (1 - done) ** 2)
    return pd.DataFrame(
        {
            "arm": run.arm,
            "repeat": run.repeat,
            "evaluations": numbers,
            "gpu_seconds": run.gpu_seconds * numbers / _EVALUATIONS,
            "usd": run.usd * numbers / _EVALUATIONS,
            "best": best,
        }
    )


def _front(run: Any, chance: np.random.Generator) -> pd.DataFrame:
    """Return a run's front: from its outcome on, speed costs loss."""
    dearer = np.array([0.0, 0.05, 0.15]) * (1 + 0.1 * chance.random())
    return pd.DataFrame(
        {
            "arm": run.arm,
            "repeat": run.repeat,
            "individual": np.arange(3),
            LOSS.name: run.outcome + dearer,
            SPEED.name: 10_000 * (1 + 4 * np.sqrt(dearer)),
        }
    )


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=columns)

"""The training clock of one candidate, kept by its supervisor."""

from __future__ import annotations

import math
import time
from dataclasses import replace

from trainer.evaluation import Budget, Clock, Status, Timings
from trainer.supervisor.crew import Candidate
from trainer.supervisor.watch import Ended, TimeLimit

# Ending exactly on time is impossible: a step and the saving of the weights still have to finish.
_GRACE_SECONDS = 0.25
_GRACE_SHARE = 0.02
# Each clock bounds the other. On the CPU clock a candidate that waits uses none of its budget, so the wall has a cap.
# Where a control group counts, nothing can be hidden, and the cap is wide enough for a machine that is shared many
# times over; else it also bounds what is missed.
_WALL_SHARE, _WALL_SECONDS = 10.0, 30.0
_WALL_SHARE_UNCERTAIN, _WALL_SECONDS_UNCERTAIN = 4.0, 10.0
# On the wall clock more threads would be more computation; some of them load data beside a GPU.
_CPU_SHARE = 1.25
_LOADERS = 8


class TrainingClock:
    """Starts when the data is handed over, stops when the weights are.

    Attributes:
        running: whether the data has been handed over.
    """

    def __init__(self, budget: Budget, candidate: Candidate, device: str, threads: int) -> None:
        self._budget = budget
        self._processors = _CPU_SHARE * (threads if device == "cpu" else threads + _LOADERS)
        self._candidate = candidate
        self._limit_seconds = budget.train_seconds * (1 + _GRACE_SHARE) + _GRACE_SECONDS
        self._started_wall = math.nan
        self._started_cpu = math.nan
        self.running = False

    def start(self) -> TimeLimit:
        """Start the clock and return the limit that training must keep."""
        self.running = True
        self._started_wall = time.monotonic()
        self._started_cpu = self._candidate.cpu_seconds()
        wall_seconds, cpu_seconds = self._limit_seconds, self._limit_seconds
        wall_reason, cpu_reason = self._reason(), self._reason()
        if self._budget.clock is Clock.WALL:
            cpu_seconds *= self._processors
            cpu_reason = f"used more than {cpu_seconds:.4g} s of CPU time in training, which its threads do not explain"
        else:
            wall_seconds = self._wall_cap_seconds()
            wall_reason = f"had not ended its training of {self._budget.train_seconds:g} s after {wall_seconds:.4g} s"
        return TimeLimit(self._started_wall + wall_seconds, wall_reason, self._started_cpu + cpu_seconds, cpu_reason)

    def _wall_cap_seconds(self) -> float:
        if self._candidate.group is None:
            return _WALL_SHARE_UNCERTAIN * self._budget.train_seconds + _WALL_SECONDS_UNCERTAIN
        return _WALL_SHARE * self._budget.train_seconds + _WALL_SECONDS

    def seconds(self) -> float:
        """Training seconds so far on the budget's clock; 0 before the start."""
        if not self.running:
            return 0.0
        if self._budget.clock is Clock.WALL:
            return time.monotonic() - self._started_wall
        return self._candidate.cpu_seconds() - self._started_cpu

    def measure(self, timings: Timings) -> Timings:
        """Return `timings` with the training seconds up to now."""
        wall_seconds = time.monotonic() - self._started_wall if self.running else 0.0
        seconds = wall_seconds if self._budget.clock is Clock.WALL else self.seconds()
        return replace(timings, train_seconds=seconds, train_wall_seconds=wall_seconds)

    def check(self, timings: Timings) -> None:
        """Raise Ended when the measured training exceeds the limit after all."""
        if timings.train_seconds > self._limit_seconds:
            raise Ended(Status.TIMED_OUT, self._reason())

    def _reason(self) -> str:
        return (
            f"trained on beyond its {self._budget.train_seconds:g} s ({self._budget.clock} clock) and the "
            f"{self._limit_seconds - self._budget.train_seconds:.2f} s of grace"
        )

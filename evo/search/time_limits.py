"""How long a script may run: measured by how long generation 0 takes, which the user wrote.

A program that hangs must not hold a worker for much longer than an honest one would, and a program whose time is fixed
must not take more of it than generation 0 does. Both limits follow from the results in the store, so that they are the
same after a resumption. Generation 0 itself has the limits of the configuration alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from evo.config.task import ScriptTask
from trainer.evaluation import Job

_WALL_FACTOR, _WALL_EXTRA_SECONDS = 5.0, 30.0
"""Generous: a better program may take longer, and another worker may have to compile what this one found cached."""

_OVERHEAD_FACTOR, _FIXED_MARGIN, _LEAST_MARGIN_SECONDS = 1.5, 0.05, 0.5
"""What a fixed time may be exceeded by: generation 0's own overhead, which varies with the program that is compiled and
with the load of the machine."""


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """The limits of a script's evaluations.

    Attributes:
        fixed_seconds: the time that the command gives itself, if it does.
        wall_seconds: after which the configuration ends it, if that says so.
    """

    fixed_seconds: float | None = None
    wall_seconds: float | None = None

    @classmethod
    def of(cls, task: ScriptTask) -> TimeLimits:
        """Return the limits of a task."""
        return cls(task.fixed_seconds, task.wall_seconds)

    @property
    def are_measured(self) -> bool:
        """Whether nothing but the time of generation 0 bounds the time of others."""
        return self.fixed_seconds is None and self.wall_seconds is None

    def bounded(self, job: Job, command_seconds: float, score_seconds: float) -> Job:
        """Return a job with its limits.

        Args:
            job: of another individual than generation 0.
            command_seconds: the longest that the command of generation 0 took with the whole budget.
            score_seconds: the longest that scoring it took.
        """
        if self.are_measured:
            longest = max(command_seconds, score_seconds)
            job = replace(job, wall_seconds=_WALL_FACTOR * longest + _WALL_EXTRA_SECONDS)
        if self.fixed_seconds is not None:
            overhead = max(0.0, command_seconds - self.fixed_seconds)
            margin = max(_LEAST_MARGIN_SECONDS, _FIXED_MARGIN * self.fixed_seconds)
            own = job.budget_fraction * self.fixed_seconds
            job = replace(job, longest_seconds=own + _OVERHEAD_FACTOR * overhead + margin)
        return job

    def __str__(self) -> str:
        """Return the limits in words."""
        wall = "" if self.wall_seconds is None else f"at most {self.wall_seconds:g} s"
        if self.fixed_seconds is not None:
            return f"{self.fixed_seconds:g} s{wall and f', {wall}'}"
        return wall or f"at most {_WALL_FACTOR:g} × generation 0's time + {_WALL_EXTRA_SECONDS:g} s"

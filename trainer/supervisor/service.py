"""What every supervisor does, whatever its task: evaluate for its driver until that is gone, and record evaluations."""

from __future__ import annotations

import contextlib
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from trainer.errors import EvoError
from trainer.evaluation import TRAINING_LOSS, Clock, CurvePoint, Evaluation, Job, Status, Timings
from trainer.ipc.channel import Channel, ChannelClosed
from trainer.machine.processes import allow_descriptors, become_subreaper
from trainer.objectives import is_comparable
from trainer.supervisor.watch import DriverGone, Ended, Killed


@dataclass(slots=True)
class Recording:
    """What has been measured of one evaluation so far; total seconds count from its creation."""

    timings: Timings = field(default_factory=Timings)
    curve: list[CurvePoint] = field(default_factory=list)
    curve_name: str = TRAINING_LOSS
    objectives: dict[str, float] = field(default_factory=dict)
    split_bpb: dict[str, float] = field(default_factory=dict)
    log_tail: str = ""
    tokens_per_second: float | None = None
    _started: float = field(default_factory=time.monotonic)

    def evaluation(
        self, job: Job, status: Status, reason: str, *, device: str, clock: Clock, sandbox: str
    ) -> Evaluation:
        """Return the verdict on a job; what was measured on the way to a failure or in a smoke run is no objective."""
        if not all(map(is_comparable, self.objectives.values())):
            status, reason = Status.DIVERGED, f"a measured objective is not finite or too large: {self.objectives}"
        is_measured = status is Status.OK and not job.is_smoke
        return Evaluation(
            status=status,
            seed=job.seed,
            device=device,
            clock=clock,
            sandbox=sandbox,
            objectives=self.objectives if is_measured else {},
            split_bpb=self.split_bpb if is_measured else {},
            reason=reason,
            log_tail=self.log_tail,
            curve=tuple(self.curve),
            curve_name=self.curve_name,
            timings=replace(self.timings, total_seconds=time.monotonic() - self._started),
            train_tokens_per_second=self.tokens_per_second,
        )


class Deaths:
    """Tells a candidate that kills itself from one that was killed: the second time the candidate is to blame."""

    def __init__(self) -> None:
        self._killed: set[tuple[str, int]] = set()

    def verdict(self, job: Job, end: Ended) -> tuple[Status, str]:
        """Return the status and the reason of an evaluation that ended early."""
        if not isinstance(end, Killed):
            return end.status, str(end)
        if job.losses or (job.genome, job.seed) in self._killed:
            return Status.CRASHED, f"{end}, and so when it ran before: it seems to kill itself"
        self._killed.add((job.genome, job.seed))
        return Status.LOST, str(end)


class Supervising(Protocol):
    """Evaluates jobs one after the other."""

    @property
    def sandbox_level(self) -> str:
        """Name of the isolation that candidates run under."""

    def evaluate(self, job: Job) -> Evaluation:
        """Return the verdict on a job."""

    def close(self) -> None:
        """End every child and leave nothing behind."""


def serve_driver(supervise: Callable[[dict[str, Any], Channel], Supervising]) -> None:
    """Serve the driver on the line that the command line names until it closes it.

    `supervise` makes the supervisor from its settings, as JSON, and the driver's line.
    """
    become_subreaper()
    allow_descriptors()
    warnings.simplefilter("ignore", SyntaxWarning)  # of a candidate's program: no news for the user's terminal
    driver = Channel.from_descriptor(int(sys.argv[1]))
    settings = driver.receive()["settings"]
    with contextlib.suppress(ChannelClosed, DriverGone):
        try:
            with contextlib.closing(supervise(settings, driver)) as supervisor:
                driver.send({"event": "ready", "sandbox": supervisor.sandbox_level})
                while True:
                    job = Job.from_json(driver.receive()["job"])
                    driver.send({"event": "evaluated", "evaluation": supervisor.evaluate(job).to_json()})
        except EvoError as error:
            driver.send({"event": "failed", "reason": str(error)})
        except OSError as error:
            device = ":".join(filter(None, (settings["device"], settings["device_id"])))
            driver.send({"event": "failed", "reason": f"The supervisor of {device} failed: {error}."})

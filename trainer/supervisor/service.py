"""What every supervisor's process does, whatever the kind of its task: evaluate for its driver until that is gone."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from typing import Any, Protocol

from trainer.errors import EvoError
from trainer.evaluation import Evaluation, Job
from trainer.ipc.channel import Channel, ChannelClosed
from trainer.machine.processes import become_subreaper
from trainer.supervisor.watch import DriverGone


class Supervising(Protocol):
    """Evaluates jobs one after the other."""

    @property
    def sandbox_level(self) -> str:
        """Name of the isolation that candidates run under."""
        ...

    def evaluate(self, job: Job) -> Evaluation:
        """Return the verdict on a job."""
        ...

    def close(self) -> None:
        """End every child and leave nothing behind."""
        ...


def serve_driver(supervise: Callable[[dict[str, Any], Channel], Supervising]) -> None:
    """Serve the driver on the line that the command line names until it closes it.

    Args:
        supervise: makes the supervisor from its settings, as JSON, and the driver's line.
    """
    become_subreaper()
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

"""Evaluations by a program outside the search, which takes jobs and tells their results (`evo.Search`)."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace

from evo.workers.evaluator import Slot
from trainer.evaluation import Clock, Evaluation, Job, Status, Timings


@dataclass(eq=False)
class _Open:
    """A job that was begun and has no result yet."""

    job: Job
    result: asyncio.Future[Evaluation]
    begun: float
    is_taken: bool = False


class ExternalEvaluator:
    """Holds each job until its result is told. All methods belong to the thread of the search's event loop.

    Args:
        slots: jobs that may be out at a time.

    Attributes:
        changed: set when a job was begun; cleared before waiting for jobs.
    """

    def __init__(self, slots: int) -> None:
        self.workers = tuple(Slot(f"external/{number}") for number in range(slots))
        self.changed = asyncio.Event()
        self._open: dict[str, _Open] = {}
        self._is_closed = False

    @property
    def out(self) -> int:
        """How many jobs were taken and have no result yet."""
        return sum(one.is_taken and not one.result.done() for one in self._open.values())

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Wait for the result of a job."""
        if self._is_closed:
            return _lost(job)
        mine = _Open(job, asyncio.get_running_loop().create_future(), time.monotonic())
        self._open[slot.name] = mine
        self.changed.set()
        try:
            return await mine.result
        finally:
            del self._open[slot.name]

    def take(self) -> tuple[str, Job] | None:
        """Return a job that was not taken yet and the name of its slot; None when there is none."""
        for name, one in self._open.items():
            if not one.is_taken and not one.result.done():
                one.is_taken, one.begun = True, time.monotonic()
                return name, one.job
        return None

    def tell(self, slot: str, job: Job, evaluation: Evaluation) -> bool:
        """End the job of a slot; return False when it has ended already."""
        one = self._open.get(slot)
        if one is None or one.job != job or one.result.done():
            return False
        one.result.set_result(replace(evaluation, timings=Timings(total_seconds=time.monotonic() - one.begun)))
        return True

    def retire(self, slot: Slot) -> None:
        """Do nothing: a slot holds nothing."""

    async def close(self) -> None:
        """End every job as LOST."""
        self._is_closed = True
        for one in self._open.values():
            if not one.result.done():
                one.result.set_result(_lost(one.job))


def told(job_seed: int, status: Status, objectives: dict[str, float], reason: str) -> Evaluation:
    """Return the evaluation that a program outside has made."""
    return Evaluation(status, job_seed, "external", Clock.WALL, "none", objectives, reason=reason)


def _lost(job: Job) -> Evaluation:
    return told(job.seed, Status.LOST, {}, "the search is being ended")

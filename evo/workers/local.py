"""Workers on this machine: one supervisor process each."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event

from evo.workers.evaluator import Slot
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess, WorkerSettings


@dataclass(eq=False, slots=True)
class _LocalSlot:
    """A worker's place; its supervisor starts with its first job, so that all of them start in parallel."""

    name: str
    settings: WorkerSettings
    supervisor: SupervisorProcess | None = None


class LocalEvaluator:
    """One supervisor a worker; a supervisor that dies is replaced at the next job.

    Args:
        settings: one for each worker.

    Attributes:
        workers: the slots of all workers.
    """

    def __init__(self, settings: Sequence[WorkerSettings]) -> None:
        self.workers = tuple(
            _LocalSlot(f"{worker.device}{':' + worker.device_id if worker.device_id else ''}/{number}", worker)
            for number, worker in enumerate(settings)
        )
        # A thread a worker waits for its supervisor; it holds no work of its own.
        self._threads = ThreadPoolExecutor(max_workers=len(settings), thread_name_prefix="evo-worker")
        self._closing = Event()

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job; raises MachineError when a supervisor cannot be started."""
        assert isinstance(slot, _LocalSlot)  # noqa: S101 - one of this evaluator's
        if self._closing.is_set():
            return _lost(slot.settings, job)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._evaluate, slot, job)

    def retire(self, slot: Slot) -> None:
        """End a worker's supervisor, in the background."""
        assert isinstance(slot, _LocalSlot)  # noqa: S101 - as above
        if slot.supervisor is not None:
            self._threads.submit(slot.supervisor.close)

    async def close(self) -> None:
        """End every supervisor with its candidates; evaluations under way, or begun later, come back as LOST."""
        self._closing.set()
        supervisors = [slot.supervisor for slot in self.workers if slot.supervisor]
        await asyncio.gather(*(asyncio.to_thread(supervisor.close) for supervisor in supervisors))
        await asyncio.to_thread(self._threads.shutdown)

    def _evaluate(self, slot: _LocalSlot, job: Job) -> Evaluation:
        if slot.supervisor is None or not slot.supervisor.alive:
            if slot.supervisor is not None:
                slot.supervisor.close()
            slot.supervisor = SupervisorProcess(slot.settings)
            if self._closing.is_set():  # `close` may have looked for it before it was there
                slot.supervisor.close()
        return slot.supervisor.evaluate(job)


def _lost(settings: WorkerSettings, job: Job) -> Evaluation:
    return Evaluation(
        status=Status.LOST,
        seed=job.seed,
        device=settings.device,
        clock=settings.clock,
        sandbox="none",
        reason="the workers are being ended",
    )

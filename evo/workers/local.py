"""Workers on this machine: one supervisor process each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from evo.config.resolved import ResolvedConfig
from evo.workers.evaluator import Slot
from trainer.cluster.parcels import Content
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess, WorkerSettings
from trainer.machine.devices import Device


@dataclass(eq=False, slots=True, kw_only=True)
class _LocalSlot(Slot):
    """A worker's slot; its supervisor starts with its first job, so that all of them start in parallel."""

    settings: WorkerSettings
    supervisor: SupervisorProcess | None = None
    cancelled: Event = field(default_factory=Event)


class LocalEvaluator:
    """One supervisor a worker; a supervisor that dies is replaced at the next job (`evo.workers.Evaluator`).

    Args:
        settings: one for each worker.
        devices: of the workers, in the same order.

    Attributes:
        workers: the slots of all workers.
    """

    def __init__(self, settings: Sequence[WorkerSettings], devices: Sequence[Device]) -> None:
        self.workers = tuple(
            _LocalSlot(f"{worker.device_name}/{number}", device, settings=worker)
            for number, (worker, device) in enumerate(zip(settings, devices, strict=True))
        )
        # One thread per worker, which only waits for its supervisor.
        self._threads = ThreadPoolExecutor(max_workers=len(settings), thread_name_prefix="evo-worker")
        self._closing = Event()

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job; raises MachineError when a supervisor cannot be started."""
        assert isinstance(slot, _LocalSlot)  # noqa: S101 - one of this evaluator's
        if self._closing.is_set():
            return _lost(slot.settings, job)
        slot.cancelled.clear()
        work = asyncio.get_running_loop().run_in_executor(self._threads, self._evaluate, slot, job)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            slot.cancelled.set()
            if slot.supervisor is not None:
                await asyncio.to_thread(slot.supervisor.close)
            await asyncio.wait([work])  # where the supervisor was still starting
            raise

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
            if self._closing.is_set() or slot.cancelled.is_set():  # they may have looked before it was there
                slot.supervisor.close()
        return slot.supervisor.evaluate(job)


def build(
    config: ResolvedConfig, settings: Sequence[WorkerSettings], _contents: Mapping[Content, Path]
) -> LocalEvaluator:
    """Return the workers of a run on this machine (`evo.workers.evaluator.Build`)."""
    return LocalEvaluator(settings, config.devices)


def _lost(settings: WorkerSettings, job: Job) -> Evaluation:
    return Evaluation(
        status=Status.LOST,
        seed=job.seed,
        device=settings.device,
        clock=settings.clock,
        sandbox="none",
        reason="the workers are being ended",
    )

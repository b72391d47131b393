"""Stand-in evaluators with a pace, and with workers that fail."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from stand_in_evaluator import StandInEvaluator

from evo.workers.evaluator import Slot
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Status


@dataclass
class PacedEvaluator(StandInEvaluator):
    """Loses nothing of itself; every evaluation takes `turns` of the event loop, then `seconds`.

    Attributes:
        stubborn: whether closing it does not end what is under way.
        evaluated: every job that came to a verdict.
    """

    turns: int = 0
    seconds: float = 0.0
    stubborn: bool = False
    evaluated: list[Job] = field(default_factory=list, init=False)
    _closing: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    def __post_init__(self) -> None:
        self._lost = True

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.seconds and await self._is_closed_within(self.seconds):
            return self._failed(job, Status.LOST, "the workers are being ended")
        self.evaluated.append(job)
        return await self.verdict(slot, job)

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        return await super().evaluate(slot, job)

    async def close(self) -> None:
        if not self.stubborn:
            self._closing.set()

    async def _is_closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


@dataclass
class SteadyEvaluator(PacedEvaluator):
    """Measures the same with every seed."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        return replace(await super().verdict(slot, replace(job, seed=0)), seed=job.seed)


@dataclass
class FailingOffspring(PacedEvaluator):
    """Only generation 0 ever ends OK."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if job.genome == self.generation_zero:
            return await super().verdict(slot, job)
        return self._failed(job, Status.CRASHED, "ValueError: as always")


@dataclass
class BrokenGenerationZero(PacedEvaluator):
    """Generation 0 crashes."""

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        return self._failed(job, Status.CRASHED, "ImportError: No module named 'nowhere'")


@dataclass
class LosingEvaluator(PacedEvaluator):
    """Loses what `poisons` names (a text in the genome), and after `healthy` verdicts everything."""

    poison: str = "\0"
    healthy: int = 10**9

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if self.poison in job.genome or len(self.evaluated) > self.healthy:
            return self._failed(job, Status.LOST, "the supervisor ended before its verdict")
        return await super().verdict(slot, job)


@dataclass
class UnstartableEvaluator(PacedEvaluator):
    """After `healthy` verdicts no worker starts any more."""

    healthy: int = 0

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if len(self.evaluated) > self.healthy:
            raise MachineError("The supervisor of cpu did not start: out of memory.")
        return await super().verdict(slot, job)


@dataclass
class BrokenWorkers(PacedEvaluator):
    """Some workers are broken: what they are given is lost, or they do not even start.

    Attributes:
        broken: their places among all workers.
        starts: whether they start.
        healthy: verdicts of all workers before they break.
        retired: names of the workers that were retired.
    """

    broken: tuple[int, ...] = (0,)
    starts: bool = True
    healthy: int = 0
    retired: list[str] = field(default_factory=list, init=False)

    async def verdict(self, slot: Slot, job: Job) -> Evaluation:
        if self.workers.index(slot) not in self.broken or len(self.evaluated) <= self.healthy:
            return await super().verdict(slot, job)
        self.evaluated.pop()
        if not self.starts:
            raise MachineError("GPU-1 does not answer its driver: GPU is lost.")
        return self._failed(job, Status.LOST, "GPU-1 does not answer its driver: GPU is lost.")

    def retire(self, slot: Slot) -> None:
        self.retired.append(slot.name)

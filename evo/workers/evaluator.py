"""The contract between the search and whatever trains and scores genomes."""

from __future__ import annotations

from typing import Protocol

from trainer.evaluation import Evaluation, Job


class Slot(Protocol):
    """One place where an evaluation can run."""

    @property
    def name(self) -> str:
        """Device and number, as the store records it."""
        ...


class Evaluator(Protocol):
    """Evaluates jobs, as many at a time as it has slots."""

    @property
    def slots(self) -> int:
        """How many jobs may be under way together."""
        ...

    def reserve(self) -> Slot:
        """Take a free slot; there must be one."""
        ...

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job in a reserved slot and free it; LOST where the infrastructure failed."""
        ...

    async def close(self) -> None:
        """End everything that runs; evaluations under way come back as LOST."""
        ...

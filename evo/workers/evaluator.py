"""The contract between the search and whatever trains and scores genomes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from trainer.evaluation import Evaluation, Job


class Slot(Protocol):
    """One place where an evaluation can run."""

    @property
    def name(self) -> str:
        """Device and number, as the store records it."""
        ...


class Evaluator(Protocol):
    """Evaluates jobs, one at a time in each of its slots."""

    @property
    def workers(self) -> Sequence[Slot]:
        """The slots of all its workers."""
        ...

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job in a slot where nothing else runs; LOST where the infrastructure failed.

        Raises:
            MachineError: the worker of the slot did not start.
        """
        ...

    def retire(self, slot: Slot) -> None:
        """End the worker of a slot where nothing runs, and give back what it holds; it gets no more jobs."""
        ...

    async def close(self) -> None:
        """End everything that runs; evaluations under way come back as LOST."""
        ...

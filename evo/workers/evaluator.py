"""The contract between the search and whatever trains and scores genomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from evo.config.resolved import ResolvedConfig
from trainer.cluster.parcels import Content
from trainer.evaluation import Evaluation, Job
from trainer.local import WorkerSettings
from trainer.machine.devices import Device

_CPU = Device("cpu", "", "CPU")


@dataclass(eq=False, slots=True)
class Slot:
    """One place where an evaluation can run.

    Attributes:
        name: device and number, as the store records it; no two slots of an evaluator share one.
        device: what it runs on.
    """

    name: str
    device: Device = _CPU


class Evaluator(Protocol):
    """Evaluates jobs, one at a time in each of its slots.

    `tests/contract/test_evaluator_contract.py` holds every implementation to this:

    - Workers start with their first job, so making an evaluator is cheap and starts no process.
    - Any text may be a genome. What is wrong with it is the `Status` of its evaluation, never an exception.
    - A smoke run (`Job.is_smoke`) is a job like any other, but its verdict tells only whether the program runs.
    - A failure of the infrastructure is LOST; a worker that died is replaced at the slot's next job.
    - A slot is free again as soon as `evaluate` has returned, raised or been cancelled: nothing of the job still runs.
    - After `close` no process is left, whatever was running.
    """

    @property
    def workers(self) -> Sequence[Slot]:
        """The slots of all workers; always the same ones, unless the evaluator is elastic."""

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Evaluate a job in a slot where nothing else runs; cancelling it ends the training.

        Raises:
            MachineError: the worker of the slot did not start.
        """

    def retire(self, slot: Slot) -> None:
        """End the worker of a free slot, in the background; the slot gets no more jobs."""

    async def close(self) -> None:
        """End every worker; evaluations under way come back as LOST. May be called again."""


class Build(Protocol):
    """How a kind of workers makes its evaluator: `build` of the module that `evo.config.workplaces` names."""

    def __call__(
        self, config: ResolvedConfig, settings: Sequence[WorkerSettings], contents: Mapping[Content, Path]
    ) -> Evaluator:
        """Return the evaluator of a run.

        Args:
            settings: of the supervisor of each of its workers, with the paths of this machine.
            contents: where the corpus or the frozen files lie here, for workers on other machines.

        Raises:
            ConfigError: none of the workers can be used.
        """


@runtime_checkable
class ElasticEvaluator(Evaluator, Protocol):
    """An evaluator whose workers join and leave while a search runs: `workers` are those of the moment.

    A slot that has left never comes back, nor does its name.
    """

    async def workers_changed(self) -> Sequence[str]:
        """Return once workers have joined, left or been refused, with a line on each for the user.

        Raises:
            MachineError: no worker can be reached any more, nor will one join.
        """

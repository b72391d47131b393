"""The configuration without a `None` that stands for "chosen for the device"."""

from __future__ import annotations

from typing import Annotated

from pydantic import Discriminator, Field, Tag

from evo.config.config import BudgetConfig, Config, OperatorsConfig, WorkersConfig
from evo.config.task import (
    EXTERNAL,
    LANGUAGE_MODEL,
    SCRIPT,
    ExternalTask,
    LanguageModelTask,
    Positive,
    Quantity,
    ScriptTask,
    Seconds,
    kind_of,
)
from operators.registry import OPERATORS
from trainer.evaluation import Clock
from trainer.machine.devices import Device


class ResolvedTask(LanguageModelTask):
    """The language-model task with its sizes."""

    sequence_length: Positive
    score_tokens: Positive


class ResolvedBudget(BudgetConfig):
    """The limits of one evaluation; of a script, about how long it runs."""

    train_seconds: Seconds
    clock: Clock


class ResolvedOperators(OperatorsConfig):
    """The operators in use."""

    weights: dict[str, float]


class ResolvedWorkers(WorkersConfig):
    """The workers; `count` is None on a cluster, whose nodes join and leave."""

    threads: Positive
    memory_mib: Quantity


class StoredConfig(Config):
    """The configuration that a run was driven with, as its folder keeps it; it reads on every machine."""

    task: Annotated[
        Annotated[ResolvedTask, Tag(LANGUAGE_MODEL)]
        | Annotated[ScriptTask, Tag(SCRIPT)]
        | Annotated[ExternalTask, Tag(EXTERNAL)],
        Discriminator(kind_of),
    ]
    budget: ResolvedBudget
    operators: ResolvedOperators

    @property
    def uses_language_model(self) -> bool:
        """Whether one of the operators calls a language model."""
        return any(OPERATORS[name].needs_llm for name in self.operators.weights)

    @property
    def uses_agent(self) -> bool:
        """Whether one of the operators runs a coding agent."""
        return any(OPERATORS[name].needs_agent for name in self.operators.weights)


class ResolvedConfig(StoredConfig):
    """What a search on this machine needs to begin (`evo.config.resolution.resolve`).

    Attributes:
        devices: one for each worker, of those there are at the start; they are not stored with a run.
        sandbox_found: the level that `workers.sandbox` stands for where candidates run, in words; likewise.
    """

    workers: ResolvedWorkers
    devices: Annotated[tuple[Device, ...], Field(min_length=1, exclude=True)]
    sandbox_found: Annotated[str, Field(exclude=True)]

    @property
    def device_kind(self) -> str:
        """The kind that all devices are of: `cpu`, `mps` or `cuda`."""
        return self.devices[0].kind

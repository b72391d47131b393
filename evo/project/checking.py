"""Holding an evo.toml against the disk, then against one evaluation of generation 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs.assemble import worker_settings
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import PrepareProgress, prepare_materials
from trainer.errors import ConfigError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess, WorkerSettings
from trainer.objectives import Constraint


@dataclass(frozen=True, slots=True)
class Trial:
    """A task that can be tried: everything that it names is there.

    Attributes:
        source: of generation 0.
        settings: of the supervisor that evaluates it.
        seed: that it is told.
    """

    source: str
    settings: WorkerSettings
    seed: int

    def run(self) -> Evaluation:
        """Evaluate generation 0 as a run does.

        Raises:
            MachineError: the machine lacks something that the evaluation needs.
        """
        with SupervisorProcess(self.settings) as supervisor:
            return supervisor.evaluate(Job(self.source, self.seed))


def trial(config: ResolvedConfig, progress: PrepareProgress | None = None) -> Trial:
    """Return what there is to try.

    Args:
        config: of the project.
        progress: told of the preparation of data.

    Raises:
        UsageError: a file, a program or a device that the configuration names is missing or cannot be used.
    """
    program = config.llm.program
    if program and not Path(program).is_file():
        raise ConfigError(f"`llm.program` must be a file with your instructions, but there is no file {program}.")
    source = read_generation_zero(config)
    materials = prepare_materials(config, progress)
    return Trial(source, worker_settings(config, materials)[0], config.search.seed)


def broken(config: Config, evaluation: Evaluation) -> Sequence[Constraint]:
    """Return the constraints that an evaluation breaks."""
    if evaluation.status is not Status.OK:
        return ()
    return [bound for bound in config.task.bounds if bound.violation(evaluation.objectives) > 0]

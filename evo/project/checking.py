"""Holding an evo.toml against the disk, then against evaluations of generation 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs.assemble import worker_settings
from evo.runs.generation_zero import read_generation_zero
from evo.runs.materials import PrepareProgress, prepare_materials
from evo.standings.plan import make_plan
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
        seeds: that it is told, one an evaluation: two where another seed may show other values.
        has_smoke_runs: whether a run tries every offspring for a moment before its evaluation.
    """

    source: str
    settings: WorkerSettings
    seeds: tuple[int, ...]
    has_smoke_runs: bool = False

    def run(self) -> tuple[Evaluation | None, list[Evaluation]]:
        """Try and evaluate generation 0 as a run does, with one seed after the other until something fails.

        Returns:
            The smoke run, None where a run makes none; and the evaluations, none after a failed smoke run.

        Raises:
            MachineError: the machine lacks something that the evaluation needs.
        """
        smoke, evaluations = None, list[Evaluation]()
        with SupervisorProcess(self.settings) as supervisor:
            if self.has_smoke_runs:
                smoke = supervisor.evaluate(Job(self.source, self.seeds[0], is_smoke=True))
                if smoke.status is not Status.OK:
                    return smoke, []
            for seed in self.seeds:
                evaluations.append(supervisor.evaluate(Job(self.source, seed, is_reference=True)))
                if evaluations[-1].status is not Status.OK:
                    break
        return smoke, evaluations


def trial(config: ResolvedConfig, progress: PrepareProgress | None = None) -> Trial:
    """Return what there is to try.

    Args:
        progress: told of the preparation of data.

    Raises:
        UsageError: a file, a program or a device that the configuration names is missing or cannot be used.
    """
    program = config.llm.program
    if program and not Path(program).is_file():
        raise ConfigError(f"`llm.program` must be a file with your instructions, but {program} is none.")
    source = read_generation_zero(config)
    materials = prepare_materials(config, progress)
    plan = make_plan(config)
    count = 2 if config.script and not plan.is_deterministic else 1
    seeds = tuple(map(plan.training_seed, range(count)))
    return Trial(source, worker_settings(config, materials)[0], seeds, bool(config.search.smoke))


def run_seconds(config: ResolvedConfig, evaluations: Sequence[Evaluation]) -> float:
    """Return how long a whole run takes, about, by evaluations of generation 0; seconds of wall time."""
    each = fmean(one.timings.total_seconds for one in evaluations)
    return each * config.search.evaluations / len(config.devices)


def is_alike(config: Config, evaluations: Sequence[Evaluation]) -> bool:
    """Return whether several seeds gave the same values to the last bit, in all that the task reports itself."""
    script = config.script
    names = [*script.objectives] if script else []
    return len(evaluations) > 1 and all(
        one.objectives.get(name) == evaluations[0].objectives.get(name) for one in evaluations for name in names
    )


def broken(config: Config, evaluation: Evaluation) -> Sequence[Constraint]:
    """Return the constraints that an evaluation breaks."""
    if evaluation.status is not Status.OK:
        return ()
    return [bound for bound in config.task.bounds if bound.violation(evaluation.objectives) > 0]

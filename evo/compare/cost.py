"""What an experiment will take before it starts: evaluations, GPU-hours, dollars, wall hours.

The estimate assumes that every budget is used up and every evaluation ends OK. Its figures for language models come
from public runs of such searches: a child costs about $0.08 with a Sonnet-class model.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evo.compare.arms import evaluation_seconds, expected_evaluations
from evo.compare.collecting import Definition
from evo.compare.experiment import Experiment
from evo.compare.running import GENERATION_ZERO, schedule
from evo.config.resolved import StoredConfig
from evo.standings.plan import make_plan
from evo.standings.usage import SECONDS_AN_HOUR, Prices
from operators.llm.prices import Usage, cost_usd
from operators.registry import OPERATORS
from trainer.errors import ConfigError

CHILD = Usage(input_tokens=13_000, output_tokens=5_000, cache_read_tokens=12_000)
"""Tokens of one child, repairs included."""
REPLY_SECONDS = 60.0
"""Latency of one child, which only a loop that proposes one at a time waits for."""
OUTSIDE_SECONDS = 29.0
"""Start, compilation and scoring of an evaluation; the median of 11,417 public trials on GPUs."""


@dataclass(frozen=True, slots=True)
class ArmCost:
    """What all runs of an arm take together.

    Attributes:
        evaluations: of the searches; about so many where the budget is another one.
        judging: evaluations of the chosen individuals, of generation 0 in the row of its own.
        gpu_hours: of both.
        llm_usd: for the language model; None where its price is unknown.
        worker_usd: what the hours are worth at `operators.dollars_per_hour`.
        run_hours: wall hours of one run and its judging.
    """

    arm: str
    runs: int
    evaluations: int
    judging: int
    gpu_hours: float
    llm_usd: float | None
    worker_usd: float
    run_hours: float


@dataclass(frozen=True, slots=True)
class ExperimentCost:
    """What an experiment takes.

    Attributes:
        arms: one an arm, then generation 0.
        wall_hours: of the whole on the workers there are.
        workers: how many these are.
        assumptions: sentences for a person.
    """

    arms: tuple[ArmCost, ...]
    wall_hours: float
    workers: int
    assumptions: tuple[str, ...]

    def total(self) -> ArmCost:
        """Return the sum."""
        llm = [one.llm_usd for one in self.arms]
        return ArmCost(
            arm="all",
            runs=sum(one.runs for one in self.arms),
            evaluations=sum(one.evaluations for one in self.arms),
            judging=sum(one.judging for one in self.arms),
            gpu_hours=math.fsum(one.gpu_hours for one in self.arms),
            llm_usd=None if None in llm else math.fsum(one or 0.0 for one in llm),
            worker_usd=math.fsum(one.worker_usd for one in self.arms),
            run_hours=self.wall_hours,
        )

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {
            "arms": [asdict(one) for one in self.arms],
            "total": asdict(self.total()),
            "wall_hours": self.wall_hours,
            "workers": self.workers,
            "assumptions": [*self.assumptions],
        }


def experiment_cost(definition: Definition) -> ExperimentCost:
    """Return what an experiment takes, whatever of it is done already.

    Raises:
        ConfigError: the length of an evaluation is unknown.
    """
    experiment, configs = definition.experiment, definition.configs
    seconds = _seconds(definition)
    names = [arm.name for arm in experiment.arms]
    arms = [_arm(experiment, name, config, seconds) for name, config in zip(names, configs, strict=True)]
    zero = _cost(experiment, "generation 0", configs[0], seconds)
    hours = {number: one.run_hours for number, one in enumerate(arms)} | {GENERATION_ZERO: zero.run_hours}
    workers = len(configs[0].devices)
    wall_hours = _makespan([hours[run.arm] for run in schedule(experiment)], workers)
    return ExperimentCost((*arms, zero), wall_hours, workers, tuple(_assumptions(definition, seconds)))


def _seconds(definition: Definition) -> float:
    found = evaluation_seconds(definition.experiment, definition.configs[0])
    if found is None:
        raise ConfigError(
            f"The task of {definition.experiment.name} does not say how long an evaluation takes, so nothing can be "
            "estimated. Say so with `budget.evaluation_seconds`."
        )
    return found if definition.experiment.budget.evaluation_seconds is not None else found + OUTSIDE_SECONDS


def _arm(experiment: Experiment, name: str, config: StoredConfig, seconds: float) -> ArmCost:
    prices, child_usd = Prices.of(config), _child_usd(config)
    evaluations = expected_evaluations(experiment, config, name)
    if experiment.budget.usd is not None and child_usd:
        # Children are paid for from the same budget.
        evaluations = int(experiment.budget.usd / (prices.worker_usd(seconds) + child_usd))
    children = evaluations - make_plan(config).baseline
    is_sequential = config.uses_language_model and config.search.pop == 1 and config.search.schedule == "generational"
    waiting_seconds = REPLY_SECONDS * children if is_sequential else 0.0
    llm_usd = None if child_usd is None else children * child_usd
    return _cost(experiment, name, config, seconds, evaluations, llm_usd, waiting_seconds)


def _cost(
    experiment: Experiment,
    name: str,
    config: StoredConfig,
    seconds: float,
    evaluations: int = 0,
    llm_usd: float | None = 0.0,
    waiting_seconds: float = 0.0,
) -> ArmCost:
    """Return what all runs of an arm take, from the evaluations and the other costs of one run without its judging."""
    repeats, judging, prices = experiment.repeats, experiment.outcome.seeds, Prices.of(config)
    run_seconds = (evaluations + judging) * seconds
    return ArmCost(
        arm=name,
        runs=repeats,
        evaluations=repeats * evaluations,
        judging=repeats * judging,
        gpu_hours=repeats * prices.gpu_seconds(run_seconds) / SECONDS_AN_HOUR,
        llm_usd=None if llm_usd is None else repeats * llm_usd,
        worker_usd=repeats * prices.worker_usd(run_seconds),
        run_hours=(run_seconds + waiting_seconds) / SECONDS_AN_HOUR,
    )


def _child_usd(config: StoredConfig) -> float | None:
    """Return what an offspring costs on average; None where the model's price is unknown."""
    weights = config.operators.weights
    asking = sum(weight for name, weight in weights.items() if OPERATORS[name].needs_llm)
    if not asking:
        return 0.0
    if config.uses_agent:
        return None  # it decides itself how much it asks for
    # An adaptive choice may come to use the model alone.
    share = 1.0 if config.operators.adaptive else asking / sum(weights.values())
    models = config.llm.entries
    costs = [cost_usd(CHILD, one.known_price, config.llm.cache_lifetime or "5m") for one in models]
    if None in costs:
        return None
    total = math.fsum(one.weight * (cost or 0.0) for one, cost in zip(models, costs, strict=True))
    return share * total / math.fsum(one.weight for one in models)


def _makespan(hours: Sequence[float], workers: int) -> float:
    """Return when the last of a list of runs ends, each begun by the next free worker."""
    free = [0.0] * workers
    for one in hours:
        heapq.heapreplace(free, free[0] + one)
    return max(free)


def _assumptions(definition: Definition, seconds: float) -> list[str]:
    experiment, config = definition.experiment, definition.configs[0]
    said = [f"An evaluation takes {seconds:g} s of a worker, and all of them end well."]
    if models := dict.fromkeys(
        model.name for one in definition.configs if one.uses_language_model for model in one.llm.entries
    ):
        said.append(
            f"A child of {', '.join(models)} takes {CHILD.cache_read_tokens:,} tokens read from the provider's cache, "
            f"{CHILD.input_tokens:,} others and {CHILD.output_tokens:,} written, repairs included; where proposals are "
            f"made one at a time, {REPLY_SECONDS:g} s each."
        )
        said.append("An adaptive choice of operators is taken to ask the model every time: the most that it can cost.")
    said.append(f"An hour of a worker is worth ${config.operators.dollars_per_hour:g}.")
    if experiment.budget.evaluations is None:
        said.append(f"Evaluations are what {experiment.budget} a run pay for; crashes are quicker and make room.")
    return said

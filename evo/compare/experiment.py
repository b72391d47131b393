"""The definition of an experiment: a TOML file that says what is compared, under which budget, and how often.

    name = "random-operators"
    repeats = 8                     # runs an arm
    paired = true                   # runs of one repeat share their seed
    budget.evaluations = 64         # of every run; or gpu_seconds, or usd
    outcome.seeds = 3               # fresh ones, for the individual that a run has chosen

    [base]                          # the sections of a search's configuration, for every arm: task, budget, search, ...
    search.pop = 16

    [[arms]]                        # the first is the one that the others are compared with
    name = "random"
    method = "random_mutation"      # one of `evo.compare.arms.METHODS`, and any section on top of it
    search.tournament_size = 3

What decides how individuals are measured is the same for all arms and belongs in `[base]` alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from evo.compare.methods import ARM_SECTIONS, METHODS
from evo.config.config import Config
from evo.config.names import PlainName
from evo.config.reading import explain, first_problem, located, read_toml, suggest
from evo.config.task import Positive, Quantity, Seconds, Section
from trainer.errors import ConfigError, counted

_MOST_OUTCOME_SEEDS = 100
_OWN_KEYS = ("name", "method")


class RunBudget(Section):
    """What every run may use, in one of three currencies; crashes, repairs and re-evaluations are included.

    Attributes:
        evaluations: whole ones; a rung costs its share (`evo.standings.rungs`).
        gpu_seconds: seconds of all devices together (`search.max_gpu_hours`).
        usd: these at `operators.dollars_per_hour`, and what language models cost (`search.max_usd`).
        evaluation_seconds: about how long an evaluation takes, for the estimate and for the plan of a run that is not
            limited in evaluations; the time that the task names by default.
    """

    evaluations: Positive | None = None
    gpu_seconds: Quantity | None = None
    usd: Quantity | None = None
    evaluation_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _one_currency(self) -> RunBudget:
        named = [name for name in ("evaluations", "gpu_seconds", "usd") if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError(
                f"must name one of evaluations, gpu_seconds and usd, but it names {' and '.join(named) or 'none'}"
            )
        return self

    def __str__(self) -> str:
        if self.evaluations is not None:
            return counted(self.evaluations, "evaluation")
        return f"${self.usd:g}" if self.usd is not None else f"{self.gpu_seconds:g} GPU-seconds"


class OutcomeConfig(Section):
    """How the individual that a run has chosen is judged.

    Attributes:
        seeds: of training, which no search uses; generation 0 runs with them too.
    """

    seeds: Annotated[int, Field(gt=0, le=_MOST_OUTCOME_SEEDS, strict=True)] = 3


class ArmConfig(Section):
    """One way of searching.

    Attributes:
        method: a preset of `evo.compare.arms`; empty for none.
        sections: of the configuration, laid over `[base]` and over the preset.
    """

    name: PlainName
    method: Literal[("", *METHODS)] = ""  # type: ignore[valid-type]
    sections: dict[str, dict[str, Any]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather_sections(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        sections = {name: value for name, value in data.items() if name in ARM_SECTIONS}
        for name in data:
            if name in Config.model_fields and name not in ARM_SECTIONS:
                raise ValueError(f"`{name}` decides how individuals are measured, so it belongs into [base]")
        return {**{name: value for name, value in data.items() if name not in sections}, "sections": sections}


class Experiment(Section):
    """A comparison of arms.

    Attributes:
        name: the folder's by default, and the report's.
        repeats: runs an arm.
        rehearsal: whether it only tries the machinery, so that its report must claim nothing.
        paired: whether runs of one repeat share their seed, and so what chance does to generation 0.
        seeds: of the runs; numbered from `first_seed` where none are named.
        base: the sections of a search's configuration.
    """

    name: PlainName
    repeats: Positive
    rehearsal: bool = False
    paired: bool = True
    seeds: tuple[Annotated[int, Field(ge=0, strict=True)], ...] = ()
    first_seed: Annotated[int, Field(ge=0, strict=True)] = 0
    budget: RunBudget
    outcome: OutcomeConfig = OutcomeConfig()
    base: dict[str, dict[str, Any]] = Field(default_factory=dict)
    arms: Annotated[tuple[ArmConfig, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _fits_together(self) -> Experiment:
        names = [arm.name for arm in self.arms]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"`arms` must have a name each, but {repeated[0]!r} is there twice")
        needed = self.repeats * (1 if self.paired else len(self.arms))
        if self.seeds and (len(self.seeds) < needed or len(set(self.seeds)) < len(self.seeds)):
            why = "one a repeat" if self.paired else "one a run"
            raise ValueError(
                f"`seeds` must be at least {needed} different numbers, {why}, but they were {[*self.seeds]}"
            )
        return self

    def seed_of(self, arm: int, repeat: int) -> int:
        """Return the seed of a run, by the numbers of its arm and its repeat, from 0."""
        place = repeat if self.paired else repeat * len(self.arms) + arm
        return self.seeds[place] if self.seeds else self.first_seed + place


def load_experiment(path: Path) -> Experiment:
    """Return the experiment that a TOML file defines; paths in it are taken from its folder.

    Raises:
        ConfigError: the file cannot be read, or a key or a value is wrong.
    """
    data = read_toml(path, "The experiment")
    if isinstance(data.get("base"), dict):
        data["base"] = located(data["base"], path.parent)
    if isinstance(data.get("arms"), list):
        data["arms"] = [located(arm, path.parent) if isinstance(arm, dict) else arm for arm in data["arms"]]
    return parse_experiment(data, str(path))


def parse_experiment(data: Mapping[str, Any], source: str) -> Experiment:
    """Return the experiment of parsed TOML; raise ConfigError with the first thing that is wrong."""
    try:
        return Experiment.model_validate(data)
    except ValidationError as error:
        raise ConfigError(_explained(first_problem(error), source)) from error


def _explained(problem: Any, source: str) -> str:
    location = problem["loc"]
    if location[:1] == ("arms",) and location[-1:] == ("method",) and problem["type"] == "literal_error":
        named = str(problem["input"])
        return f"{source}: `arms.{location[1]}.method` {named!r} is none; {suggest(named, METHODS)}"
    # `sections` is no key of the file, but where the arms keep theirs.
    return explain({**problem, "loc": tuple(one for one in location if one != "sections")}, source, _keys_of)


def _keys_of(location: Sequence[Any]) -> list[str]:
    match location:
        case ("arms", *_):
            return [*_OWN_KEYS, *ARM_SECTIONS]
        case ("budget",):
            return [*RunBudget.model_fields]
        case ("outcome",):
            return [*OutcomeConfig.model_fields]
    return [*Experiment.model_fields]

"""The definition of a ladder: one table in the file of a project.

    [ladder]
    total_seconds = 36000               # of all devices together, over all scales

    [[ladder.scale]]                    # from small to large
    name = "small"
    DEPTH = 4                           # a constant of the genomes: replaced at this scale, never part of a change
    budget.train_seconds = 30           # any key that lies in a section of the rest of the file
    search.pop = 16

    [[ladder.scale]]
    name = "large"                      # often nothing else: the project as it is

What a scale does not set is as in the rest of the file; a constant that another scale sets is as in the project.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from evo.config.config import Config
from evo.config.names import PlainName, is_plain
from evo.config.reading import LADDER, explain, first_problem, load_config, located, read_toml, suggest
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.config.task import EXTERNAL, Positive, Seconds, Section
from evo.runs.generation_zero import check_generation_zero, read_programs
from evo.studies.scale import MEASURING, Scale, is_constant_name
from operators.source.constants import Value
from trainer.errors import ConfigError
from trainer.objectives import Objective

_OWN_KEYS = ("name", "evaluation_seconds", "larger")
_BY_THE_LADDER = ("gens", "max_hours", "max_gpu_hours", "max_usd", "target", "patience")
"""Of `[search]`: what ends a run is the ladder's to set."""
_SAME = (*MEASURING, "search.objectives", "search.front", "search.seed", "search.seed_genomes", "search.parents")
"""What the scales share: which genomes can run, what is measured of them, and what a search starts from."""

_Share = Annotated[float, Field(ge=0, lt=0.5, allow_inf_nan=False, strict=True)]


class ScaleConfig(Section):
    """One scale.

    Attributes:
        name: of its folder, and in the report.
        evaluation_seconds: that an evaluation counts for; by default the seconds that it takes are measured.
        larger: whether it is larger than the one before, whatever its numbers say.
        table: constants of the genomes, and keys of the configuration within their sections.
    """

    name: PlainName
    evaluation_seconds: Seconds | None = None
    larger: bool = False
    table: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        table = {name: value for name, value in data.items() if name in Config.model_fields or is_constant_name(name)}
        for name, value in table.items():
            if name in Config.model_fields and not isinstance(value, Mapping):
                raise ValueError(f"`{name}` must be a table, but it was {value!r}")
        return {**{name: value for name, value in data.items() if name not in table}, "table": table}


class LadderConfig(Section):
    """A ladder.

    Attributes:
        name: of its folder; that of the file's folder by default.
        total_seconds: of all devices together, over all scales: searches, confirmations and comparisons.
        rounds: in which they are spent; fewer where a part would not pay for a generation at each scale.
        promote: individuals that go on to the next scale in a round, at most.
        compare: individuals that are measured at a scale and the next one in the first round, those promoted included.
        seeds: that each of them is measured with, none of which a search uses.
        final_seeds: further ones, that the best at the largest scale and generation 0 are measured with at the end.
        floor: share of a round that every scale gets, whatever it brought.
        scale: from small to large.
    """

    name: PlainName
    total_seconds: Seconds
    rounds: Positive = 4
    promote: Positive = 3
    compare: Annotated[int, Field(ge=4, strict=True)] = 8
    seeds: Positive = 1
    final_seeds: Annotated[int, Field(ge=2, strict=True)] = 3
    floor: _Share = 0.05
    scale: Annotated[tuple[ScaleConfig, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _fits_together(self) -> LadderConfig:
        names = [one.name for one in self.scale]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"`scale` must have a name each, but {repeated[0]!r} is there twice")
        if self.floor * len(names) > 1:
            raise ValueError(
                f"`floor` must be at most 1 / {len(names)}, a share for each scale, but it was {self.floor}"
            )
        return self


@dataclass(frozen=True, slots=True)
class LadderScale:
    """One scale as this machine would run it.

    Attributes:
        settings: what differs from the project, with a value for every constant that any scale sets.
        config: resolved; how long its run lasts is decided later.
        generation_zero: source, with the scale's constants.
        seed_genomes: sources of further programs to start from; only the smallest scale has any.
    """

    name: str
    evaluation_seconds: float | None
    settings: Scale
    config: ResolvedConfig
    generation_zero: str
    seed_genomes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """A ladder as this machine would climb it; its scales from small to large."""

    ladder: LadderConfig
    scales: Sequence[LadderScale]

    @property
    def objective(self) -> Objective:
        """What scales are compared in: the first objective."""
        config = self.scales[0].config
        return config.objectives(config.search.objectives[:1])[0]


def define(path: Path) -> Definition:
    """Return the ladder of a project's file as this machine would climb it.

    Raises:
        ConfigError: the file, a scale or a key is wrong, or a scale is not larger than the one before.
        GenomeError: generation 0 cannot be one.
    """
    ladder, base = read_ladder(path), load_config(path)
    if base.task.kind == EXTERNAL:
        raise ConfigError(f"{path}: `task.kind` is {EXTERNAL}, but evo ladder evaluates by itself.")
    named = [_settings(one, path) for one in ladder.scale]
    programs, names = read_programs(base), dict.fromkeys(name for one in named for name in one.constants)
    base = _searched_by_the_ladder(base, names)
    every = Scale({}, dict.fromkeys(names, 0), str(path)).values_in(programs.generation_zero, base.task.genome_files)
    scales: list[LadderScale] = []
    for one, own in zip(ladder.scale, named, strict=True):
        settings = Scale(own.keys, {**every, **own.constants}, own.source)
        config, files = resolve(settings.configured(base)), base.task.genome_files
        zero = settings.genome(programs.generation_zero, files, "generation 0")
        check_generation_zero(config, zero, settings.source)
        others = () if scales else [settings.genome(source, files, "a seed genome") for source in programs.others]
        scales.append(LadderScale(one.name, one.evaluation_seconds, settings, config, zero, others))
    for (before, after), one in zip(pairwise(scales), ladder.scale[1:], strict=True):
        if not one.larger:
            _require_larger(before, after)
    return Definition(ladder, scales)


def _searched_by_the_ladder(base: Config, constants: Iterable[str]) -> Config:
    """Return a configuration without what would end a run, in which no individual can leave its scale."""
    ends = dict.fromkeys(_BY_THE_LADDER[1:-1], None) | {"patience": 0}
    fixed = tuple(dict.fromkeys((*base.search.fixed_constants, *constants)))
    return base.with_search(**ends, fixed_constants=fixed)


def read_ladder(path: Path) -> LadderConfig:
    """Return `[ladder]` of a project's file; raise ConfigError with the first thing that is wrong."""
    table = read_toml(path, "The project's file").get(LADDER)
    if not isinstance(table, dict):
        raise ConfigError(
            f"{path} has no table [{LADDER}], which names the scales from small to large as [[ladder.scale]]."
        )
    scales = table.get("scale")
    if not isinstance(scales, list) or len(scales) < 2:
        count = len(scales) if isinstance(scales, list) else 0
        raise ConfigError(f"{path}: a ladder has two scales or more, each a [[ladder.scale]], but here it has {count}.")
    located_scales = [located(one, path.parent) if isinstance(one, dict) else one for one in scales]
    folder = path.resolve().parent.name
    data = {"name": folder if is_plain(folder) else LADDER, **table, "scale": located_scales}
    try:
        return LadderConfig.model_validate(data)
    except ValidationError as error:
        first = first_problem(error)
        place = tuple(part for part in first["loc"] if part != "table")
        raise ConfigError(explain({**first, "loc": (LADDER, *place)}, str(path), _keys_of)) from error


def _keys_of(location: Sequence[Any]) -> list[str]:
    if location[1:2] == ("scale",):
        return [*_OWN_KEYS, *Config.model_fields]
    return [*LadderConfig.model_fields]


def _settings(one: ScaleConfig, path: Path) -> Scale:
    """Return what a scale sets; raise ConfigError for what is not its to set."""
    settings = Scale.of_table(one.table, f"{path}, scale {one.name}")
    for key in settings.keys:
        section, _, name = key.partition(".")
        if not name:
            raise ConfigError(f"{settings.source}: `{key}` must have keys, but it has none.")
        if section == "search" and name in _BY_THE_LADDER:
            raise ConfigError(f"{settings.source}: `{key}` is the ladder's to set, by what it has to spend.")
        if same := next((same for same in _SAME if key == same or key.startswith(f"{same}.")), None):
            raise ConfigError(
                f"{settings.source}: `{same}` must be the same at all scales: it decides what is compared."
            )
        known = Config.model_fields[section].annotation
        fields = getattr(known, "model_fields", None)
        if fields is not None and name.partition(".")[0] not in fields:
            raise ConfigError(f"{settings.source}: `{key}` is not a configuration key; {suggest(name, fields)}")
    return settings


def _require_larger(before: LadderScale, after: LadderScale) -> None:
    """Raise ConfigError unless some number of a scale is larger than in the one before, and none is smaller."""
    changes = [(key, old, new) for key, old, new in _numbers(before, after) if old != new]
    smaller = next((one for one in changes if one[2] < one[1]), None)
    if changes and smaller is None:
        return
    why = f"{smaller[0]} falls from {smaller[1]} to {smaller[2]}" if smaller else "no number of it is larger"
    raise ConfigError(
        f"{after.settings.source}: it must be larger than {before.name}, the one before, but {why}. Scales go from "
        "small to large; if it is larger all the same, say so with `larger = true`."
    )


def _numbers(before: LadderScale, after: LadderScale) -> Iterator[tuple[str, Any, Any]]:
    """Yield the numbers that tell two scales apart, but for where they run and how they search."""
    keys = dict.fromkeys((*before.settings.keys, *after.settings.keys))
    pairs: list[tuple[str, Any, Any]] = [
        (key, _value(before.config, key), _value(after.config, key))
        for key in keys
        if key.partition(".")[0] in ("task", "budget")
    ]
    constants: Mapping[str, Value] = after.settings.constants
    pairs += [(name, before.settings.constants[name], value) for name, value in constants.items()]
    pairs.append(("evaluation_seconds", before.evaluation_seconds, after.evaluation_seconds))
    for key, old, new in pairs:
        if all(isinstance(value, int | float) and not isinstance(value, bool) for value in (old, new)):
            yield key, old, new


def _value(config: Config, key: str) -> Any:
    value: Any = config
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else getattr(value, part, None)
    return value

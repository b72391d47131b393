"""Reading a configuration: of TOML and of flags, with a sentence for what is wrong."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from evo.config.config import Config
from evo.config.models import ModelConfig, PriceConfig
from evo.config.renamed import with_current_names
from evo.config.task import (
    EXTERNAL,
    LANGUAGE_MODEL,
    SCRIPT,
    ExternalTask,
    LanguageModelTask,
    ObjectiveConfig,
    ScriptTask,
    kind_of,
)
from evo.files import is_file, read_text
from operators.registry import OPERATORS
from populations.descriptors import FROM_CODE, is_descriptor
from trainer.errors import ConfigError
from trainer.genome import BUILT_IN

_FLAGS = {
    "train_seconds": "--budget",
    "fixed_seconds": "--budget",
    "weights": "--operators",
    "count": "--workers",
    "max_cost_usd": "--max-cost",
    "front": "--objectives",
    "models": "--model",
}
"""The flags that are not called like the keys they set."""

LADDER = "ladder"
"""The table of a project's file that is no part of a run's configuration (`evo.scales.definition`)."""

TODO = "TODO"
"""What `evo init` writes for a value that only the user knows."""

_INNER_KEY = re.compile(r"`([\w.]+)` ")
_TYPES = {
    re.compile(r"valid tuple"): "list",
    re.compile(r"valid dictionary( or instance of \w+)?"): "table",
    re.compile(r", unable to .*"): "",
}
"""What pydantic calls the types of TOML."""

_WHERE_KEYS_ARE = (
    "keys of language models stay out of files, in the environment variable of the provider (ANTHROPIC_API_KEY, "
    "OPENAI_API_KEY) or the one that `key_variable` in [[llm.models]] names."
)

_OF_OTHER_WORKERS = {"local": ("address",), "ray": ("count", "devices")}
"""What a flag that names another kind of workers leaves behind."""

_ConfigT = TypeVar("_ConfigT", bound=Config)


def load_config(path: Path | None, flags: Mapping[str, Mapping[str, Any]] | None = None) -> Config:
    """Return the configuration of a TOML file (defaults without one) with flags laid over it.

    Args:
        path: the TOML file.
        flags: values by section and key, `llm.model` one name or several with weights; None values are flags that were
            not given.

    Raises:
        ConfigError: the file cannot be read, or a key or a value is wrong.
    """
    config = Config()
    if path:
        data = read_toml(path, "--config")
        if not data:
            raise ConfigError(f"--config {path} holds no setting. Write one for your project: evo init --force")
        data.pop(LADDER, None)  # says how `evo ladder` uses the rest
        config = parse_config(located(data, path.parent), source=f"--config {path}")
    return overlaid(config, flags or {})


def overlaid(config: Config, flags: Mapping[str, Mapping[str, Any]]) -> Config:
    """Return `config` with flags laid over it: values by section and key; None where a flag was not given.

    Raises:
        ConfigError: a value is wrong; the message names its flag.
    """
    data = config.model_dump(mode="json", exclude_none=True)
    if config.has_front_by_default:
        del data["search"]["front"]  # it follows the objectives that a flag may name
    if kind := flags.get("workers", {}).get("kind"):
        for key in _OF_OTHER_WORKERS[kind]:
            data["workers"].pop(key, None)
    for section, values in flags.items():
        data[section] |= {key: value for key, value in values.items() if value is not None}
    if (named := flags.get("llm", {}).get("model")) is not None:
        data["llm"] |= _named_models(named, data["llm"]["models"])
    return parse_config(data)


def _named_models(named: str | Mapping[str, float], known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the keys of `[llm]` that choose models by name; those known are taken as they are known."""
    weights = {named: 1.0} if isinstance(named, str) else named
    if not isinstance(weights, Mapping) or not weights:
        raise ConfigError(f"--model must name a language model, or several with their weights, but it was {named!r}.")
    entries = {one["name"]: one for one in known}
    if [*weights.values()] == [1.0] and not weights.keys() & entries.keys():
        return {"model": next(iter(weights)), "models": []}
    models = [{**entries.get(name, {"name": name}), "weight": weight} for name, weight in weights.items()]
    return {"model": models[0]["name"], "models": models}


def parse_config(data: Mapping[str, Any], source: str = "") -> Config:
    """Return the configuration of parsed TOML, with a warning for keys that were renamed; see `parse_as`.

    Raises:
        ConfigError: something is wrong, or it is a draft of `evo init`.
    """
    if open_key := _open_key(data.get("task")):
        raise ConfigError(
            f"{source or 'The configuration'} is a draft of evo init: `{open_key}` is still TODO. Fill it in, or "
            "answer the question in its first lines."
        )
    return parse_as(Config, with_current_names(data, source), source)


def is_draft(path: Path) -> bool:
    """Return whether a configuration is a draft of `evo init`, with a TODO left in it."""
    try:
        return bool(_open_key(read_toml(path, "draft").get("task")))
    except ConfigError:
        return False


def _open_key(value: Any, key: str = "task") -> str:
    """Return the key of the first TODO that `evo init` left; empty if there is none."""
    if value == TODO:
        return key
    if isinstance(value, Mapping):
        found = [key if name == TODO else _open_key(inner, f"{key}.{name}") for name, inner in value.items()]
    else:
        found = [_open_key(inner, key) for inner in value] if isinstance(value, list) else []
    return next(filter(None, found), "")


def parse_as(kind: type[_ConfigT], data: Mapping[str, Any], source: str = "") -> _ConfigT:
    """Return parsed TOML as one kind of configuration; raise ConfigError with the first thing that is wrong.

    Args:
        kind: of configuration.
        data: as TOML has it.
        source: the file it comes from; empty for flags, which are then called by their names.
    """
    try:
        config = kind.model_validate(with_current_names(data))
    except ValidationError as error:
        raise ConfigError(explain(first_problem(error), source)) from error
    _refuse_unmeasured(config, source)
    _refuse_unknown_operators(config, source)
    _refuse_impossible_diversity(config, source)
    return config


def _refuse_unmeasured(config: Config, source: str) -> None:
    for key in ("objectives", "front"):
        for name in getattr(config.search, key):
            if name not in config.task.measured:
                where = _called(["search", key], source)
                raise ConfigError(f"{where} {name!r} is not measured; {suggest(name, config.task.measured)}")


def _refuse_unknown_operators(config: Config, source: str) -> None:
    for name in config.operators.weights or ():
        if name not in OPERATORS:
            where = _called(["operators", "weights"], source)
            raise ConfigError(f"{where} {name!r} is no operator; {suggest(name, OPERATORS)}")


def _refuse_impossible_diversity(config: Config, source: str) -> None:
    def where(key: str) -> str:
        return _called(["diversity", key], source)

    diversity, mu = config.diversity, config.search.pop
    smallest = mu // diversity.islands
    if diversity.islands > 1 and smallest < 2:
        raise ConfigError(
            f"{where('islands')} was {diversity.islands}, but a population of {mu} has two individuals for each of at "
            f"most {max(1, mu // 2)}."
        )
    if diversity.islands > 1 and diversity.migrants >= smallest:
        raise ConfigError(
            f"{where('migrants')} was {diversity.migrants}, but an island of {smallest} must keep at least one."
        )
    measured = config.task.measured
    for name in diversity.descriptors:
        if not is_descriptor(name, measured):
            hint = suggest(name, (*FROM_CODE, *measured))
            raise ConfigError(f"{where('descriptors')} {name!r} is no descriptor and no constant in capitals; {hint}")


def located(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return parsed TOML with the paths in it taken from the folder that its file stands in."""
    located = {name: dict(table) if isinstance(table, dict) else table for name, table in data.items()}
    if kind_of(located.get("task", {})) in (SCRIPT, EXTERNAL):
        located["task"].setdefault("root", ".")
    for section, key in (("task", "root"), ("task", "genome"), ("llm", "program")):
        table = located.get(section)
        # Other kinds of values are refused later.
        if isinstance(table, dict) and isinstance(table.get(key), str) and table[key] and not _is_name(table, key):
            table[key] = _path(table[key], folder)
    _locate_agent(located.get("agent"), folder)
    search = located.get("search")
    if isinstance(search, dict) and isinstance(names := search.get("seed_genomes"), list):
        search["seed_genomes"] = [
            _path(one, folder) if isinstance(one, str) and one not in BUILT_IN else one for one in names
        ]
    return located


def _path(name: str, folder: Path) -> str:
    return os.path.realpath(folder / os.path.expanduser(name))  # noqa: PTH111 - Path raises for unknown users and rings


def _locate_agent(table: Any, folder: Path) -> None:
    """Take the paths of an agent's table from a folder: its program, the files that it is given, what it may see."""
    if not isinstance(table, dict):
        return  # refused later, as are other kinds of values below
    for key in ("command", "visible"):
        paths = table.get(key)
        if isinstance(paths, list) and all(isinstance(path, str) for path in paths):
            places = [folder.absolute() / os.path.expanduser(path) for path in paths]  # noqa: PTH111 - as in `_path`
            table[key] = [
                str(place)
                if path and (key == "visible" or (index == 0 and "/" in path) or (index and is_file(place)))
                else path
                for index, (path, place) in enumerate(zip(paths, places, strict=True))
            ]
    if isinstance(table.get("config_folder"), str) and table["config_folder"]:
        table["config_folder"] = _path(table["config_folder"], folder)


def _is_name(table: Mapping[str, Any], key: str) -> bool:
    """Return whether a value is no path: a built-in genome's name, or a file's name within the project of a script."""
    return key == "genome" and (kind_of(table) in (SCRIPT, EXTERNAL) or table[key] in BUILT_IN)


def read_toml(path: Path, name: str) -> dict[str, Any]:
    """Return the tables of a TOML file.

    Args:
        path: of the file.
        name: what the user calls it.

    Raises:
        ConfigError: it cannot be read, or is no TOML in UTF-8.
    """
    try:
        return tomllib.loads(read_text(path, is_given=True))
    except OSError as error:
        raise ConfigError(f"{name} {path} cannot be read: {error.strerror}. Expected a TOML file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} must be a TOML file in UTF-8, but {path} is not: {error}.") from error


def first_problem(error: ValidationError) -> Any:
    """Return the first thing that is wrong: a misspelt key, which often is what makes others wrong, before all else."""
    return min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")


def explain(problem: Any, source: str, keys_of: Callable[[Sequence[Any]], Sequence[str]] | None = None) -> str:
    """Return what is wrong with a value, in a line for a person.

    Args:
        problem: one of pydantic's errors.
        source: the file that it comes from; empty for flags.
        keys_of: the keys of the table at a place of pydantic's; those of the configuration by default.
    """
    location = [str(part) for part in problem["loc"]]
    if location[:1] == ["task"] and location[1:2] in ([LANGUAGE_MODEL], [SCRIPT], [EXTERNAL]):
        del location[1]  # which kind of task it is stands in no key but `kind`
    message = problem["msg"].removeprefix("Value error, ")
    if inner := _INNER_KEY.match(message):  # of a table whose keys do not fit together
        location, message = [*location, *inner[1].split(".")], message[inner.end() :]
    key = ".".join(location)
    name = _called(location, source)
    if problem["type"] == "extra_forbidden":
        siblings = (keys_of or _keys_of)(problem["loc"][:-1])
        if location[0] == "llm" and location[-1].endswith(("key", "token")):
            return f"{name} is not a configuration key: {_WHERE_KEYS_ARE}"
        return f"{name} is not a configuration key; {suggest(location[-1], siblings)}"
    if problem["type"] == "missing":
        return f"{name} is missing."
    if problem["type"] == "union_tag_invalid":
        kind = problem["input"]["kind"]
        return f"{source}: `{key}.kind` must be {LANGUAGE_MODEL!r} or {SCRIPT!r}, but it was {kind!r}."
    if problem["type"] == "value_error":
        return f"{name} {message}" if message.endswith((".", "?")) else f"{name} {message}."
    for python, toml in _TYPES.items():
        message = python.sub(toml, message)
    return f"{name} was {problem['input']!r}: {message[0].lower()}{message[1:]}."


def _called(location: Sequence[str], source: str) -> str:
    """Return what the user calls a key: by its file, or by its flag where no file is the source."""
    if source:
        return f"{source}: `{'.'.join(location)}`"
    key = location[1]
    return _FLAGS.get(key, f"--{key.replace('_', '-')}")


def _keys_of(location: Sequence[Any]) -> list[str]:
    """Return the keys of the table at a place of pydantic's."""
    if location[:1] == ("task",):
        task = {LANGUAGE_MODEL: LanguageModelTask, SCRIPT: ScriptTask, EXTERNAL: ExternalTask}[location[1]]
        section: Any = ObjectiveConfig if len(location) > 2 else task
    elif location[:2] == ("llm", "models"):
        section = PriceConfig if len(location) > 3 else ModelConfig
    else:
        section = Config.model_fields[location[0]].annotation if location else Config
    fields = getattr(section, "model_fields", {})
    return [field.alias or name for name, field in fields.items()]


def suggest(name: str, known: Iterable[str]) -> str:
    """Return what may have been meant by a name: the most similar of those known, or all of them."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(known)}."

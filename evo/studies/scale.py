"""Larger or smaller settings: keys of the configuration, and constants of the genomes that are replaced for it."""

from __future__ import annotations

import difflib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.text import sha256
from operators.source.constants import Constant, Value, find_constants, replace_constants
from trainer import genome
from trainer.errors import ConfigError

_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_FLAG = "--scale"
_SECTIONS = ("task", "budget")
MEASURING = ("task.kind", "task.root", "task.genome", "task.objectives")
"""What decides which genomes can run and what is measured of them."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Settings that some programs are measured at.

    Attributes:
        keys: values by dotted key of the configuration.
        constants: values by name of a constant of the genomes.
        source: where they come from, as messages call it.
    """

    keys: Mapping[str, Any]
    constants: Mapping[str, Value]
    source: str = _FLAG

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Scale:
        """Return the scale that arguments like `budget.train_seconds=300` and `DEPTH=12` name.

        Raises:
            ConfigError: one of them is none.
        """
        keys: dict[str, Any] = {}
        constants: dict[str, Value] = {}
        for text in texts:
            name, equals, written = (part.strip() for part in text.partition("="))
            if not equals or not written:
                raise ConfigError(f"--scale expects KEY=VALUE, as in budget.train_seconds=300, but got {text!r}.")
            if name in keys or name in constants:
                raise ConfigError(f"--scale names {name} twice.")
            if is_constant_name(name):
                constants[name] = _constant_value(name, _toml_value(written))
            else:
                keys[_scalable(name)] = _toml_value(written)
        return cls(keys, constants)

    @classmethod
    def of_table(cls, table: Mapping[str, Any], source: str) -> Scale:
        """Return the scale that a table of TOML names: constants in capitals, other keys within sections.

        Raises:
            ConfigError: the value of a constant is none.
        """
        constants = {
            name: _constant_value(name, value, source) for name, value in table.items() if is_constant_name(name)
        }
        keys = dict(_dotted({name: value for name, value in table.items() if name not in constants}))
        return cls(keys, constants, source)

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits, the same for the same settings."""
        return sha256(json.dumps(self.to_json(), sort_keys=True))[:8]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return {**self.keys, **self.constants}

    def configured(self, config: Config) -> Config:
        """Return a resolved configuration at this scale, to be resolved again.

        Raises:
            ConfigError: a key does not exist, or its value is wrong.
        """
        data = config.model_dump(mode="json", exclude_none=True)
        for name, value in self.keys.items():
            *sections, key = name.split(".")
            table = data
            for section in sections:
                table = table.setdefault(section, {})
                if not isinstance(table, dict):
                    raise ConfigError(f"{_called(name, self.source)} names a part of {section}, which has no parts.")
            table[key] = value
        return parse_config(data, self.source)

    def genome(self, source: str, names: Sequence[str], owner: str) -> str:
        """Return a genome with the scale's constants; messages call it the genome of `owner`.

        Raises:
            ConfigError: it lacks a constant, or has one of another type.
        """
        files = genome.split(source, names)
        constants = {name: _constants_of(name, text) for name, text in files.items()}
        for name, value in self.constants.items():
            holders = [file for file, found in constants.items() if name in found]
            if not holders:
                known = list(dict.fromkeys(one for found in constants.values() for one in found))
                similar = difflib.get_close_matches(name, known) or known
                raise ConfigError(
                    f"{_called(name, self.source)}: {owner} has no such constant, but {', '.join(similar) or 'none'}."
                )
            for file in holders:
                self._require_type(name, constants[file][name], owner)
                changed = replace_constants(genome.join({file: files[file]}), {name: value})
                files[file] = genome.split(changed, (file,))[file]
        return genome.join(files)

    def values_in(self, source: str, names: Sequence[str]) -> dict[str, Value]:
        """Return what a genome has for each of the scale's constants that it has."""
        files = genome.split(source, names)
        found = [_constants_of(name, text) for name, text in files.items()]
        return {name: own[name].value for name in self.constants for own in found if name in own}

    def _require_type(self, name: str, constant: Constant, owner: str) -> None:
        value = self.constants[name]
        if _kind(value) != _kind(constant.value) or (isinstance(value, float) and not math.isfinite(value)):
            raise ConfigError(
                f"{_called(name, self.source)} expects a value like {constant.text}, as {owner} has it, but got "
                f"{value!r}."
            )

    def overridden(self, zero: str, source: str, names: Sequence[str]) -> list[str]:
        """Return the constants of the scale in which an individual differs from generation 0: it loses them here."""
        old, new = genome.split(zero, names), genome.split(source, names)
        found = [(_constants_of(file, old[file]), _constants_of(file, new[file])) for file in names]
        return [
            f"{name} {before[name].text} → {after[name].text}"
            for name in self.constants
            for before, after in found
            if name in before and name in after and before[name].text != after[name].text
        ]


def _toml_value(text: str) -> Any:
    """Return a value as TOML writes it; any other text is itself."""
    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return parsed["value"] if parsed.keys() == {"value"} else text


def is_constant_name(name: str) -> bool:
    """Return whether a name is that of a constant of genomes."""
    return _CONSTANT.fullmatch(name) is not None


def _called(name: str, source: str) -> str:
    """Return what messages call a key or a constant."""
    return f"{source} {name}" if source == _FLAG else f"{source}: `{name}`"


def _dotted(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping) and value:
            yield from _dotted(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _constant_value(name: str, value: Any, source: str = _FLAG) -> Value:
    match value:
        case bool() | int() | float() | str():
            return value
        case list() if value and all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
            return tuple(value)
    raise ConfigError(
        f"{_called(name, source)} expects a number, true or false, a text, or numbers in brackets, but got {value!r}."
    )


def _constants_of(file: str, text: str) -> dict[str, Constant]:
    return find_constants(genome.join({file: text}))


def _kind(value: Value) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _scalable(name: str) -> str:
    """Return a configuration key that an evaluation depends on; raise ConfigError for any other."""
    section, dot, key = name.partition(".")
    if section not in _SECTIONS or not dot or not key:
        raise ConfigError(
            f"--scale expects a key of [task] or [budget], as budget.train_seconds, or a constant in capitals, "
            f"but got {name!r}."
        )
    if any(name == fixed or name.startswith(f"{fixed}.") for fixed in MEASURING):
        raise ConfigError(f"--scale cannot change {name}: it decides what is measured. Begin a new run for that.")
    return name

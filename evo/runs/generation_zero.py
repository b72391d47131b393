"""The programs that a run starts from: reading them from where the user keeps them, and what is said of bad ones."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from evo.config.config import Config
from evo.config.task import ScriptTask
from evo.errors import StoreError
from evo.files import read_bytes
from evo.store import Store, StoreView
from operators.gate import Contract, SourceGate, clean_source, language_model_contract, script_contract
from operators.proposal import Refused
from operators.protection import UNPROTECTED, Protection, Reported
from operators.source.constants import find_constants
from populations.diversity import normal_form
from trainer.errors import ConfigError, GenomeError
from trainer.genome import BUILT_IN, built_in, join, split
from trainer.languages import PYTHON, language_of

_FILES = "genome_files"
_ADVICE = f" Built-in genomes are named {' or '.join(filter(None, BUILT_IN))}; without a name, the strong one evolves."


class Programs(NamedTuple):
    """What a run starts from.

    Attributes:
        others: sources of further individuals beside it, which have passed the gate.
    """

    generation_zero: str
    others: Sequence[str] = ()


def read_programs(config: Config) -> Programs:
    """Return what the configuration of a run names; raise GenomeError when one of them cannot be used."""
    source = read_generation_zero(config)
    return Programs(source, read_seed_genomes(config, source))


def read_generation_zero(config: Config) -> str:
    """Return the source of generation 0 of a run; raise GenomeError when it cannot be one."""
    source = read_script_genome(config.script) if config.script else read_genome(str(config.task.genome))
    protection_of(config, source)
    return source


def read_seed_genomes(config: Config, generation_zero: str) -> list[str]:
    """Return the further programs that a run starts from, each of which may become an individual beside generation 0.

    Raises:
        GenomeError: one cannot be read, or the gate refuses it.
    """
    script, sources = config.script, list[str]()
    known = {normal_form(generation_zero): 0}
    gate = gate_of(config, lambda: generation_zero, known.get)
    for name in config.search.seed_genomes:
        source = _read_seed(name, script.genome if script else ())
        try:
            gate.check(source)
        except Refused as refusal:
            raise GenomeError(f"{name!r} cannot be a seed genome: {refusal}.") from None
        sources.append(source)
        known[normal_form(source)] = len(sources)
    return sources


def gate_of(config: Config, generation_zero: Callable[[], str], known: Callable[[str], int | None]) -> SourceGate:
    """Return the gate of a run.

    Args:
        generation_zero: loads its source.
        known: maps a normal form to the program that has it already.
    """
    script = config.script
    contract = script_contract(script.genome, generation_zero) if script else language_model_contract
    return SourceGate(contract, known, protection=cache(lambda: protection_of(config, generation_zero())))


def _read_seed(name: str, files: Sequence[str]) -> str:
    path = Path(name)
    if files and path.is_dir():
        return join({file: _read_inside(path, file) for file in files})
    if len(files) > 1:
        raise GenomeError(f"Expected a folder with {', '.join(files)} as a seed genome, but {name} is none.")
    if not files and name in BUILT_IN:
        return built_in(name)
    source = read_source(path)
    return join({files[0]: source}) if files else source


def read_script_genome(task: ScriptTask) -> str:
    """Return the source of a script's generation 0: its files as one text.

    Raises:
        GenomeError: one of them is missing, unreadable, empty, not UTF-8, outside the project, or cannot be parsed.
    """
    source = join({name: _read_inside(task.folder, name) for name in task.genome})
    _check(source, ", ".join(task.genome), script_contract(task.genome))
    return source


def protection_of(config: Config, source: str) -> Protection:
    """Return what no individual may change of generation 0: what a script protects, and `search.fixed_constants`.

    Raises:
        ConfigError: one of these names what `source` does not have, or its marks do not fit together.
    """
    task, files = config.script, config.task.genome_files
    fixed = [entry for name in config.search.fixed_constants for entry in _entries_of(name, source, files)]
    if task is None:
        return Protection(source, files, fixed) if fixed else UNPROTECTED
    # With a trusted `score` command, what the genome prints counts for nothing.
    read = task.objectives if task.self_reported else {}
    reported = [Reported(name, one.pattern, one.json_file) for name, one in read.items()]
    return Protection(source, files, (*task.protect, *fixed), reported, task.frozen)


def _entries_of(constant: str, source: str, files: Sequence[str]) -> list[str]:
    """Return what protects a constant, as entries of `task.protect`."""
    entries = []
    for file, text in split(source, files).items():
        if constant in find_constants(join({file: text})):
            line = re.search(rf"^\s*(.*?\b{re.escape(constant)}\b)", text, re.MULTILINE)
            entry = constant if language_of(file) is PYTHON or line is None else line[1]
            entries.append(entry if len(files) == 1 else f"{file}: {entry}")
    if not entries:
        raise ConfigError(f"`search.fixed_constants` names {constant!r}, but generation 0 has no such constant.")
    return entries


def check_generation_zero(config: Config, source: str, name: str) -> None:
    """Raise GenomeError or ConfigError unless a source can be generation 0 of a run; messages call it `name`."""
    script = config.script
    _check(source, name, script_contract(script.genome) if script else language_model_contract)
    protection_of(config, source)


def keep_genome_files(store: Store, names: Sequence[str]) -> None:
    """Remember the names of the files that the genomes of a run consist of."""
    store.set_meta(_FILES, json.dumps(names))


def genome_files(store: StoreView) -> tuple[str, ...]:
    """Return the names of the files that the genomes of a run consist of."""
    try:
        return tuple(map(str, json.loads(store.meta(_FILES) or '["train.py"]')))
    except (ValueError, TypeError) as error:
        raise StoreError(f"The store is damaged: the names of its files cannot be read ({error}).") from error


def read_genome(path: str) -> str:
    """Return the source of generation 0: a built-in genome by its name, or a file by its path.

    Raises:
        GenomeError: the file is missing, unreadable, empty, not UTF-8, or not a genome of the language-model task.
    """
    if path in BUILT_IN:
        return built_in(path)
    source = read_source(Path(path), _ADVICE)
    _check(source, path, language_model_contract, _ADVICE)
    return source


def _check(source: str, name: str, contract: Contract, advice: str = "") -> None:
    try:
        SourceGate(contract, known=lambda _: None).check(source)
    except Refused as refusal:
        raise GenomeError(f"{name} cannot be generation 0: {refusal}.{advice}") from None


def _read_inside(root: Path, name: str) -> str:
    path = root / name
    real = Path(os.path.realpath(path))  # Path.resolve raises for links in a ring
    if not real.is_relative_to(os.path.realpath(root)):
        raise GenomeError(f"`task.genome` must lie in the project {root}, but {name} leads to {real}.")
    if real.exists() and not (real.is_file() or real.is_dir()):  # reading a pipe waits for what writes into it
        raise GenomeError(f"Expected a file with a program, but {path} is a pipe or a device.")
    return read_source(path)


def read_source(path: Path, advice: str = "") -> str:
    """Return the program or text in a file, in the form of all genomes; raise GenomeError where there is none."""
    try:
        content = read_bytes(path, is_given=True)
    except IsADirectoryError:
        raise GenomeError(f"Expected a file with a program, but {path} is a folder.") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL, which only a TOML file can give
        reason = error.strerror if isinstance(error, OSError) else error
        raise GenomeError(f"Expected a file with a program, but {path} cannot be read: {reason}.{advice}") from None
    if not content.strip():
        raise GenomeError(f"Expected a program or a text, but {path} is empty.")
    try:
        return clean_source(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise GenomeError(
            f"Expected {path} to be UTF-8 text, but byte {error.start} is not. Save it as UTF-8 and try again."
        ) from None

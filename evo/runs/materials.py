"""What a task needs beside its genomes: the corpus of the language-model task, the frozen files of a script."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.config.task import ObjectiveConfig, ScriptTask
from evo.store import Store, StoreView
from trainer.corpus import Corpus, prepare
from trainer.corpus.cache import default_cache
from trainer.errors import ConfigError
from trainer.genome import BUILT_IN
from trainer.languages import language_of
from trainer.machine.devices import Device
from trainer.script import Frozen, Reading, ScriptSettings, find_program, freeze, with_seed, without_environment
from trainer.script.secrets import password_in_url, secret_by_value
from trainer.settings import Limits

PrepareProgress = Callable[[str, int, int], None]

_FROZEN = "frozen_files"
_SCRIPT_SUFFIXES = (".py", ".sh")
_NO_CODE = ("text", "markdown", "json", "sql", "yaml", "toml", "ini")
"""Languages whose files hold rows, or settings with keys among them."""
_SHOWN_CHARACTERS = 30_000  # of all frozen code together, in every call of a language model; cached by the provider


@dataclass(frozen=True, slots=True)
class ScriptFiles:
    """The frozen files of a script task, as they were when the run started or was resumed."""

    frozen: tuple[Frozen, ...]
    held_out: tuple[Frozen, ...]


Materials = Corpus | ScriptFiles


def prepare_materials(config: Config, progress: PrepareProgress | None = None) -> Materials:
    """Return what a resolved configuration's task needs, and find what is wrong with it.

    Raises:
        ConfigError: a file or a program that the task names does not exist.
        DatasetError: the dataset cannot be prepared.
    """
    task = config.task
    if not isinstance(task, ScriptTask):
        return prepare(task.dataset, vocab_size=task.vocab_size, progress=progress)
    for key, command, given in (
        ("command", task.command, (*task.genome, *task.frozen)),
        ("score", task.score, (*task.frozen, *task.held_out)),
        ("smoke", task.smoke, (*task.genome, *task.frozen)),
    ):
        if command:
            _, words = without_environment(command)
            find_program(words[0], task.folder, key)
            _refuse_absent(key, words, given, task.folder)
    _refuse_absent_seeds(task)
    return ScriptFiles(freeze(task.frozen, task.folder), freeze(task.held_out, task.folder, "held_out"))


def _refuse_absent(key: str, command: Sequence[str], given: Sequence[str], root: Path) -> None:
    """Raise ConfigError when a command names a script of the project that it is not given."""
    for word in command[1:]:
        path = PurePosixPath(word)
        if path.suffix in _SCRIPT_SUFFIXES and not any(map(path.is_relative_to, given)) and (root / path).is_file():
            raise ConfigError(
                f"`task.{key}` runs {word}, but is not given it: it sees {', '.join(given)} alone. "
                "Add the file to `task.frozen`."
            )


def _refuse_absent_seeds(task: ScriptTask) -> None:
    """Raise ConfigError when generation 0 has no literal at a place where the task says that a seed stands."""
    for place in task.seeds:
        path = task.folder / place.file
        if path.is_file() and not with_seed(path.read_text(encoding="utf-8", errors="replace"), [place], 0)[1]:
            raise ConfigError(
                f"`task.seed` names {place}, but {place.file} has no such whole number. Name the place as in "
                "train.py:SEED, train.py:Config.seed, train.py:random_state= or train.py:torch.manual_seed()."
            )


def frozen_digests(materials: Materials) -> dict[str, str]:
    """Return the sha256 of every frozen file of a task, by name; a corpus has none."""
    if not isinstance(materials, ScriptFiles):
        return {}
    return {one.name: one.sha256 for one in (*materials.frozen, *materials.held_out)}


def keep_materials(store: Store, materials: Materials) -> None:
    """Remember the content of a run's frozen files."""
    if isinstance(materials, ScriptFiles):
        store.set_meta(_FROZEN, json.dumps(frozen_digests(materials)))


def changed_materials(store: StoreView, materials: Materials) -> list[str]:
    """Return the names of the frozen files that are not what they were when the run began."""
    before, now = json.loads(store.meta(_FROZEN) or "{}"), frozen_digests(materials)
    return sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))


def refuse_other_materials(store: StoreView, materials: Materials) -> None:
    """Raise ConfigError when a frozen file is not what it was when the run began."""
    if changed := changed_materials(store, materials):
        raise ConfigError(
            f"The frozen {' and '.join(changed)} changed since this run began, and results before and after are not "
            "comparable. Undo the change, or begin a new run."
        )


def script_settings(
    config: ResolvedConfig, task: ScriptTask, files: ScriptFiles, device: Device, limits: Limits
) -> ScriptSettings:
    """Return the settings of one worker's supervisor for a script task."""
    needed = {*config.search.objectives, *config.search.front, *(bound.name for bound in task.bounds)}
    return ScriptSettings(
        root=task.folder,
        genome=task.genome,
        frozen=files.frozen,
        held_out=files.held_out,
        command=task.command,
        score=task.score,
        smoke=task.smoke,
        readings=tuple(_reading(name, one, name in needed) for name, one in task.objectives.items()),
        wall_seconds=task.wall_limit_seconds,
        fixed_seconds=task.fixed_seconds,
        environment=_passed_on(task.environment),
        seeds=task.seeds,
        compiled=default_cache() / "compiled",
        device=device.kind,
        device_id=device.id,
        threads=config.workers.threads,
        limits=limits,
        sandbox=config.workers.sandbox,
    )


def _passed_on(names: Sequence[str]) -> dict[str, str]:
    """Return the values of environment variables; raise ConfigError if one is a secret by its shape."""
    values = {name: os.environ[name] for name in names if name in os.environ}
    for name, value in values.items():
        if what := secret_by_value(value) or password_in_url(value):
            raise ConfigError(
                f"`task.environment` must not hand a secret to candidate code, but the value of {name} looks like "
                f"{what}. Leave {name} out."
            )
    return values


def frozen_texts(task: ScriptTask) -> tuple[tuple[str, str], ...]:
    """Return the names of the frozen files, with the texts of code as far as a prompt has room for them.

    The score command's files are none of a language model's business.
    """
    room = _SHOWN_CHARACTERS
    texts: list[tuple[str, str]] = []
    for name in task.frozen:
        path = task.folder / name
        if name in task.score:
            continue
        is_shown = language_of(name).name not in _NO_CODE and path.is_file()
        text = path.read_text(encoding="utf-8", errors="replace") if is_shown else ""
        text = text if len(text) <= room else ""
        texts.append((name, text))
        room -= len(text)
    return tuple(texts)


def _reading(name: str, objective: ObjectiveConfig, is_needed: bool) -> Reading:
    return Reading(
        name=name,
        pattern=objective.pattern or "",
        take=objective.take,
        json=objective.json_file or "",
        key=objective.key or name,
        unit=objective.unit,
        required=is_needed or objective.required,
    )


def describe_task(config: Config) -> str:
    """Return in a few words what a run evolves."""
    task = config.task
    if isinstance(task, ScriptTask):
        return f"script {', '.join(task.genome)} of {Path(task.root).name or task.root}"
    origin = f"the built-in {task.genome or 'strong'} genome" if task.genome in BUILT_IN else task.genome
    return f"language model on {task.dataset}, from {origin}"

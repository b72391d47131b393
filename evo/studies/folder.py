"""The folder of work over several runs: its lock, and what was decided when it began.

begun.json   the definition, and what it stood for on this machine, when the first run began
lock         held by the command as long as it works here
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo.config.config import Config
from evo.config.reading import parse_config
from evo.config.renamed import with_current_names
from evo.config.resolution import resolve
from evo.errors import ChangedExperiment, RunFolderError
from evo.files import read_text, replace_file
from evo.runs.folder import RunFolder, RunLock
from evo.text import sha256
from trainer.errors import ConfigError, MachineError

BEGUN = "begun.json"
_PROGRAM = "program_sha256"


@dataclass(frozen=True, slots=True)
class StudyFolder:
    """The paths of an experiment or a ladder."""

    path: Path

    def lock(self) -> RunLock:
        """Make the folder and take its lock.

        Raises:
            RunLocked: another process works in it.
            RunFolderError: the folder cannot be used, or holds a run.
        """
        if RunFolder(self.path).store.exists():
            raise RunFolderError(f"{self.path} holds a run. Choose another --out.")
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            RunFolder(self.path).refuse_network_file_system()
            return RunLock(self.path / "lock")
        except OSError as error:
            raise RunFolderError(f"The folder {self.path} cannot be used: {error}. Choose another --out.") from error

    @property
    def begun(self) -> dict[str, Any] | None:
        """What was decided when the work began; None before that."""
        return self.read(BEGUN)

    def begin(
        self,
        now: Mapping[str, Any],
        configs: str,
        may_change: Callable[[str, Any, Any], bool],
        growing: str,
        *,
        is_open: bool = False,
    ) -> None:
        """Keep what was decided when the work begins, and refuse to continue with something else.

        Args:
            now: everything that the results depend on; kept as JSON has it.
            configs: the key under which it has configurations, by name.
            may_change: whether the value of a dotted key may become another one.
            growing: says in a sentence what that is.
            is_open: whether nothing rests on what was recorded, so that anything may change.

        Raises:
            ChangedExperiment: something else was recorded.
            RunFolderError: the folder is that of other work.
        """
        now, before = json.loads(json.dumps(now)), self.begun
        if before is not None and configs not in before:
            raise RunFolderError(f"{self.path} holds the work of another command. Choose another --out.")
        if is_open and before != now:
            before = None
        current = before and before | {configs: {name: _as_recorded_now(one) for name, one in before[configs].items()}}
        if current is not None and (changes := [*_changes(current, now, may_change)]):
            more = f", and {len(changes) - 1} more" if len(changes) > 1 else ""
            raise ChangedExperiment(
                f"What is in {self.path} began with another definition: {changes[0]}{more}. Results of two definitions "
                f"do not mix: undo the change, or give another folder with --out. {growing}"
            )
        if before != now:
            self.write(BEGUN, now)

    def read(self, name: str) -> dict[str, Any] | None:
        """Return the content of one of the JSON files; None where there is none."""
        path = self.path / name
        try:
            data: dict[str, Any] = json.loads(read_text(path))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise MachineError(f"{path} was expected to be readable JSON, but it is not: {error}") from error
        return data

    def write(self, name: str, data: Mapping[str, Any]) -> None:
        """Replace one of the JSON files, durably."""
        path = self.path / name
        try:
            replace_file(path, json.dumps(data, indent=1), durable=True)
        except OSError as error:
            raise MachineError(f"{path} could not be written: {error.strerror}. Make room.") from error


def comparable(config: Config) -> dict[str, Any]:
    """Return a configuration without what may change meanwhile: where it runs, and where its model is served."""
    data = _without_places(config)
    program = Path(config.llm.program)
    if config.llm.program and program.is_file():
        data["llm"][_PROGRAM] = sha256(program.read_text(encoding="utf-8", errors="replace"))
    return data


def _without_places(config: Config) -> dict[str, Any]:
    return config.model_dump(
        mode="json", exclude={"workers": True, "llm": {"base_url": True, "models": {"__all__": {"base_url"}}}}
    )


def _as_recorded_now(recorded: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `comparable` gave in an older version as it would be given now, with keys that came since."""
    data = with_current_names(recorded)
    llm = dict(data.get("llm", {}))
    program = {_PROGRAM: llm.pop(_PROGRAM)} if _PROGRAM in llm else {}
    try:
        known = _without_places(resolve(parse_config({**data, "llm": llm}, BEGUN)))
    except ConfigError:
        return data
    return known | {"llm": known["llm"] | program}


def _changes(before: Any, now: Any, may_change: Callable[[str, Any, Any], bool], key: str = "") -> Iterator[str]:
    """Yield what changed, by dotted key."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        for name in dict.fromkeys((*before, *now)):
            yield from _changes(before.get(name), now.get(name), may_change, f"{key}.{name}" if key else name)
    elif before != now and not may_change(key, before, now):
        yield f"`{key.removeprefix('experiment.').removeprefix('ladder.')}` was {_shown(before)} and is {_shown(now)}"


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."

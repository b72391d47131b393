"""The folder of an experiment: ordinary run folders in blocks, and what was decided when it began.

begun.json                      the definition, and what it stood for on this machine, when the first run began
lock                            held by `evo compare` as long as it works here
block-01/ARM/                   a run, as `evo run` makes it
block-01/ARM/outcome-final.json what its chosen individual measured with fresh seeds
block-01/generation-zero.json   what generation 0 did with the same seeds
failures.json                   why runs failed
report.html, runs.csv, ...      the report and its data
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo.errors import RunFolderError
from evo.files import replace_file
from evo.runs.folder import RunFolder, RunLock
from trainer.errors import MachineError


@dataclass(frozen=True, slots=True)
class ExperimentFolder:
    """The paths of an experiment; blocks are numbered by repeat, from 0."""

    path: Path

    def block(self, repeat: int) -> Path:
        """Return the folder of a block."""
        return self.path / f"block-{repeat + 1:02}"

    def run(self, repeat: int, arm: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(self.block(repeat) / arm)

    def outcome(self, repeat: int, arm: str) -> Path:
        """Return the file of what the run's chosen individual measured."""
        return self.run(repeat, arm).path / "outcome-final.json"

    def generation_zero(self, repeat: int) -> Path:
        """Return the file of what generation 0 measured in a block."""
        return self.block(repeat) / "generation-zero.json"

    def lock(self) -> RunLock:
        """Make the folder and take its lock.

        Raises:
            RunLocked: another process works on the experiment.
            RunFolderError: the folder cannot be used.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            RunFolder(self.path).refuse_network_file_system()
            return RunLock(self.path / "lock")
        except OSError as error:
            raise RunFolderError(
                f"The folder {self.path} of the experiment cannot be used: {error}. Choose another --out."
            ) from error

    @property
    def begun(self) -> Mapping[str, Any] | None:
        """What was decided when the experiment began; None before that."""
        return self._read("begun.json")

    def begin(self, decided: Mapping[str, Any]) -> None:
        """Keep what was decided."""
        self._write("begun.json", decided)

    @property
    def failures(self) -> Mapping[str, str]:
        """Why runs failed, by `failure_key`."""
        return self._read("failures.json") or {}

    def record_failure(self, repeat: int, arm: str, reason: str | None) -> None:
        """Record why a run failed, or with None that it succeeded after all."""
        failures = dict(self.failures)
        before = failures.pop(self.failure_key(repeat, arm), None)
        if reason is not None:
            failures[self.failure_key(repeat, arm)] = reason
        if reason != before:
            self._write("failures.json", failures)

    def failure_key(self, repeat: int, arm: str) -> str:
        """Return what a run is called among the failures."""
        return f"{self.block(repeat).name}/{arm}"

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        try:
            data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise MachineError(f"{path} was expected to be readable JSON, but it is not: {error}") from error
        return data

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        path = self.path / name
        try:
            replace_file(path, json.dumps(data, indent=1), durable=True)
        except OSError as error:
            raise MachineError(f"{path} could not be written: {error.strerror}. Make room.") from error

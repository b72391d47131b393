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

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evo.runs.folder import RunFolder
from evo.studies.folder import StudyFolder


@dataclass(frozen=True, slots=True)
class ExperimentFolder(StudyFolder):
    """The paths of an experiment; blocks are numbered by repeat, from 0."""

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

    @property
    def failures(self) -> Mapping[str, str]:
        """Why runs failed, by `failure_key`."""
        return self.read("failures.json") or {}

    def record_failure(self, repeat: int, arm: str, reason: str | None) -> None:
        """Record why a run failed, or with None that it succeeded after all."""
        failures = dict(self.failures)
        before = failures.pop(self.failure_key(repeat, arm), None)
        if reason is not None:
            failures[self.failure_key(repeat, arm)] = reason
        if reason != before:
            self.write("failures.json", failures)

    def failure_key(self, repeat: int, arm: str) -> str:
        """Return what a run is called among the failures."""
        return f"{self.block(repeat).name}/{arm}"

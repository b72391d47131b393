"""What a tracker is told of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """A run.

    Attributes:
        folder: in the run's folder, for trackers that write files; it may not exist yet.
        settings: of the configuration, by dotted name.
    """

    name: str
    folder: Path
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TrackedResult:
    """One result.

    Attributes:
        number: its place in the order of results, from 1: the step of everything that is logged with it.
        at: when it came, seconds since 1970.
        objectives: as measured; empty unless `status` is `ok`.
        best: the best individual after it; None before there is one.
        best_means: of its objectives.
        best_genome: its files by name where this result made it the best, else empty.
        spent: evaluations of the whole budget so far.
        cost_usd: of language models when the result was read; None where a price is unknown.
    """

    number: int
    individual: int
    parents: tuple[int, ...]
    operator: str
    idea: str
    seed: int
    purpose: str
    status: str
    at: float
    objectives: Mapping[str, float]
    best: int | None
    best_means: Mapping[str, float]
    best_genome: Mapping[str, str]
    spent: float
    cost_usd: float | None

    def metrics(self) -> dict[str, float]:
        """Return what has a curve over the results: `NAME`, `best/NAME`, `best/individual`, `spent`, `cost_usd`."""
        curves = dict(self.objectives) | {f"best/{name}": value for name, value in self.best_means.items()}
        curves["spent"] = self.spent
        if self.best is not None:
            curves["best/individual"] = self.best
        if self.cost_usd is not None:
            curves["cost_usd"] = self.cost_usd
        return curves


class Tracker(Protocol):
    """Writes a run into a tracker of experiments. Every method may raise anything, and be called again."""

    def begin(self, run: TrackedRun, kept: dict[str, Any]) -> None:
        """Begin to track a run, or go on with it.

        Args:
            kept: JSON that the next driver's tracker gets, for what it needs to find the run again; empty at first.
        """

    def result(self, result: TrackedResult) -> None:
        """Log a result."""

    def flush(self) -> None:
        """See that what was logged is kept."""

    def end(self, state: str) -> None:
        """End; `state` is one of `evo.runs.status.State`."""

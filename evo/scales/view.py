"""What a ladder shows while it is climbed: what a program that watches one overrides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evo.config.resolved import ResolvedConfig
from evo.runs.materials import PrepareProgress
from evo.search.observer import Observer
from evo.studies.batch import Watcher
from evo.studies.measurement_cache import MeasurementCache
from trainer.objectives import Objective


class View:
    """Shows the progress of a ladder; this one shows nothing. Its methods must not raise."""

    @contextmanager
    def search(self, config: ResolvedConfig, path: Path) -> Iterator[tuple[Observer, PrepareProgress | None]]:  # noqa: ARG002
        """Watch the search at one scale."""
        yield Observer(), None

    @contextmanager
    def preparing(self) -> Iterator[PrepareProgress | None]:
        """Watch the preparation of data."""
        yield None

    def study(self, config: ResolvedConfig, objective: Objective, what: str, cache: MeasurementCache) -> Watcher:  # noqa: ARG002
        """Return what watches measurements; `what` says which in words."""
        return Watcher()

    def round_begun(self, number: int, left: int, evaluations: dict[str, int], seconds: float) -> None:
        """Report a round: its number, how many are to come with it, evaluations by scale, and the seconds left."""

    def note(self, message: str) -> None:
        """Report anything else worth a line."""

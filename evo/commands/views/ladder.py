"""The terminal during a ladder, and what stands at each of its scales."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from evo.commands.views.live import LiveView, preparation_bar
from evo.commands.views.study import Watch
from evo.commands.views.terminal import Remarks, literal, print_prose, print_table, print_whole
from evo.config.resolved import ResolvedConfig
from evo.runs.materials import PrepareProgress
from evo.scales.definition import Definition
from evo.scales.report import HEADER, LEFT, remarks, rows
from evo.scales.standing import LadderState
from evo.scales.view import View
from evo.search.observer import Observer
from evo.studies.measurement_cache import MeasurementCache
from evo.text import duration
from trainer.errors import counted
from trainer.objectives import Objective


class LadderView(Remarks, View):
    """Watches a ladder (`evo.scales.view.View`): each search as `evo run` shows it; all on stderr."""

    def __init__(self, definition: Definition, path: Path) -> None:
        super().__init__()
        self._definition = definition
        self._path = path

    @contextmanager
    def search(self, config: ResolvedConfig, path: Path) -> Iterator[tuple[Observer, PrepareProgress | None]]:
        """Show the search at one scale."""
        view = LiveView(config, path)
        with view:
            yield view, view.preparing

    @contextmanager
    def preparing(self) -> Iterator[PrepareProgress | None]:
        """Show the preparation of data."""
        with preparation_bar() as progress:
            yield progress

    def study(self, config: ResolvedConfig, objective: Objective, what: str, cache: MeasurementCache) -> Watch:
        """Show measurements."""
        return Watch(config, objective, what, cache)

    def round_begun(self, number: int, left: int, evaluations: dict[str, int], seconds: float) -> None:
        """Show what a round gives each scale."""
        given = ", ".join(f"{literal(name)} {count}" for name, count in evaluations.items())
        self._say(
            f"[bold]round {number}[/] of {literal(self._definition.ladder.name)} in {literal(str(self._path))}: "
            f"evaluations for {given}; {duration(seconds)} are left for {counted(left, 'round')}"
        )


def print_ladder(console: Console, state: LadderState) -> None:
    """Print what stands at each scale, what each has brought, and the gain at the largest."""
    spent = f"{duration(state.seconds)} of {duration(state.total_seconds)}"
    print_whole(console, f"[bold]{literal(state.name)}[/]: {counted(state.rounds, 'round')}, {spent} of all devices\n")
    print_table(console, HEADER, [[literal(cell) for cell in row] for row in rows(state)], left=LEFT)
    print_whole(console, "")
    print_prose(console, f"[bold]{literal(state.headline)}[/]")
    for remark in remarks(state):
        print_prose(console, f"[dim]{literal(remark)}[/]")

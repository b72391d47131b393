"""What a person sees while a run goes on: one line a result, and a status line that moves; all of it on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from evo.config import Config
from evo.plan import make_plan
from evo.resolution import uses_language_model, worker_devices
from evo.standings import Standings
from evo.store import IndividualRecord, Outcome, Purpose
from trainer.evaluation import Status
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

_MARKS = {Status.OK: "[green]✓[/]", Status.LOST: "[yellow]?[/]"}
_FAILURE_MARK = "[red]✗[/]"
_IDEA_WIDTH = 72


def stderr_console() -> Console:
    """Return a console on stderr."""
    return Console(stderr=True, highlight=False)


@contextmanager
def preparation_bar() -> Iterator[_Preparation]:
    """Show a progress bar while a corpus is prepared; yields what `trainer.corpus.prepare` reports to."""
    with _bar(stderr_console()) as bar:
        yield _Preparation(bar)


class _Preparation:
    """Turns (stage, done, total) into one bar a stage."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(f"data: {stage}", total=total or None)
        self._bar.update(self._tasks[stage], completed=done, total=total or None)

    def close(self) -> None:
        """Take the bars away."""
        for task in self._tasks.values():
            self._bar.remove_task(task)
        self._tasks.clear()


class LiveView:
    """Watches one run (`evo.progress.Observer`).

    Args:
        config: resolved.
        path: of the run's folder.
    """

    def __init__(self, config: Config, path: Path) -> None:
        self._config = config
        self._plan = make_plan(config)
        self._path = path
        self._console = stderr_console()
        self._bar = _bar(self._console)
        self._preparation = _Preparation(self._bar)
        self._task: TaskID | None = None
        self._running = 0
        self._started = 0.0
        self._told_before = 0

    def __enter__(self) -> Self:
        for line in self._opening():
            self._console.print(line)
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def preparing(self, stage: str, done: int, total: int) -> None:
        """Report the preparation of the data."""
        self._preparation(stage, done, total)

    def launched(self, running: int) -> None:
        """Show how many evaluations are under way."""
        self._running = running
        if self._task is None:
            self._preparation.close()
            self._task = self._bar.add_task("", total=self._plan.evaluations)
            self._started = time.monotonic()
        self._bar.update(self._task, description=self._status())

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Show one result."""
        self._running -= 1
        if self._told_before == 0:
            self._told_before = outcome.told - 1
        self._console.print(self._line(record, outcome, standings, reason))
        if self._task is not None:
            self._bar.update(self._task, completed=outcome.told, description=self._status(outcome.told))

    def note(self, message: str) -> None:
        """Show a remark."""
        self._console.print(f"[yellow]{escape(message)}[/]")

    def _opening(self) -> Iterator[str]:
        config, plan = self._config, self._plan
        workers = worker_devices(config.workers)
        yield f"[bold]{escape(str(self._path))}[/]: {plan.evaluations} evaluations of {config.budget.train_seconds:g} s"
        names = ", ".join(dict.fromkeys(device.name for device in workers))
        yield f"{len(workers)} worker{'s' if len(workers) > 1 else ''} on {workers[0].kind} ({escape(names)})"
        yield f"operators: {', '.join(config.operators.weights or {})}"
        if not uses_language_model(config):
            yield (
                "No language model: this run uses the classical operators. "
                "Set ANTHROPIC_API_KEY or ANTHROPIC_BASE_URL for one."
            )

    def _status(self, told: int = 0) -> str:
        running = f"{self._running} running"
        fresh = told - self._told_before
        if fresh <= 0:
            return running
        left = (time.monotonic() - self._started) / fresh * (self._plan.evaluations - told)
        return f"{running}, {timedelta(seconds=round(left))} left"

    def _line(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> str:
        mark = _MARKS.get(outcome.status, _FAILURE_MARK)
        what = "replicate" if outcome.purpose is Purpose.BASELINE else record.operator
        what = "confirmation" if outcome.purpose is Purpose.CONFIRM else what
        text = escape(f"{outcome.status}: {reason}" if reason else " ".join(record.idea.split()))[:_IDEA_WIDTH]
        best = standings.hall[0].id == record.id if len(standings.hall) else False
        star = " [bold green]best[/]" if best and outcome.purpose is Purpose.SEARCH else ""
        return f"{outcome.told:4d} {mark} #{record.id:<4d} {what:<13} {self._measured(outcome)}{star}  [dim]{text}[/]"

    def _measured(self, outcome: Outcome) -> str:
        first = LANGUAGE_MODEL_OBJECTIVES[self._config.search.objectives[0]]
        value = outcome.objectives.get(first.name)
        return " " * 8 if value is None else f"{value:8.4f}"


def _bar(console: Console) -> Progress:
    return Progress(
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
        console=console,
        transient=True,
    )

"""The terminal during an experiment: one line for each run that starts or ends, and a bar; all on stderr."""

from __future__ import annotations

import atexit
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from evo.commands.views.terminal import Remarks, literal, one_line, print_line
from evo.compare.experiment import Experiment
from evo.compare.running import Watcher
from evo.text import duration
from trainer.errors import counted
from trainer.machine.devices import Device


class ExperimentView(Remarks, Watcher):
    """Watches an experiment (`evo.compare.running.Watcher`)."""

    def __init__(self, experiment: Experiment, path: Path) -> None:
        super().__init__()
        self._experiment = experiment
        self._path = path
        atexit.register(self._console.show_cursor)
        self._bar = Progress(
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("", total=1.0, visible=False)
        self._began = 0.0
        self._share_before: float | None = None
        self._share = 0.0
        self._running = 0
        self._ended = self._runs = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begun(self, runs: int, done: int, workers: Sequence[Device]) -> None:
        """Print the size of the experiment."""
        experiment, self._runs, self._ended = self._experiment, runs, done
        self._began = time.monotonic()
        names = ", ".join(dict.fromkeys(device.name for device in workers))
        known = f", {done} of them done before" if done else ""
        self._say(
            f"[bold]{literal(experiment.name)}[/] in {literal(str(self._path))}: "
            f"{counted(len(experiment.arms), 'arm')} and generation 0 in {counted(experiment.repeats, 'block')}, "
            f"{counted(runs, 'run')}{known}; {experiment.budget} each, on "
            f"{counted(len(workers), 'worker')} ({literal(names)})"
        )

    def started(self, name: str, device: Device) -> None:
        """Show which run starts."""
        self._running += 1
        place = f"{device.kind}{':' + device.id if device.id else ''}"
        print_line(self._console, f"       [dim]{literal(name)} on {literal(place)}[/]")

    def moved(self, share: float) -> None:
        """Move the bar."""
        self._share = share
        if self._share_before is None:
            self._share_before = share
        self._bar.update(self._task, completed=share, description=self._status(), visible=True)

    def ended(self, name: str, how: str, *, well: bool) -> None:
        """Show how a run ended."""
        self._running -= 1
        self._ended += well
        mark = "[green]✓[/]" if well else "[red]✗[/]"
        left = "" if self._console.is_terminal else f", {self._left()}"
        place = f"{self._ended:>3} of {self._runs}"
        print_line(self._console, f"{place} {mark} {literal(name)}: {one_line(how)}{left}")

    def stopping(self) -> None:
        """Say that the experiment stops."""
        self._bar.stop()
        self._say("[yellow]Stopping after saving. Ctrl-C again ends it at once; what has finished is safe.[/]")

    def _status(self) -> str:
        return f"{self._ended} of {counted(self._runs, 'run')}, {self._running} under way, {self._left()}"

    def _left(self) -> str:
        gained = self._share - (self._share_before or 0.0)
        if gained <= 0:
            return "time left unknown yet"
        return f"about {duration((time.monotonic() - self._began) / gained * (1 - self._share))} left"

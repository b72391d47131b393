"""What a person sees while a run goes on: one line a result, and a status line that moves; all of it on stderr."""

from __future__ import annotations

import atexit
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from evo.commands.views.terminal import (
    Remarks,
    idea_beside,
    literal,
    one_line,
    print_cut,
    print_line,
    print_whole,
    stderr_console,
)
from evo.config.resolved import ResolvedConfig
from evo.runs.materials import describe_task
from evo.search.observer import Observer
from evo.search.time_limits import TimeLimits
from evo.standings.plan import Plan, make_plan
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, IndividualRecord, Outcome, Purpose
from evo.text import duration
from operators.naming import LLMName
from operators.services import PROVIDERS
from trainer.errors import counted
from trainer.evaluation import Status
from trainer.sandbox import Level, choose_level

_MARKS = {Status.OK: "[green]✓[/]", Status.LOST: "[yellow]?[/]"}
_INFEASIBLE_MARK = "[red]≠[/]"
_FAILURE_MARK = "[red]✗[/]"
_PURPOSES = {
    Purpose.BASELINE: "replicate",
    Purpose.CALIBRATION: "calibration",
    Purpose.REPLICATE: "new seed",
    Purpose.SENTINEL: "sentinel",
    Purpose.CONFIRM: "confirmation",
}
_HOW = 14
"""Columns for the name of an operator, of a language model's prompt style, or of a purpose."""
_SMALLEST_PLAIN = 1e-3


@contextmanager
def preparation_bar() -> Iterator[_Preparation]:
    """Show a progress bar while a corpus is prepared; yields what `trainer.corpus.prepare` reports to."""
    with _bar(stderr_console()) as bar:
        yield _Preparation(bar)


class _Preparation:
    """Turns (stage, done, total) into one bar a stage; off a terminal, into one line a stage."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(f"data: {stage}", total=total or None)
            if not self._bar.console.is_terminal:
                print_line(self._bar.console, f"data: {stage}")
        self._bar.update(self._tasks[stage], completed=done, total=total or None)

    def close(self) -> None:
        """Take the bars away."""
        for task in self._tasks.values():
            self._bar.remove_task(task)
        self._tasks.clear()


class LiveView(Remarks, Observer):
    """Watches one run.

    Every result is a line, cut where it is longer than the terminal is wide; in a log file, than 80 columns. On a
    terminal a bar below them shows what goes on; elsewhere each complete generation is a line of its own.
    """

    def __init__(self, config: ResolvedConfig, path: Path) -> None:
        super().__init__()
        self._config = config
        self._plan = make_plan(config)
        self._path = path
        (self._objective,) = config.objectives(config.search.objectives[:1])
        self._bar = _bar(self._console)
        self._preparation = _Preparation(self._bar)
        self._task: TaskID | None = None
        self._running = 0
        self._started = 0.0
        self._spent = 0.0
        self._spent_before: float | None = None
        self._best: int | None = None
        self._announced: list[str] = []

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def announce(self, line: str) -> None:
        """Show a line, uncut, with what opens the run."""
        self._announced.append(line)

    def preparing(self, stage: str, done: int, total: int) -> None:
        """Report the preparation of the data."""
        self._preparation(stage, done, total)

    def started(self, evaluation: EvaluationRecord, worker: str, running: int) -> None:  # noqa: ARG002 - an observer
        """Show how many evaluations are under way."""
        self._running = running
        if self._task is None:
            self._preparation.close()
            self._task = self._bar.add_task("", total=self._plan.evaluations)
            self._started = time.monotonic()
            # Not earlier: until now the input could turn out to be wrong.
            for line in self._opening():
                self._say(line)
            for line in self._announced:
                print_whole(self._console, literal(line))
            print_line(self._console, f"[bold]{self._header()}[/]")
        self._bar.update(self._task, description=self._status())

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Show one result."""
        self._running -= 1
        self._spent = standings.spent
        if self._spent_before is None:
            self._spent_before = standings.spent - outcome.budget_fraction
        print_cut(self._console, self._line(record, outcome, standings, reason))
        if self._task is not None:
            self._bar.update(self._task, completed=int(standings.spent), description=self._status())
        if self._completes_generation(outcome) and not self._console.is_terminal:
            print_line(self._console, f"generation {self._generation()}, {self._seconds_left()}")

    def extended(self, plan: Plan) -> None:
        """Count towards another budget from now on."""
        self._plan = plan
        if self._task is not None:
            self._bar.update(self._task, total=plan.evaluations, description=self._status())

    def stopping(self) -> None:
        """Take the bar away and say what comes: the terminal is in order however the process ends now."""
        self._bar.stop()
        self._say("[yellow]Stopping after saving. Ctrl-C again ends it at once; what has finished is safe.[/]")

    def _opening(self) -> Iterator[str]:
        config, plan = self._config, self._plan
        workers = config.devices
        names = ", ".join(dict.fromkeys(device.name for device in workers))
        yield (
            f"[bold]{literal(str(self._path))}[/]: {counted(plan.evaluations, 'evaluation')}, "
            f"{counted(config.search.gens, 'generation')} of {plan.mu}, {self._length()}"
        )
        yield f"task: {literal(describe_task(config))}"
        if config.claim:
            yield f"[yellow]{literal(config.claim)}[/]"
        where = f" of the Ray cluster {config.workers.address}" if config.workers.address else ""
        yield f"{counted(len(workers), 'worker')} on {workers[0].kind}{where} ({literal(names)})"
        yield f"sandbox: {literal(config.sandbox_found)}"
        yield f"operators: {', '.join(config.operators.weights)}"
        if config.uses_agent:
            yield f"coding agent: {literal(self._agent())}"
        if not config.uses_language_model:
            first = config.llm.entries[0]
            service = PROVIDERS[first.provider or config.llm.provider]
            yield (
                "No language model: this run uses the classical operators. "
                f"Set {literal(first.key_variable or service.key_variable)} or {service.url_variable} for one, or name "
                "another provider in `\\[llm]`."
            )

    def _agent(self) -> str:
        agent, level = self._config.agent, choose_level(self._config.workers.sandbox, "cpu")
        files = "sees all of your files" if level is Level.PROCESS_GROUP else "sees its folder and its installation"
        name = agent.command[0] if agent.command else agent.preset
        return f"{name} in a sandbox of its own ({level}), which reaches the network and {files}"

    def _length(self) -> str:
        if (task := self._config.script) is None:
            return f"{self._config.budget.train_seconds:g} s of training each"
        return f"{TimeLimits.of(task)} each"

    def _completes_generation(self, outcome: Outcome) -> bool:
        return self._spent // self._plan.mu > (self._spent - outcome.budget_fraction) // self._plan.mu

    def _generation(self) -> str:
        return f"{int(self._spent // self._plan.mu)} of {self._plan.evaluations // self._plan.mu}"

    def _status(self) -> str:
        return f"generation {self._generation()}, {self._running} running, {self._seconds_left()}"

    def _seconds_left(self) -> str:
        fresh = self._spent - (self._spent_before or 0.0)
        missing = self._plan.evaluations - self._spent
        if not fresh:
            return f"{counted(missing, 'evaluation')} left"
        return f"{duration((time.monotonic() - self._started) / fresh * missing)} left"

    def _header(self) -> str:
        return f"{'':>5}  {'id':<6} {'how':<{_HOW}} {self._objective.name[:9]:>9} {'best':>9}  idea"

    def _line(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> str:
        mark = _MARKS.get(outcome.status, _FAILURE_MARK)
        how = _PURPOSES.get(outcome.purpose) or _operator(record.operator)
        if outcome.purpose is Purpose.SCREEN:
            how = f"rung {outcome.budget_fraction:g}"
        text = f"[red]{outcome.status}[/]: {one_line(reason)}" if reason else idea_beside(record.operator, record.idea)
        broken = [str(one) for one in standings.constraints if outcome.objectives and one.violation(outcome.objectives)]
        if broken:
            mark, text = _INFEASIBLE_MARK, f"[red]infeasible[/], breaks {literal(' and '.join(broken))}: {text}"
        identity = f"#{record.id}"
        measured = _number(outcome.objectives.get(self._objective.name))
        known = f"{measured} {self._leader(standings)}"
        return f"{outcome.result_number:>4} {mark} {identity:<6} {how:<{_HOW}} {known}  [dim]{text}[/]"

    def _leader(self, standings: Standings) -> str:
        """Return the value to beat, marked where a result has changed the best individual."""
        leader = standings.best()
        if leader is None:
            return _number(None)
        value = _number(leader.means()[self._objective.name])
        is_new, self._best = leader.id != self._best, leader.id
        return f"[bold green]{value}[/]" if is_new else value


def _number(value: float | None) -> str:
    """Return a number in nine columns, of a very large or small one the leading digits."""
    if value is None:
        return f"{'-':>9}"
    plain = f"{value:>9.4f}"
    return plain if len(plain) == 9 and (abs(value) >= _SMALLEST_PLAIN or not value) else f"{value:>9.3g}"


def _bar(console: Console) -> Progress:
    # A bar hides the cursor; the exception that interrupts its start or its end would leave it hidden.
    atexit.register(console.show_cursor)
    return Progress(
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _operator(name: str) -> str:
    """Return the name of an operator without the model that it asks, for which there is no room."""
    return str(LLMName.of(name)._replace(model="")).replace("llm_mutation:", "llm:")

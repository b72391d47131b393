"""The state of a run as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console

from evo.commands.views.summary import (
    hypervolume_text,
    print_best,
    print_confirmed_front,
    print_cost,
    progress_line,
)
from evo.commands.views.terminal import literal, one_line, print_line, print_whole
from evo.runs.provenance import comparability
from evo.runs.status import Failures, RunStatus, State
from evo.standings.lessons import Lessons
from evo.standings.summary import Summary
from evo.text import duration
from trainer.errors import counted

_MOST_REASONS = 3
_COLOURS = {State.RUNNING: "green", State.FINISHED: "green", State.STOPPED: "yellow", State.KILLED: "red"}


def print_status(console: Console, status: RunStatus) -> None:
    """Print whether a run is live, how far it is, what it does, what failed, and what it has found."""
    print_whole(console, f"{literal(status.path)}: {_state(status)}")
    print_whole(console, progress_line(status.summary))
    print_whole(console, _generation(status))
    for warning in (comparability(status.starts), status.claim, *status.explorations[-1:], *status.drifts):
        if warning:
            print_whole(console, f"[yellow]{literal(str(warning))}[/]")
    for line in (*_devices(status), *_steering(status)):
        print_whole(console, line)
    for line in (*_work(status), *_failures(status.failures), *_refusals(status)):
        print_line(console, line)
    for rung in status.summary.rungs:
        line = f"rung {rung.budget_fraction:<8g} {rung}"
        print_whole(console, line if rung.is_used else f"[yellow]{line}[/]")
    for name, arm in status.arms.items():
        improved = f"{arm['improvements']:.1f} improvements in {arm['tries']:.1f} recent tries"
        print_whole(console, f"operator      {literal(name)}: {improved}")
    print_best(console, status.summary)
    print_whole(console, f"noise         {_noise(status)}")
    for line in (*_front(status.summary), *_calibration(status.summary), *_lessons(status.summary.lessons)):
        print_whole(console, line)
    print_cost(console, status.summary)
    if status.summary.confirmed_front:
        print_confirmed_front(console, status.summary)


def _state(status: RunStatus) -> str:
    state = f"[bold {_COLOURS[status.state]}]{status.state}[/]"
    if status.driver:
        return f"{state} (process {status.driver.pid} on {literal(status.driver.host)})"
    return f"{state}: {one_line(status.reason)}"


def _generation(status: RunStatus) -> str:
    line = f"generation    {status.generation} of {status.generations} complete"
    if status.seconds_left is None or status.summary.is_complete:
        return line
    when = "left" if status.driver else "more when resumed"
    return f"{line}; about {duration(status.seconds_left)} {when}"


def _work(status: RunStatus) -> Iterator[str]:
    for one in status.running:
        again = f", attempt {one.attempt}" if one.attempt > 1 else ""
        what = f"#{one.individual} ({one.purpose}{again})"
        yield f"running       {what} on {literal(one.device)} for {duration(one.seconds)}"
    if status.queued or status.proposing:
        yield f"waiting       {counted(status.queued, 'evaluation')} queued, {status.proposing} being proposed"


def _failures(failures: tuple[Failures, ...]) -> Iterator[str]:
    for group in failures:
        yield f"[red]{group.count} {group.status}[/]"
        reasons = list(group.reasons.items())
        for reason, count in reasons[:_MOST_REASONS]:
            yield f"  {count} × {one_line(reason) or 'no reason recorded'}"
        if len(reasons) > _MOST_REASONS:
            yield f"  and {counted(len(reasons) - _MOST_REASONS, 'other reason')}; see --json"


def _refusals(status: RunStatus) -> Iterator[str]:
    if status.refused:
        kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(status.refused.items()))
        refused = counted(sum(status.refused.values()), "proposal")
        yield f"refused       {refused} before any evaluation: {literal(kinds)}"
    if status.smoke_runs:
        kinds = ", ".join(f"{count} {ended}" for ended, count in status.smoke_runs.items())
        tried = counted(sum(status.smoke_runs.values()), "program")
        yield f"smoke runs    {tried} tried before any evaluation: {kinds}"
    if status.measured_again:
        again = counted(status.measured_again, "proposal")
        yield f"again         {again} of an existing program became a replicate of it"


def _devices(status: RunStatus) -> Iterator[str]:
    for state in status.device_classes:
        yield f"devices       {literal(str(state))}"
    for retirement in status.out_of_service:
        yield f"[red]out of service[/] {literal(str(retirement))}"


def _steering(status: RunStatus) -> Iterator[str]:
    course = status.steering
    if course.is_paused:
        yield "[yellow]paused[/]        nothing new starts until `evo continue`"
    for what, individuals in (("pinned", course.pinned), ("banned", course.banned)):
        if individuals:
            yield f"{what:<13} {', '.join(f'#{one}' for one in sorted(individuals))}"
    if course.weights:
        yield f"weights       {literal(', '.join(f'{name}={weight:g}' for name, weight in course.weights.items()))}"
    for hint in course.hints:
        yield f"hint          {one_line(hint)}"
    for asked in status.asked:
        yield f"[yellow]asked[/]         {one_line(asked)}{'' if status.driver else '; waits until the run is resumed'}"


def _front(summary: Summary) -> Iterator[str]:
    if not summary.front:
        return
    labels = " against ".join(summary.named(name).label for name in summary.front_objectives)
    knee = "" if summary.knee is None else f", knee #{summary.knee}"
    yield f"front         {len(summary.front)} in {literal(labels)}{knee}; `evo pareto` shows them"
    if summary.hypervolume:
        yield f"hypervolume   {hypervolume_text(summary)}"


def _calibration(summary: Summary) -> Iterator[str]:
    for one in summary.calibration:
        expected, measured = (summary.objective.format(value, signed=True) for value in (one.expected, one.measured))
        ideas = f"{counted(one.ideas, 'idea')}, {one.right} right"
        style = literal(f"{one.style} by {one.model}")
        yield f"expectations  {style}: a gain of {expected}, measured {measured} ({ideas})"


def _lessons(lessons: Lessons) -> Iterator[str]:
    if lessons.result_number is not None:
        lines = counted(len(lessons.lines), "line")
        yield f"lessons       {lines} in lessons.md, drawn after result {lessons.result_number}"
    if lessons.problem:
        yield f"[yellow]lessons       the last call brought none: {literal(lessons.problem)}[/]"


def _noise(status: RunStatus) -> str:
    objective = status.summary.objective
    sigma = status.summary.noise.get(objective.name)
    if status.summary.is_unreplicated:
        return "unknown: every seed gives the same run of generation 0"
    if sigma is None:
        return "not measured" + (" yet" if status.summary.spent < status.summary.budget else "")
    if sigma == 0:
        return 'none, as `task.noise = "none"` says'
    unit = objective.short_unit or f"in {objective.label}"
    return f"σ = {objective.format(sigma)} {unit} between seeds of generation 0"

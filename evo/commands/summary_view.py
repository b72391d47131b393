"""The summary of a run as a person reads it."""

from __future__ import annotations

from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from evo.runs import Viewed
from evo.standings import Gain
from evo.summary import Standing, Summary, summarize
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

_DIGITS = {"val_bpb": 4, "train_seconds": 1}


def print_summary(viewed: Viewed) -> None:
    """Print the best individual, its gain with noise, the front, the cost, and where everything is, to stdout."""
    summary = summarize(viewed.config, viewed.store, viewed.standings)
    console = Console(highlight=False)
    console.print(_progress(summary))
    for line in (*_best_lines(summary), *_cost_lines(summary)):
        console.print(line)
    if summary.front:
        console.print(front_table(summary))
    folder = viewed.folder
    console.print(f"report       {escape(str(folder.report))}", soft_wrap=True)
    console.print(f"family tree  git -C {escape(str(folder.lineage))} log --graph --all --oneline", soft_wrap=True)


def front_table(summary: Summary) -> Table:
    """Return the Pareto front as a table, best in its first objective first."""
    table = Table(title=f"Pareto front: {' against '.join(summary.front_objectives)}", title_justify="left")
    table.add_column("id", justify="right")
    for name in summary.front_objectives:
        table.add_column(f"{name} ({LANGUAGE_MODEL_OBJECTIVES[name].unit})", justify="right")
    table.add_column("idea", overflow="ellipsis", no_wrap=True)
    for member in summary.front:
        values = (number(name, member.objectives[name]) for name in summary.front_objectives)
        table.add_row(str(member.id), *values, escape(_one_line(member.idea)))
    return table


def number(name: str, value: float) -> str:
    """Return a measured value with the digits that mean something."""
    return f"{value:,.{_DIGITS.get(name, 0)}f}"


def gain_text(gain: Gain) -> str:
    """Return a confirmed gain with its noise and what to make of it."""
    verdict = "beyond noise" if gain.is_real else "within noise: a tie with generation 0"
    pairs = f"{gain.seeds} paired seed{'s' if gain.seeds > 1 else ''}"
    return f"{gain.bpb:+.4f} ± {gain.noise_bpb:.4f} bpb ({pairs}, held-out split G; {verdict})"


def _progress(summary: Summary) -> str:
    statuses = ", ".join(f"{count} {name}" for name, count in summary.statuses.items()) or "none yet"
    return f"[bold]{summary.told} of {summary.budget} evaluations[/]: {statuses}"


def _best_lines(summary: Summary) -> list[str]:
    best, zero = summary.best, summary.generation_zero
    if best is None or zero is None:
        return ["best         nothing measured yet"]
    lines = [
        f"best         [bold]#{best.id}[/] {_bpb(best, summary)}  {escape(_one_line(best.idea))}",
        f"generation 0 {_bpb(zero, summary)}",
    ]
    if best.id == 0:
        return [*lines, "gain         none: nothing better than generation 0 was found"]
    if summary.gain is None:
        return [*lines, "gain         not confirmed: the finalists have not been re-evaluated"]
    return [*lines, f"gain         {gain_text(summary.gain)}"]


def _bpb(standing: Standing, summary: Summary) -> str:
    value = f"val_bpb {standing.objectives['val_bpb']:.4f}"
    sigma = summary.noise.get("val_bpb")
    evaluations = f"{standing.replicates} evaluation{'s' if standing.replicates > 1 else ''}"
    return f"{value} ± {sigma:.4f} ({evaluations})" if sigma is not None else f"{value} ({evaluations})"


def _cost_lines(summary: Summary) -> list[str]:
    work, spending = summary.work, summary.spending
    trained = timedelta(seconds=round(work.train_seconds))
    worked = timedelta(seconds=round(work.worker_seconds))
    lines = [f"cost         {worked} of workers, {trained} of it training"]
    if spending.calls:
        unknown = f", {spending.unpriced_calls} of unknown price" if spending.unpriced_calls else ""
        lines.append(
            f"             {spending.calls} calls of a language model, ${spending.cost_usd:.2f}{unknown}, "
            f"{spending.input_tokens + spending.cache_read_tokens + spending.cache_write_tokens:,} tokens in, "
            f"{spending.output_tokens:,} out"
        )
    return lines


def _one_line(text: str) -> str:
    return " ".join(text.split())

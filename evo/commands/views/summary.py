"""The summary of a run as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console

from evo.commands.views.conclusion import print_change, print_next
from evo.commands.views.terminal import (
    literal,
    one_line,
    print_labelled,
    print_line,
    print_table,
    print_whole,
    shell_word,
    sparkline,
)
from evo.runs.folder import RunFolder
from evo.runs.lifecycle import Viewed
from evo.search.stopping import StopReason
from evo.standings.gains import Gain
from evo.standings.individuals import Standing
from evo.standings.plan import Confirmed
from evo.standings.summary import Summary, summarize
from evo.store import Spending
from evo.text import duration, price, tokens
from trainer.errors import counted
from trainer.objectives import Objective

UNREPLICATED = "not replicated: every seed gives the same run, so this may be luck"


def print_summary(console: Console, viewed: Viewed, reason: StopReason) -> None:
    """Print what a run that has ended came to; what was found and what to do next come last."""
    summary = summarize(viewed.config, viewed.store, viewed.standings)
    print_whole(console, progress_line(summary))
    print_cost(console, summary)
    print_front(console, summary)
    print_places(console, viewed.folder)
    print_whole(console, "")
    print_best(console, summary)
    if viewed.config.claim:
        print_labelled(console, "measured by", f"[yellow]{literal(viewed.config.claim)}[/]")
    print_change(console, viewed, summary)
    print_next(console, viewed, summary, reason)


def progress_line(summary: Summary) -> str:
    """Return how many results there are and how they ended."""
    statuses = ", ".join(f"{count} {name}" for name, count in summary.statuses.items()) or "none yet"
    results = "" if summary.spent == summary.result_number else f" spent on {counted(summary.result_number, 'result')}"
    return f"[bold]{summary.spent:g} of {counted(summary.budget, 'evaluation')}[/]{results}: {statuses}"


def print_best(console: Console, summary: Summary) -> None:
    """Print the best individual beside generation 0, and its gain."""
    best, zero = summary.best, summary.generation_zero
    if best is None or zero is None:
        print_whole(console, "best          nothing measured yet")
        return
    print_line(console, f"best          [bold]#{best.id}[/]  {one_line(best.idea)}")
    if gain := summary.gain:
        # The mean that led the search to it is the best of many, so it comes last and by its name.
        print_labelled(console, "", f"{_confirmed(gain.own, gain, summary)}{_broken(best)}")
        print_labelled(console, "generation 0", _confirmed(gain.generation_zero, gain, summary))
        print_labelled(console, "gain", _gain(summary))
        print_labelled(console, "selected by", _value(best, summary))
        return
    print_labelled(console, "", f"{_value(best, summary)}{_broken(best)}")
    print_labelled(console, "generation 0", _value(zero, summary))
    print_labelled(console, "gain", _gain(summary))


def print_comparison(console: Console, summary: Summary) -> None:
    """Print every measured mean of the best individual beside generation 0's, with the noise of one evaluation."""
    best, zero = summary.best, summary.generation_zero
    if best is None or zero is None:
        return
    compared = {"generation 0": zero} if best.id == 0 else {f"#{best.id}": best, "generation 0": zero}
    rows = [
        (
            objective.label,
            *(objective.format(one.objectives[objective.name]) for one in compared.values()),
            _sigma(objective, summary.noise),
        )
        for objective in summary.objectives
        if objective.name in best.objectives and objective.name in zero.objectives
    ]
    print_whole(console, "")
    print_table(console, ("mean of", *compared, "noise σ"), rows, left=("mean of",))


def print_cost(console: Console, summary: Summary) -> None:
    """Print what the run has used up."""
    work, spending = summary.work, summary.spending
    trained = f"{duration(work.train_seconds)} of it training"
    print_whole(console, f"cost          {duration(work.worker_seconds)} of workers, {trained}")
    if spending.calls or spending.abandoned_calls:
        print_whole(console, f"              {counted(spending.calls, 'call')} of a language model {_price(spending)}")
        if len(summary.spending_by_model) > 1:
            for name, one in summary.spending_by_model.items():
                print_whole(console, f"              {literal(name)}: {counted(one.calls, 'call')} {_price(one)}")
    for stand_ins in summary.stand_ins:
        print_whole(console, f"[yellow]{literal(str(stand_ins))}[/]")
    if summary.outages.count:
        print_whole(console, f"[yellow]{literal(str(summary.outages))}[/]")


def _price(spending: Spending) -> str:
    """Return what calls cost, in money and tokens."""
    cached = (spending.cache_read_tokens, spending.cache_write_tokens)
    given_up = f" with {spending.abandoned_calls} more given up" if spending.abandoned_calls else ""
    counts = tokens(spending.input_tokens, *cached, spending.output_tokens)
    if spending.estimated_calls:
        calls = (
            ""
            if spending.estimated_calls == spending.calls
            else f", those of {counted(spending.estimated_calls, 'call')}"
        )
        counts += f" (estimated{calls}: the server counts none)"
    paid = f"{price(spending.cost_usd, spending.calls, spending.unpriced_calls)}{given_up}"
    return f"{paid}; {counts}" if spending.input_tokens or spending.output_tokens else paid


def print_front(console: Console, summary: Summary) -> None:
    """Print the Pareto front, best in its first objective first, its hypervolume, and what was confirmed of it."""
    if summary.front:
        objectives = [summary.named(name) for name in summary.front_objectives]
        print_whole(console, f"\n[bold]Pareto front[/]: {' against '.join(one.label for one in objectives)}")
        print_standings(console, summary.front, objectives, knee=summary.knee)
    if summary.hypervolume:
        print_whole(console, f"\nhypervolume   {hypervolume_text(summary)}")
    if summary.confirmed_front:
        print_confirmed_front(console, summary)


def hypervolume_text(summary: Summary) -> str:
    """Return how the hypervolume of the front has come about, result by result, and what it is now."""
    shares = dict(summary.hypervolume)
    share, curve = 0.0, []
    for number in range(1, summary.result_number + 1):
        share = shares.get(number, share)
        curve.append(share)
    return f"{sparkline(curve)}  {share:.1%}"


def print_confirmed_front(console: Console, summary: Summary) -> None:
    """Print the members of the front as they were measured again, with the standard errors of their means."""
    objectives = [summary.named(name) for name in summary.confirmed_front[0].means]
    on_text = [one.label for one in objectives if one.name == summary.text_objective]
    where = f", {on_text[0]} on held-out split G" if on_text else ""
    print_whole(console, f"\n[bold]Confirmed front[/]: with fresh seeds{where}")
    rows = [
        (
            f"#{one.individual}",
            *(of.format(one.means[of.name], one.errors[of.name]) for of in objectives),
            str(one.seeds),
            "yes" if one.holds else "no",
        )
        for one in summary.confirmed_front
    ]
    print_table(console, ("id", *(one.label for one in objectives), "seeds", "holds"), rows, left=())


def print_standings(
    console: Console,
    standings: Sequence[Standing],
    objectives: Sequence[Objective],
    *,
    knee: int | None = None,
) -> None:
    """Print one line an individual, with some objectives under their labels; the knee of a front is marked."""
    rows = [
        (
            f"#{one.id}",
            *(objective.format(one.objectives[objective.name]) for objective in objectives),
            _infeasible(one) + ("[bold]knee[/] " if one.id == knee else "") + one_line(one.idea),
        )
        for one in standings
    ]
    print_table(console, ("id", *(one.label for one in objectives), "idea"), rows, left=("idea",))


def print_places(console: Console, folder: RunFolder) -> None:
    """Print where the report and the family tree are."""
    tree = f"git -C {shell_word(folder.lineage)} log --graph --all --oneline"
    if folder.report.exists():
        print_whole(console, f"\nreport        {literal(str(folder.report))}")
    print_whole(console, f"family tree   {tree}")


def gain_text(gain: Gain, objective: Objective, confirmed: Confirmed) -> str:
    """Return a confirmed gain with its noise and what to make of it."""
    claim = "; self-reported" if objective.self_reported else ""
    if gain.is_exact:
        return f"{_amount(gain.value, objective)} (exact: every run gives the same{claim})"
    verdict = "beyond noise" if gain.is_real else "within noise: a tie with generation 0"
    pairs = counted(gain.seeds, "paired seed")
    where = "held-out split G" if confirmed is Confirmed.ON_TEXT else "fresh ones"
    value, low, high = objective.interval(gain.value, gain.margin, signed=True)
    return f"{value}{_unit(objective)}, 95% interval {low} to {high} ({pairs}, {where}; {verdict}{claim})"


def _amount(value: float, objective: Objective) -> str:
    return f"{objective.format(value, signed=True)}{_unit(objective)}"


def _unit(objective: Objective) -> str:
    return f" {unit}" if (unit := objective.short_unit or objective.unit) else ""


def _sigma(objective: Objective, noise: Mapping[str, float]) -> str:
    return objective.format(noise[objective.name]) if objective.name in noise else "unknown"


def _gain(summary: Summary) -> str:
    if summary.best and summary.best.id == 0:
        return "none: nothing better than generation 0 was found"
    if summary.gain is None and summary.is_unreplicated and summary.unconfirmed_gain is not None:
        claim = "; self-reported" if summary.objective.self_reported else ""
        return f"{_amount(summary.unconfirmed_gain, summary.objective)} ({UNREPLICATED}{claim})"
    if summary.gain is None and summary.spent >= summary.budget:
        return f"not confirmed: the budget of {summary.budget} left no evaluations for the finalists"
    if summary.gain is None:
        return "not confirmed: the finalists have not been re-evaluated"
    return gain_text(summary.gain, summary.objective, summary.confirmed)


def _value(standing: Standing, summary: Summary) -> str:
    objective, name = summary.objective, summary.objective.name
    value = objective.format(standing.objectives[name], summary.noise.get(name))
    return f"{objective.label} {value} ({counted(standing.replicates, 'evaluation')})"


def _confirmed(mean: float, gain: Gain, summary: Summary) -> str:
    """Return a mean over the seeds of the confirmation with its 95% interval."""
    objective = summary.objective
    if gain.is_exact:
        return f"{objective.label} {objective.format(mean)}"
    value, low, high = objective.interval(mean, gain.margin_of_mean)
    return f"{objective.label} {value}, 95% interval {low} to {high}"


def _broken(standing: Standing) -> str:
    return f", [red]infeasible[/]: breaks {' and '.join(standing.broken)}" if standing.broken else ""


def _infeasible(standing: Standing) -> str:
    return "[red]infeasible[/] " if standing.broken else ""

"""`evo compare`: search methods under equal budgets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from evo.commands.options import Json, example, print_json

if TYPE_CHECKING:
    from evo.compare.collecting import Definition
    from evo.compare.cost import ExperimentCost
    from evo.compare.report.findings import Findings

COMPARISONS = Path("comparisons")
"""Where experiments are kept unless `--out` says otherwise."""

_EXAMPLE = example(
    """
    evo compare experiments/llm_vs_random.toml --estimate
    evo compare experiments/compare/random_operators.toml
    """,
    "The file names the arms, the budget of every run and the seeds. Only missing runs are started. Ctrl-C stops after "
    "saving, and the same command resumes. `repeats` may be raised later.",
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=_EXAMPLE)(compare)


def compare(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The experiment, a TOML file.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The experiment's folder. [default: comparisons/<its name>]")
    ] = None,
    only_estimate: Annotated[bool, typer.Option("--estimate", help="Print the cost estimate and exit.")] = False,
    as_json: Json = False,
) -> None:
    """Compare search methods under equal budgets."""
    from evo.compare.preparation import define

    definition = define(file)
    if only_estimate:
        _print_estimate(definition, as_json=as_json)
        return
    folder = out or COMPARISONS / definition.experiment.name
    complete, outage, findings = _run(definition, folder)
    if as_json:
        print_json(_as_json(findings, folder, complete=complete))
    else:
        _print_findings(findings, folder)
    if not complete:
        typer.echo(f"evo: not complete{f': {outage}' if outage else ''}. The same command resumes.", err=True)
        raise typer.Exit(1)


def _run(definition: Definition, path: Path) -> tuple[bool, str, Findings]:
    """Run what is missing and report; return whether it is complete, why a model was out of reach, and the findings."""
    import asyncio

    from evo.commands.views.comparison import ExperimentView
    from evo.commands.views.live import preparation_bar
    from evo.compare.collecting import collect
    from evo.compare.folder import ExperimentFolder
    from evo.compare.preparation import begin
    from evo.compare.report.findings import find
    from evo.compare.report.page import write_report
    from evo.compare.running import Running
    from evo.runs.assemble import require_operators
    from evo.runs.materials import prepare_materials
    from evo.runs.signals import heeding_signals

    require_operators(definition.configs)
    with preparation_bar() as progress:
        materials = prepare_materials(definition.configs[0], progress)
    folder = ExperimentFolder(path)
    with folder.lock():
        begin(definition, folder, materials)
        with ExperimentView(definition.experiment, path) as view:
            running = Running(definition, folder, view)
            complete = asyncio.run(heeding_signals(running.run(), running.interrupt))
        findings = find(collect(definition, folder))
        for drift in findings.results.drifts:
            view.note(drift)
        write_report(findings, path)
    return complete, running.outage, findings


def _print_findings(findings: Findings, folder: Path) -> None:
    from evo.commands.views.terminal import literal, print_prose, print_table, print_whole, shell_word, stdout_console
    from evo.compare.report.wording import say

    console, objective = stdout_console(), findings.results.objective
    rows = [
        (
            literal(arm.name),
            *map(str, (arm.finished, arm.failed, arm.unfinished, arm.missing)),
            objective.format(arm.mean.value) if arm.counted else "-",
            objective.format(arm.gain.value, signed=True) if arm.gain.count else "-",
        )
        for arm in findings.arms
    ]
    states = ("finished", "failed", "unfinished", "not started")
    header = ("arm", *states, f"{objective.label}, mean", "gain over generation 0")
    print_table(console, header, rows, left=("arm",))
    print_prose(console, f"[bold]{literal(say('headline', findings))}[/]")
    for sentence in (say("rehearsal", findings), *(say("statement", one, findings) for one in findings.contrasts)):
        if sentence:
            print_prose(console, literal(sentence))
    print_whole(console, f"the report is {shell_word(folder / 'report.html')}; beside it: report.md and CSV")


def _print_estimate(definition: Definition, *, as_json: bool) -> None:
    from evo.commands.views.terminal import literal, print_prose, print_table, print_whole, stdout_console
    from evo.compare.cost import experiment_cost
    from evo.text import duration, money
    from trainer.errors import counted

    found: ExperimentCost = experiment_cost(definition)
    if as_json:
        print_json(found.to_json())
        return
    experiment, console = definition.experiment, stdout_console()
    print_whole(
        console,
        f"[bold]{literal(experiment.name)}[/]: {counted(experiment.repeats, 'repeat')} of "
        f"{counted(len(experiment.arms), 'arm')}, {experiment.budget} each, "
        f"{counted(experiment.outcome.seeds, 'fresh seed')} for what each run chooses",
    )
    rows = [
        (
            literal(one.arm),
            str(one.runs),
            f"{one.evaluations:,}",
            f"{one.judging:,}",
            f"{one.gpu_hours:,.1f}",
            money(one.llm_usd),
            money(one.worker_usd),
            duration(3600 * one.run_hours),
        )
        for one in (*found.arms, found.total())
    ]
    header = ("arm", "runs", "evaluations", "judging", "GPU-hours", "model", "workers", "wall time a run")
    print_table(console, header, rows, left=("arm",))
    print_whole(console, f"about {duration(3600 * found.wall_hours)} on {counted(found.workers, 'worker')}")
    for sentence in found.assumptions:
        print_prose(console, f"[dim]{literal(sentence)}[/]")


def _as_json(findings: Findings, folder: Path, *, complete: bool) -> dict[str, Any]:
    """Return the findings and the runs as JSON; unknown values are `null`."""
    import json

    from evo.compare.report.wording import say

    results = findings.results
    return {
        "name": results.name,
        "folder": str(folder),
        "report": str(folder / "report.html"),
        "complete": complete,
        "rehearsal": results.rehearsal,
        "budget": results.budget,
        "headline": say("headline", findings),
        "comparisons": [
            {
                "arm": one.comparison.arm,
                "reference": one.comparison.reference,
                "verdict": one.comparison.verdict.value,
                "p": one.comparison.p,
                "holm_p": one.comparison.holm_p,
                "statement": say("statement", one, findings),
            }
            for one in findings.contrasts
        ],
        "runs": json.loads(results.runs.to_json(orient="records")),
    }

"""`evo status`, `workers`, `best`, `show`, `diff`, `lineage`, `pareto`: read-only views of a run."""

from __future__ import annotations

import difflib
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import (
    Json,
    RunAndId,
    RunArgument,
    example,
    individual,
    is_ladder,
    opened,
    print_json,
    refused_proposal,
    run_and_ids,
)
from trainer.genome import unmarked

_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(epilog=example("evo status\nevo status runs/2026-11-21-220000 --json"))(status)
    app.command(epilog=example("evo workers\nevo workers runs/2026-11-21-220000 --json"))(workers)
    app.command(epilog=example("evo best\nevo best runs/2026-11-21-220000 --source > train.py"))(best)
    app.command(epilog=example("evo show 18\nevo show runs/2026-11-21-220000 best --prompts"))(show)
    app.command(
        epilog=example(
            "evo diff 18\nevo diff runs/2026-11-21-220000 0 best",
            "One individual is compared with its first parent. Without an ID, the best individual is used.",
        )
    )(diff)
    app.command(
        epilog=example(
            "evo lineage\nevo lineage runs/2026-11-21-220000 18",
            "Without an ID: the whole tree, each individual below its first parent.",
        )
    )(lineage)
    app.command(epilog=example("evo pareto\nevo pareto --objectives val_bpb,peak_memory_mib --json"))(pareto)


def status(run: RunArgument = None, as_json: Json = False) -> None:
    """Show the progress and state of a run.

    Includes failures and their reasons, the noise, the cost, and the best individual so far. For a ladder, shows the
    results at each scale.
    """
    if run is not None and is_ladder(run):
        _show_ladder(run, as_json=as_json)
        return
    from evo.commands.views.status import print_status
    from evo.commands.views.terminal import stdout_console
    from evo.runs.status import read_status

    with opened(run) as viewed:
        current = read_status(viewed)
    if as_json:
        print_json(current.to_json())
    else:
        print_status(stdout_console(), current)


def workers(run: RunArgument = None, as_json: Json = False) -> None:
    """Show the workers of a run: device, how busy, how noisy.

    Sentinels are evaluations of generation 0 with one seed on a device: their number, the standard deviation of the
    first objective, and the deviation of the last one (positive: better).
    """
    from evo.commands.views.terminal import stdout_console
    from evo.commands.views.workers import print_workers
    from evo.runs.workers import read_workers

    with opened(run) as viewed:
        found = read_workers(viewed)
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_workers(stdout_console(), found)


def best(
    run: RunArgument = None,
    source: Annotated[bool, typer.Option("--source", help="Print only the source.")] = False,
    as_json: Json = False,
) -> None:
    """Show the best individual with its gain and noise.

    For a ladder, shows the best at each scale, and the noise at the largest one.
    """
    from evo.commands.views.summary import print_best, print_comparison
    from evo.commands.views.terminal import print_whole, shell_word, stdout_console
    from evo.standings.summary import summarize

    if run is not None and is_ladder(run) and not (source or as_json):
        _show_ladder(run, as_json=False)
    with opened(run) as viewed:
        record = individual(viewed)
        summary = summarize(viewed.config, viewed.store, viewed.standings)
        code = unmarked(viewed.store.source(record.id))
    if as_json:
        facts = summary.to_json()
        print_json(
            {
                name: facts[name]
                for name in ("best", "gain", "unconfirmed_gain", "is_unreplicated", "generation_zero", "noise")
            }
            | {"source": code}
        )
    elif source:
        typer.echo(code, nl=False)
    else:
        console = stdout_console()
        print_best(console, summary)
        print_comparison(console, summary)
        print_whole(console, f"\nexport it:  evo export {shell_word(viewed.folder.path)} {record.id}")


def show(
    run_and_id: RunAndId = None,
    prompts: Annotated[bool, typer.Option("--prompts", help="Also show the calls of the language model.")] = False,
    as_json: Json = False,
) -> None:
    """Show one individual, by default the best, or a refusal."""
    from evo.commands.views.individual import Portrait, print_portrait, read_portrait
    from evo.commands.views.refused import RefusedProposal, print_refused
    from evo.commands.views.terminal import stdout_console

    run, names = run_and_ids(run_and_id)
    shown: Portrait | RefusedProposal
    with opened(run) as viewed:
        record = refused_proposal(viewed, *names)
        if record is None:
            shown = read_portrait(viewed, individual(viewed, *names))
        else:
            shown = RefusedProposal.read(viewed.store, record)
    if as_json:
        print_json(shown.to_json(prompts=prompts))
    elif isinstance(shown, Portrait):
        print_portrait(stdout_console(), shown, prompts=prompts)
    else:
        print_refused(stdout_console(), shown, prompts=prompts)


def diff(
    run_and_ids_: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN A B",
            help="Folder of a run [default: the newest under ./runs] and up to two individuals to compare.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two individuals."""
    from trainer.genome import source_lines

    run, names = run_and_ids(run_and_ids_, most=2)
    with opened(run) as viewed:
        new = individual(viewed, *names[-1:])
        old = individual(viewed, names[0]) if len(names) > 1 else None
        before = old.id if old else new.parents[0] if new.parents else new.id
        texts = [unmarked(viewed.store.source(id_)) for id_ in (before, new.id)]
        files = viewed.config.task.genome_files
    name = files[0] if len(files) == 1 else "genome"
    old_lines, new_lines = (source_lines(text, keepends=True) for text in texts)
    lines = list(difflib.unified_diff(old_lines, new_lines, f"{before}/{name}", f"{new.id}/{name}"))
    if as_json:
        print_json({"from": before, "to": new.id, "diff": "".join(lines)})
    elif not lines:
        said = "has nothing before it" if old is None and not new.parents else f"is the same program as #{before}"
        typer.echo(f"evo: #{new.id} {said}", err=True)
    else:
        _print_diff(lines)


def lineage(run_and_id: RunAndId = None, as_json: Json = False) -> None:
    """Show the ancestors of an individual, or the whole family tree."""
    from evo.commands.views.family import ancestors, print_ancestors, print_tree
    from evo.commands.views.terminal import stdout_console
    from evo.standings.individuals import read_individuals

    run, names = run_and_ids(run_and_id)
    with opened(run) as viewed:
        family = read_individuals(viewed.store, viewed.standings)
        line = ancestors(family, individual(viewed, names[0]).id) if names else []
        leader = viewed.standings.best()
    config, search = viewed.config, viewed.config.search
    if as_json:
        print_json([asdict(member) for member in line or family.values()])
    elif line:
        print_ancestors(stdout_console(), line, config.objectives(search.front))
    else:
        (objective,) = config.objectives(search.objectives[:1])
        print_tree(stdout_console(), family, objective, leader.id if leader else None)


def pareto(
    run: RunArgument = None,
    objectives: Annotated[
        str | None,
        typer.Option("--objectives", help="Objectives, comma-separated. [default: those of the run's front]"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the Pareto front with its confirmed means."""
    from evo.commands.views.summary import print_front
    from evo.commands.views.terminal import stdout_console
    from evo.config.config import Config
    from evo.config.reading import overlaid
    from evo.runs.assemble import read_standings
    from evo.standings.summary import summarize

    with opened(run) as viewed:
        config: Config = viewed.config
        standings = viewed.standings
        if objectives is not None:
            names = [name.strip() for name in objectives.split(",")]
            config = overlaid(config, {"search": {"front": names}})
            standings = read_standings(config, viewed.store)
        summary = summarize(config, viewed.store, standings)
    if as_json:
        facts = summary.to_json()
        shown = ("front", "knee", "hypervolume", "confirmed_front")
        print_json({"objectives": summary.front_objectives} | {name: facts[name] for name in shown})
    elif summary.front:
        print_front(stdout_console(), summary)
    else:
        typer.echo("evo: no measurements yet, so the front is empty", err=True)


def _show_ladder(path: Path, *, as_json: bool) -> None:
    from evo.commands.views.ladder import print_ladder
    from evo.commands.views.terminal import stdout_console
    from evo.scales.standing import read_ladder_state

    state = read_ladder_state(path)
    if as_json:
        print_json(state.to_json())
    else:
        print_ladder(stdout_console(), state)


def _print_diff(lines: list[str]) -> None:
    """Print a diff, in colour on a terminal, byte for byte elsewhere."""
    from rich.text import Text

    from evo.commands.views.terminal import stdout_console
    from evo.text import visible

    console = stdout_console()
    for line in lines:
        if console.is_terminal:
            text = visible(line.rstrip("\n"))
            console.print(Text(text, style=_DIFF_STYLES.get(text[:1], "")), soft_wrap=True)
        else:
            typer.echo(line, nl=False)

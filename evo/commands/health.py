"""`evo check` and `evo doctor`: check a run and this machine."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import Json, RunArgument, example, named_weights, print_json, run_folder

_MARKS = {"ok": "[green]✓[/]", "note": "[yellow]![/]", "missing": "[red]✗[/]"}


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo check\nevo check runs/2026-11-21-220000 --replay\nevo check --json",
            "Exits with 1 if an error is found. `evo resume` repairs what is a warning or, after every kill, a note.",
        )
    )(check)
    app.command(
        epilog=example(
            "evo doctor\nevo doctor --llm\nevo doctor --json",
            "Exits with 1 if a requirement of a run is missing.",
        )
    )(doctor)


def check(
    run: RunArgument = None,
    with_replay: Annotated[
        bool,
        typer.Option("--replay", help="Also derive every individual again from the journal and compare."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Check that store, family tree and files of a run agree."""
    from evo.commands.views.terminal import literal, print_whole, shell_word, stdout_console
    from evo.runs.integrity import Severity, Violation, check_run

    path = run_folder(run)
    violations = check_run(path)
    replay = None
    if with_replay:
        from evo.runs.replay import replay_run

        replay = replay_run(path)
        if replay.difference is not None:
            violations.append(Violation(Severity.ERROR, "replay", str(replay.difference)))
    errors = [one for one in violations if one.severity is Severity.ERROR]
    if as_json:
        replayed = {} if replay is None else {"replay": asdict(replay)}
        print_json({"run": str(path), "violations": [asdict(one) for one in violations], **replayed})
    else:
        console = stdout_console()
        for one in violations:
            style = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}[one.severity]
            print_whole(console, f"[{style}]{one.severity}[/] {one.where}: {literal(one.message)}")
        if replay is not None:
            print_whole(console, str(replay))
        if not errors:
            print_whole(console, f"{shell_word(path)} is in order")
    if errors:
        raise typer.Exit(1)


def doctor(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder for runs.")] = Path("runs"),
    with_llm: Annotated[
        bool, typer.Option("--llm", help="Also make one small call of each language model, which may cost a little.")
    ] = False,
    model: Annotated[
        str | None, typer.Option(help="The models to call, comma-separated; those of --config by default.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file that says how the model is reached. [default: ./evo.toml]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check whether this machine is ready for a run."""
    from evo.commands.views.terminal import literal, print_whole, stdout_console
    from evo.config.options import PROJECT_FILE
    from evo.config.reading import load_config
    from evo.runs.doctor import State, examine

    llm = None
    if with_llm:
        named = {"llm": {"model": named_weights("--model", model)}}
        file = PROJECT_FILE if config is None and os.path.lexists(PROJECT_FILE) else config
        llm = load_config(file, named).llm
    findings = examine(folder, llm=llm)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        console = stdout_console()
        width = max(15, *(len(finding.subject) for finding in findings))
        for finding in findings:
            subject = literal(f"{finding.subject:<{width}}")
            print_whole(console, f"{_MARKS[finding.state]} {subject} {literal(finding.found)}")
            if finding.advice:
                print_whole(console, f"  {'':<{width}} [bold]{literal(finding.advice)}[/]")
    if any(finding.state is State.MISSING for finding in findings):
        raise typer.Exit(1)

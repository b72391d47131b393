"""`evo ladder`: searches from small scales to large ones."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import Json, example, print_json

_EXAMPLE = example(
    """
    evo ladder evo.toml
    evo ladder evo.toml --out ladders/tonight
    """,
    "The table [ladder] of the file names the scales and the seconds. Only what is missing is done: Ctrl-C stops after "
    "saving, and the same command resumes. `total_seconds` may be raised later. `evo status FOLDER` and `evo best "
    "FOLDER` show the results at each scale; the other commands use the run at the largest scale.",
)


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(epilog=_EXAMPLE)(ladder)


def ladder(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The project's file.")] = Path("evo.toml"),
    out: Annotated[
        Path | None, typer.Option("--out", help="The ladder's folder. [default: ladders/<its name>]")
    ] = None,
    as_json: Json = False,
) -> None:
    """Search at small scales, and promote winners to large ones."""
    from evo.commands.views.ladder import LadderView, print_ladder
    from evo.commands.views.terminal import shell_word, stdout_console
    from evo.runs.repository import ignore
    from evo.scales.definition import define
    from evo.scales.running import LADDERS, climb

    definition = define(file)
    folder = out or LADDERS / definition.ladder.name
    if out is None:
        ignore(LADDERS)
    try:
        state, halted = climb(definition, folder, LadderView(definition, folder))
    except KeyboardInterrupt:
        typer.echo("evo: interrupted. The same command resumes.", err=True)
        raise typer.Exit(1) from None
    if as_json:
        print_json(state.to_json())
    else:
        print_ladder(stdout_console(), state)
        typer.echo(f"the report is {shell_word(folder / 'ladder.md')}; use the best: evo apply {shell_word(folder)}")
    if halted:
        typer.echo(f"evo: not complete: {halted}. The same command resumes.", err=True)
        raise typer.Exit(1)

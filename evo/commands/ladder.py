"""`evo ladder`: searches from small scales to large ones."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.commands.options import Json, example, print_json

if TYPE_CHECKING:
    from evo.scales.definition import Definition

_LADDERS = Path("ladders")
"""Where ladders are kept unless `--out` says otherwise."""

_EXAMPLE = example(
    """
    evo ladder evo.toml
    evo ladder evo.toml --out ladders/tonight
    """,
    "The table [ladder] of the file names the scales and the seconds. Only what is missing is done: Ctrl-C stops after "
    "saving, and the same command resumes. `total_seconds` may be raised later. `evo status FOLDER` and `evo best "
    "FOLDER` show what stands at each scale; other commands take the run of the largest scale.",
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
    """Search at small scales first, and promote what wins to larger ones."""
    from evo.commands.views.ladder import print_ladder
    from evo.commands.views.terminal import shell_word, stdout_console
    from evo.scales.definition import define
    from evo.scales.report import write_report
    from evo.scales.standing import read_ladder_state

    definition = define(file)
    folder = out or _LADDERS / definition.ladder.name
    try:
        halted = _climb(definition, folder, is_default=out is None)
    except KeyboardInterrupt:
        halted = "interrupted"
    if not folder.is_dir():
        raise typer.Exit(1)
    state = read_ladder_state(folder)
    write_report(state)
    if as_json:
        print_json(state.to_json())
    else:
        print_ladder(stdout_console(), state)
        typer.echo(
            f"the report is {shell_word(folder / 'ladder.md')}; use the best with: evo apply {shell_word(folder)}"
        )
    if halted:
        typer.echo(f"evo: not complete: {halted}. The same command resumes.", err=True)
        raise typer.Exit(1)


def _climb(definition: Definition, path: Path, *, is_default: bool) -> str:
    """Do what is missing of a ladder; return why it is not complete, or nothing."""
    from evo.commands.views.ladder import LadderView
    from evo.runs.repository import ignore
    from evo.scales.bench import Bench
    from evo.scales.climbing import Climbing
    from evo.scales.folder import LadderFolder
    from evo.scales.preparation import begin, prepared, require_operators

    require_operators(definition)
    folder, view = LadderFolder(path), LadderView(definition, path)
    materials = prepared(definition, view)
    if is_default:
        ignore(_LADDERS)
    with folder.lock():
        begin(definition, folder, materials)
        climbing = Climbing(definition, folder, Bench(definition, folder, materials, view), view)
        return "" if climbing.run() else climbing.halted

"""`evo export` and `evo report`: what leaves a run."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import RunAndId, RunArgument, example, individual, opened, run_and_ids
from trainer.errors import MachineError, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo export\nevo export runs/2026-11-21-220000 18 --out better.py",
            "The file holds the genome as it was evaluated, byte for byte.",
        )
    )(export)
    app.command(
        epilog=example(
            "evo report\nevo report runs/2026-11-21-220000 --out tonight.html",
            "One HTML file that opens without a network. `evo run` writes it at its end; write it anew at any time.",
        )
    )(report)


def export(
    run_and_id: RunAndId = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write. [default: individual-<ID>.py]")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if there is one.")] = False,
) -> None:
    """Write the genome of an individual to a file.

    Of the best one by default.
    """
    run, names = run_and_ids(run_and_id)
    with opened(run) as viewed:
        record = individual(viewed, *names)
        source = viewed.store.source(record.id)
    path = out or Path(f"individual-{record.id}.py")
    _write(path, source.encode(), replace=force)
    typer.echo(str(path))


def report(
    run: RunArgument = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write. [default: RUN/report.html]")] = None,
) -> None:
    """Write the report of a run, one self-contained HTML file."""
    from evo.report.writing import write_report

    if out:
        _require_place(out)
    with opened(run) as viewed:
        typer.echo(str(write_report(viewed, out)))


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that is never seen half written.

    Raises:
        UsageError: something stands there that may not be replaced.
        MachineError: the disk refused.
    """
    _require_place(path)
    if path.exists() and not replace:
        raise UsageError(f"{path} exists already. Give --force to replace it, or another name with --out.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise MachineError(f"The genome was to be written to {path}, but that failed: {error.strerror}.") from error


def _require_place(path: Path) -> None:
    """Raise UsageError unless `path` can be a file."""
    if path.is_dir():
        raise UsageError(f"--out must name a file, but {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a file in a folder that exists, but there is no folder {path.parent}.")

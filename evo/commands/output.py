"""`evo export` and `evo report`: what leaves a run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import RunAndId, RunArgument, example, individual, opened, run_and_ids
from trainer import genome
from trainer.errors import MachineError, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo export\nevo export runs/2026-11-21-220000 18 --out better.py",
            "The genome is written as it was evaluated, byte for byte; one of several files into a folder.",
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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="The file to write, or the folder where the genome is several files. [default: individual-<ID>]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
) -> None:
    """Write the genome of an individual to a file, or to a folder.

    Of the best one by default.
    """
    run, names = run_and_ids(run_and_id)
    with opened(run) as viewed:
        record = individual(viewed, *names)
        files = genome.split(viewed.store.source(record.id), viewed.config.task.genome_files)
    if len(files) == 1:
        path = out or Path(f"individual-{record.id}.py")
        places = dict(zip([path], files.values(), strict=True))
    else:
        path = out or Path(f"individual-{record.id}")
        places = {path / name: content for name, content in files.items()}
        _make_folders(path, places)
    for place in places:
        _require_place(place, replace=force)
    for place, content in places.items():
        _write(place, content.encode())
    typer.echo(str(path))


def report(
    run: RunArgument = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write. [default: RUN/report.html]")] = None,
) -> None:
    """Write the report of a run, one self-contained HTML file."""
    from evo.report.writing import write_report

    if out:
        _require_place(out, replace=True)
    with opened(run) as viewed:
        typer.echo(str(write_report(viewed, out)))


def _write(path: Path, content: bytes) -> None:
    """Write a file that is never seen half written; raise MachineError where the disk refuses."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise MachineError(f"The genome was to be written to {path}, but that failed: {error.strerror}.") from error


def _make_folders(path: Path, files: Iterable[Path]) -> None:
    """Make the folder of a genome of several files; raise UsageError where it cannot be one."""
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a folder in one that exists, but there is no folder {path.parent}.")
    try:
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out must name a folder, for the genome is several files, but {path} cannot be one: {error.strerror}."
        ) from error


def _require_place(path: Path, *, replace: bool) -> None:
    """Raise UsageError unless `path` can be a file, or is one that may not be replaced."""
    if path.is_dir():
        raise UsageError(f"--out must name a file, but {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a file in a folder that exists, but there is no folder {path.parent}.")
    if path.exists() and not replace:
        raise UsageError(f"{path} exists already. Give --force to replace it, or another name with --out.")

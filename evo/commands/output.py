"""`evo export` and `evo report`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import RunAndId, RunArgument, example, individual, opened, run_and_ids, write_file
from trainer import genome
from trainer.errors import UsageError, counted


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo export\nevo export runs/2026-11-21-220000 18 --out better.py\nevo export --optuna sqlite:///study.db",
            "The genome is written byte for byte as it was evaluated. A genome of several files goes into a folder. "
            "--optuna writes all individuals of the run instead, each as a trial with its constants and objectives.",
        )
    )(export)
    app.command(
        epilog=example(
            "evo report\nevo report runs/2026-11-21-220000 --out tonight.html",
            "One HTML file that needs no network. `evo run` writes it at its end; this command updates it at any time.",
        )
    )(report)


def export(
    run_and_id: RunAndId = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Output file, or folder for a genome of several files. [default: individual-<ID>]",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    optuna: Annotated[
        str | None,
        typer.Option("--optuna", metavar="STORAGE", help="Write the run as a study into this storage of Optuna."),
    ] = None,
    study: Annotated[str | None, typer.Option("--study", help="Name of the study. [default: the run's folder]")] = None,
) -> None:
    """Write the genome of an individual to a file or a folder.

    By default the best individual. With --optuna, all individuals of the run become trials of a study.
    """
    run, names = run_and_ids(run_and_id)
    if optuna is not None:
        if names or out or force:
            raise UsageError(
                "--optuna writes a whole run into a new study: leave out the individual, --out and --force."
            )
        _export_study(run, optuna, study)
        return
    if study is not None:
        raise UsageError(
            "--study names the study that --optuna writes: add --optuna sqlite:///study.db, or leave it out."
        )
    with opened(run) as viewed:
        record = individual(viewed, *names)
        files = genome.split(viewed.store.source(record.id), viewed.config.task.genome_files)
    if len(files) == 1:
        path = out or Path(f"individual-{record.id}{Path(next(iter(files))).suffix}")
        places = dict(zip([path], files.values(), strict=True))
    else:
        path = out or Path(f"individual-{record.id}")
        places = {path / name: content for name, content in files.items()}
        _make_folders(path, places)
    for place in places:
        _require_place(place, replace=force)
    for place, content in places.items():
        write_file(place, content.encode())
    typer.echo(str(path))


def _export_study(run: Path | None, storage: str, name: str | None) -> None:
    from evo.runs.optuna_study import export_study

    with opened(run) as viewed:
        name = name or viewed.folder.path.resolve().name
        trials = export_study(viewed, storage, name)
    typer.echo(
        f"study {name!r}: {counted(trials, 'trial')}. To see it: pip install optuna-dashboard; optuna-dashboard STORAGE"
    )


def report(
    run: RunArgument = None,
    out: Annotated[Path | None, typer.Option("--out", help="Output file. [default: RUN/report.html]")] = None,
) -> None:
    """Write the report of a run as one HTML file."""
    from evo.report.writing import write_report

    if out:
        _require_place(out, replace=True)
    with opened(run) as viewed:
        typer.echo(str(write_report(viewed, out)))


def _make_folders(path: Path, files: Iterable[Path]) -> None:
    """Make the folder of a genome of several files; raise UsageError if that fails."""
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a folder in an existing folder, but there is no folder {path.parent}.")
    try:
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"--out must name a folder for a genome of several files, but {path} cannot be one: {error.strerror}."
        ) from error


def _require_place(path: Path, *, replace: bool) -> None:
    """Raise UsageError unless `path` is a place for a file, and free or to be replaced."""
    if path.is_dir():
        raise UsageError(f"--out must name a file, but {path} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a file in an existing folder, but there is no folder {path.parent}.")
    if path.exists() and not replace:
        raise UsageError(f"{path} already exists. Replace it with --force, or choose another name with --out.")

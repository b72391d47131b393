"""`evo export`: what leaves a run."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import RunAndId, example, individual, opened, run_and_ids
from trainer.errors import MachineError, UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo export\nevo export runs/2026-11-21-220000 18 --out better.py",
            "The file holds the genome as it was evaluated, byte for byte.",
        )
    )(export)


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


def _write(path: Path, content: bytes, *, replace: bool) -> None:
    """Write a file that is never seen half written.

    Raises:
        UsageError: something stands there that may not be replaced.
        MachineError: the disk refused.
    """
    if path.is_dir():
        raise UsageError(
            f"--out must name a file, but {path} is a folder. Give a name in it: --out {path / 'train.py'}"
        )
    if not path.parent.is_dir():
        raise UsageError(f"--out must name a file in a folder that exists, but there is no folder {path.parent}.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        draft.write_bytes(content)
        if replace:
            draft.replace(path)
        else:
            os.link(draft, path)  # fails when the name is taken, which a rename would not
    except FileExistsError:
        raise UsageError(f"{path} exists already. Give --force to replace it, or another name with --out.") from None
    except OSError as error:
        raise MachineError(f"The genome was to be written to {path}, but that failed: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)

"""`evo dashboard`: a live page of runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evo.commands.options import example, run_folder


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        epilog=example(
            "evo dashboard\nevo dashboard runs\nevo dashboard runs/2026-11-21-220000 --read-only --port 8080",
            "Prints an address with a token, which the browser needs once. Ctrl-C stops the server; the runs continue.",
        )
    )(dashboard)


def dashboard(
    path: Annotated[
        Path | None,
        typer.Argument(metavar="RUN", help="A run, or a folder of runs. [default: the newest under ./runs]"),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Port; 0 takes a free one.")] = 0,
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse steering.")] = False,
) -> None:
    """Show runs live in a browser, and steer them from there."""
    from evo.dashboard.serving import serve

    serve(run_folder(path), host, port, read_only=read_only, say=lambda line: typer.echo(line))

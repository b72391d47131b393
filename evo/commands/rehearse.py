"""`evo rehearse`: a scripted language model, to try a whole run without paying."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from evo.commands.options import example


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(
        epilog=example(
            "evo rehearse --port 8000 --latency 5 --faults 0.2\n"
            "ANTHROPIC_BASE_URL=http://127.0.0.1:8000 evo run --model scripted",
            "The model changes one constant of the program that it is shown. Ctrl-C ends it.",
        )
    )(rehearse)


def rehearse(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on this machine; 0 takes any free one.")] = 0,
    latency: Annotated[float, typer.Option(min=0.0, help="Seconds before each reply.")] = 0.0,
    faults: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Fraction of requests answered by a fault of a service or a model.")
    ] = 0.0,
) -> None:
    """Serve a scripted language model, to rehearse a run at no cost."""
    from operators.llm.rehearsal import MessagesServer, model, scripted_model, sometimes
    from trainer.errors import ConfigError

    try:
        server = MessagesServer(fallback=sometimes(model(scripted_model, latency), faults), port=port)
    except OSError as error:
        raise ConfigError(f"--port {port} cannot be used: {error.strerror}. Choose another one.") from error
    with contextlib.suppress(KeyboardInterrupt):
        typer.echo(server.url)
        typer.echo(f"Use it by ANTHROPIC_BASE_URL={server.url}, or OPENAI_BASE_URL={server.url}/v1.", err=True)
        server.serve_forever()

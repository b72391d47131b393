"""`evo mcp` and `evo skill`: evo for coding agents."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evo.assistants.skill import Agent
from evo.commands.options import example
from trainer.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(
        epilog=example(
            "evo mcp\nclaude mcp add evo -- evo mcp",
            "Speaks the Model Context Protocol on stdin and stdout; an agent starts it. Needs: pip install "
            "'evo-train[mcp]'",
        )
    )(mcp)
    app.command(
        epilog=example(
            "evo skill\nevo skill install\nevo skill install --agent codex --project",
            "Without `install`, prints the skill: how an agent sets up a task, runs it and reads the result.",
        )
    )(skill)


def mcp() -> None:
    """Serve evo's commands as tools for coding agents."""
    try:
        from evo.assistants.server import serve
    except ImportError as error:
        raise UsageError(
            f"evo mcp needs the package mcp ({error}). Install it: pip install 'evo-train[mcp]'"
        ) from error
    serve(Path.cwd())


def skill(
    action: Annotated[str, typer.Argument(metavar="[install]", help="Install it where an agent finds it.")] = "",
    agent: Annotated[Agent, typer.Option("--agent", help="Agent to install it for.")] = Agent.CLAUDE,
    project: Annotated[
        bool, typer.Option("--project", help="In this folder. [default: in your home, for all projects]")
    ] = False,
) -> None:
    """Print or install the skill that teaches agents to use evo."""
    from evo.assistants.skill import install, text

    if action == "":
        typer.echo(text(), nl=False)
    elif action == "install":
        typer.echo(str(install(agent, Path() if project else Path.home())))
    else:
        raise UsageError(f"Expected `evo skill` or `evo skill install`, but got {action!r}.")

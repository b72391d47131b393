"""Where coding agents look for skills, and putting evo's there."""

from __future__ import annotations

from enum import StrEnum
from importlib import resources
from pathlib import Path

from evo.files import replace_file
from trainer.errors import MachineError


class Agent(StrEnum):
    """A coding agent, by the folder of its settings."""

    CLAUDE = "claude"
    CODEX = "codex"


def text() -> str:
    """Return SKILL.md."""
    return resources.files(__package__).joinpath("skill", "SKILL.md").read_text(encoding="utf-8")


def install(agent: Agent, folder: Path) -> Path:
    """Write SKILL.md to where an agent finds it; return the file.

    `folder` is the home of the user, or a project.

    Raises:
        MachineError: it cannot be written.
    """
    path = folder / f".{agent}" / "skills" / "evo" / "SKILL.md"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text().encode())
    except OSError as error:
        raise MachineError(f"{path} could not be written: {error.strerror}.") from error
    return path

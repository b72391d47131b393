"""What a user decides about the coding agent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from operators.llm.redaction import Redaction

_ADDRESS = re.compile(r"_URL$|_HOST$")
_PLACEHOLDERS = re.compile(r"\{(prompt|turns|dollars|seconds|model)\}")


@dataclass(frozen=True)
class AgentSettings:
    """How a coding agent is run, and within which limits.

    Attributes:
        name: of the agent, for people.
        command: its program, as an absolute path, and its arguments; `{prompt}`, `{turns}`, `{dollars}`, `{seconds}`
            and `{model}` stand for what is asked and for the limits of one run.
        sandbox: level of isolation, by name.
        variables: of its environment beside the usual ones; keys among them.
        visible: files and folders that it may read: its installation, and what the user names.
        writable: files and folders that it may also change: its own configuration.
        model: for `{model}`; empty for the agent's own choice.
        seconds: wall time of one run.
        turns: of one run, where the command takes that limit.
        max_cost_usd: of one run, where the command takes that limit; set aside before each run.
        repairs: how often it is run again when its program was refused, with the reason.
        parallel: runs at a time; None for as many as proposals are wanted.
        has_stand_ins: whether other operators work while it cannot be used.
    """

    name: str
    command: tuple[str, ...]
    sandbox: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    visible: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    model: str = ""
    seconds: float = 900.0
    turns: int = 40
    max_cost_usd: float = 2.0
    repairs: int = 1
    parallel: int | None = None
    has_stand_ins: bool = False

    def filled_in(self, prompt: str) -> tuple[str, ...]:
        """Return the command with what stands for its placeholders."""
        values = {
            "prompt": prompt,
            "turns": str(self.turns),
            "dollars": f"{self.max_cost_usd:g}",
            "seconds": f"{self.seconds:g}",
            "model": self.model,
        }
        return tuple(_PLACEHOLDERS.sub(lambda found: values[found[1]], part) for part in self.command)

    def redaction(self) -> Redaction:
        """Return the filter for everything that the agent prints or writes."""
        return Redaction(value for name, value in self.variables.items() if not _ADDRESS.search(name))

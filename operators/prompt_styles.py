"""Prompt styles: the kinds of change that a language model is asked for.

The service takes no temperature, so replies differ because prompts do. A style is a manner of working and some
directions, a text under `llm/prompts/styles/`; each makes an operator of its own, whose name ends with the style's, so
that an adaptive choice learns which of them pay, and every individual tells how it was asked for.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib.resources import files

STYLES = ("careful", "structure", "simplify", "throughput", "literature", "diagnosis")
"""The names of all styles."""

_TRAINING, _ANY = "## Training script", "## Any program"


@dataclass(frozen=True, slots=True)
class Style:
    """One style.

    Attributes:
        manner: how to work, a paragraph.
        training_directions: what to change in a training script for a language model; one is drawn for each prompt.
        program_directions: the same for any other program.
    """

    name: str
    manner: str
    training_directions: tuple[str, ...]
    program_directions: tuple[str, ...]


@functools.cache
def read_style(name: str) -> Style:
    """Return the style called `name`, one of `STYLES`."""
    text = (files("operators.llm") / "prompts" / "styles" / f"{name}.md").read_text(encoding="utf-8")
    manner, _, lists = text.partition(_TRAINING)
    training, _, program = lists.partition(_ANY)
    return Style(name, manner.strip(), listed(training), listed(program))


def listed(text: str) -> tuple[str, ...]:
    """Return the items of a Markdown list."""
    return tuple(line.removeprefix("- ") for line in text.splitlines() if line.startswith("- "))

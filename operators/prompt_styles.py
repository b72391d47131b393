"""Prompt styles: the kinds of change that a language model is asked for.

The service takes no temperature, so replies differ because prompts do. A style is a manner of working and some
directions, a text under `llm/prompts/styles/`; each makes an operator of its own, whose name ends with the style's, so
that an adaptive choice learns which of them pay, and every individual tells how it was asked for.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import NamedTuple

STYLES = ("careful", "structure", "simplify", "throughput", "literature", "diagnosis")
"""The names of all styles."""

_NEEDS = re.compile(r"\[(\w+)\] ")
_TRAINING, _ANY = "## Training script", "## Any program"


class Needs(StrEnum):
    """What a direction asks to be read; in its text it stands in front in brackets."""

    CURVE = "curve"
    RELATIVES = "relatives"
    FAILURES = "failures"


class Direction(NamedTuple):
    """What to change.

    Attributes:
        needs: what it cannot be followed without; None for nothing.
    """

    text: str
    needs: Needs | None = None


@dataclass(frozen=True, slots=True)
class Style:
    """One style.

    Attributes:
        manner: how to work, a paragraph.
        training_directions: what to change in a training script for a language model; for each prompt one is drawn of
            those that can be followed.
        program_directions: the same for any other program.
    """

    name: str
    manner: str
    training_directions: tuple[Direction, ...]
    program_directions: tuple[Direction, ...]


@functools.cache
def read_style(name: str) -> Style:
    """Return the style called `name`, one of `STYLES`."""
    text = (files("operators.llm") / "prompts" / "styles" / f"{name}.md").read_text(encoding="utf-8")
    manner, _, lists = text.partition(_TRAINING)
    training, _, program = lists.partition(_ANY)
    return Style(name, manner.strip(), read_directions(training), read_directions(program))


def read_directions(text: str) -> tuple[Direction, ...]:
    """Return the items of a Markdown list, each maybe after what it needs in brackets."""
    return tuple(map(_direction, (line[2:] for line in text.splitlines() if line.startswith("- "))))


def _direction(item: str) -> Direction:
    found = _NEEDS.match(item)
    return Direction(item[found.end() :], Needs(found[1])) if found else Direction(item)

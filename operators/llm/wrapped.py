"""Unwraps replies that stand in JSON: a text, or an object with a hypothesis beside a program or changes of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from operators.llm.blocks import fences
from operators.llm.pairs import pairs_in
from operators.llm.text import fenced, one_line, shallow_json

_HYPOTHESIS = re.compile(r"(?:hypothesis|idea)", re.IGNORECASE)
_CHANGES = re.compile(r"^(?:<{5,9}|-{5,9} ?SEARCH|@@|\*\*\* Begin Patch|--- |`{3,})", re.MULTILINE)
_HYPOTHESIS_CHARACTERS = 600


def unwrapped(reply: str) -> str:
    """Return what a reply in JSON says, as if it had been written without; any other reply as it is.

    Pairs of an old and a new text stay in their JSON, behind the hypothesis that it states.
    """
    text, before = _json(reply)
    try:
        value = shallow_json(text) if text else None
    except (ValueError, RecursionError):
        return reply
    if isinstance(value, str):
        return value
    strings = list(_strings(value))
    stated = next((one for name, one in strings if _HYPOTHESIS.fullmatch(name)), "")
    hypothesis = f"Hypothesis: {one_line(stated, _HYPOTHESIS_CHARACTERS)}\n\n" if stated else before
    if any(pairs_in(value)):
        return f"{hypothesis}```json\n{text}\n```\n"
    written = {one for name, one in strings if "\n" in one.strip() and one != stated}
    if len(written) != 1:
        return reply
    (program,) = written
    return hypothesis + (program if _CHANGES.search(program) else fenced(program, ""))


def _json(reply: str) -> tuple[str, str]:
    """Return the JSON of a reply that is nothing else but words before a fence, and these; empty where it is not."""
    if reply.lstrip().startswith(("{", "[", '"')):
        return reply.strip(), ""
    found = fences(reply)
    if len(found) != 1 or found[0].language != "json" or not found[0].is_closed:
        return "", ""
    before = "\n".join(reply.split("\n")[: found[0].line])
    return "\n".join(found[0].lines).strip(), f"{before}\n"


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text within a value of JSON, with the name that it or what holds it has."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, name)

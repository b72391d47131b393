"""Reads edits that name an old and a new text.

In tags (`<old>…</old> <new>…</new>`, also those of a tool's parameters), in JSON, or as two code fences of which the
line before each tells what it is.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Any

from operators.llm.blocks import Edit, Fence, fences, require_search
from operators.llm.text import shallow_json
from operators.llm.whole_program import SHELL

_NAME = r"(?:{})(?:[_-]?(?:str|string|text|code|lines?|block|content|snippet))?"
_OLD = _NAME.format("old|search|find|original")
_NEW = _NAME.format("new|replace|replacement|replace_with|updated")
_OPENING = r'<(?:({0})|(\w+)(?: name="{0}"|={0}))>'
_OLD_BEGINS = re.compile(_OPENING.format(_OLD), re.IGNORECASE)
_NEW_BEGINS = re.compile(r"\s*" + _OPENING.format(_NEW), re.IGNORECASE)
_ENDS = re.compile(r"</([\w-]+)>")
_LABELS = (
    re.compile(r"\b(?:old|search|find|original|before|current|replace|change)\b", re.IGNORECASE),
    re.compile(r"\b(?:new|replace|replacement|updated?|after|with|by|to|becomes)\b", re.IGNORECASE),
)
_LABEL_CHARACTERS = 60
_CDATA, _CDATA_ENDS = "<![CDATA[", "]]>"


def parse_pairs(reply: str) -> list[Edit]:
    """Return the edits of a reply in tags or JSON, in order; none when it has none.

    Raises:
        UnusableReply: an old text is empty.
    """
    edits = [_edit(old, new, line) for old, new, line in _in_tags(reply)]
    places = [(reply, 0), *(("\n".join(fence.lines), fence.line) for fence in fences(reply))]
    places += _calls(reply)
    return edits or [_edit(old, new, line) for text, line in places for old, new in _in_json(text)]


def parse_labelled(reply: str) -> list[Edit]:
    """Return the edits of a reply that shows an old and a new text in turns, each in a fence; none when it does not."""
    shown = [fence for fence in fences(reply) if fence.language not in SHELL]
    lines = reply.split("\n")
    labels = [_label(lines, fence.line) for fence in shown]
    if len(shown) % 2 or not all(_LABELS[number % 2].search(label) for number, label in enumerate(labels)):
        return []
    return [_edit_of(old, new) for old, new in zip(shown[::2], shown[1::2], strict=True)]


def _label(lines: Sequence[str], fence: int) -> str:
    """Return what the line before a fence says; empty where it is too long for a label."""
    line = next((lines[number] for number in range(fence - 1, -1, -1) if lines[number].strip()), "")
    return line if len(line) <= _LABEL_CHARACTERS else ""


def _edit_of(old: Fence, new: Fence) -> Edit:
    require_search(old.lines, old.line + 1)
    return Edit(old.lines, new.lines, old.line + 1)


def _edit(old: str, new: str, line: int) -> Edit:
    old, new = map(_bare, (old, new))
    search, replace = (tuple(text.strip("\n").split("\n")) for text in (old, new))
    require_search(search, line + 1)
    return Edit(search, replace if new.strip() else (), line + 1)


def _bare(text: str) -> str:
    """Return a text without the sections of CDATA that all of it stands in."""
    inner = text.strip()
    if not inner.startswith(_CDATA) or not inner.endswith(_CDATA_ENDS):
        return text
    return inner[len(_CDATA) : -len(_CDATA_ENDS)].replace(_CDATA_ENDS + _CDATA, "")


def _calls(reply: str) -> Iterator[tuple[str, int]]:
    """Yield what stands in calls of tools, each with the line of the reply at which it begins, from 0."""
    before, *calls = reply.split("<tool_call>")
    line = before.count("\n")
    for call in calls:
        text, end, _ = call.partition("</tool_call>")
        if end:
            yield text, line
        line += call.count("\n")


def _in_tags(reply: str) -> Iterator[tuple[str, str, int]]:
    """Yield the pairs in tags, each with the line of the reply at which it begins, from 0."""
    ends: dict[str, list[re.Match[str]]] = {}
    for found in _ENDS.finditer(reply):
        ends.setdefault(found[1].lower(), []).append(found)
    # Every end is looked up: to search for each anew would take for ever in a long reply without any.
    known = {name: [one.start() for one in several] for name, several in ends.items()}

    def end_of(begin: re.Match[str]) -> re.Match[str] | None:
        name = (begin[1] or begin[2]).lower()
        place = bisect_left(known.get(name, []), begin.end())
        return ends[name][place] if place < len(known.get(name, [])) else None

    done = line = 0
    for old in _OLD_BEGINS.finditer(reply):
        if old.start() < done or (old_ends := end_of(old)) is None:
            continue
        new = _NEW_BEGINS.match(reply, old_ends.end())
        if new is not None and (new_ends := end_of(new)) is not None:
            line += reply.count("\n", done, old.start())
            yield reply[old.end() : old_ends.start()], reply[new.end() : new_ends.start()], line
            line += reply.count("\n", old.start(), new_ends.end())
            done = new_ends.end()


def _in_json(text: str) -> Iterator[tuple[str, str]]:
    if text.lstrip().startswith(("{", "[")):
        try:
            value = shallow_json(text)
        except (ValueError, RecursionError):
            return
        yield from pairs_in(value)


def pairs_in(value: Any) -> Iterator[tuple[str, str]]:
    """Yield the pairs of an old and a new text within a value of JSON."""
    if isinstance(value, dict):
        texts = [
            next((text for name, text in value.items() if re.fullmatch(names, name, re.IGNORECASE)), None)
            for names in (_OLD, _NEW)
        ]
        if isinstance(texts[0], str) and isinstance(texts[1], str):
            yield texts[0], texts[1]
            return
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from pairs_in(item)

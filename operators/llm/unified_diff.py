"""Reads a diff as edits: each hunk's old lines are searched for, whatever line number it states.

The number, or the heading of a hunk, decides only between several places; models count lines badly. Besides unified
diffs, the form of `*** Begin Patch` is read, whose hunks have headings alone, or nothing, before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from operators.llm.blocks import DIFFS, Edit, UnusableReply, fences, is_fence, require_closed

_HUNK = re.compile(r"@@(?: -(\d+)(?:,\d+)? \+\d+(?:,\d+)?)?(?: ?@@)?(.*)")
_PATCHED = re.compile(r"\*\*\* Update File: ")
_HEADER = re.compile(r"(?:\*\*\* |diff --git |index [0-9a-f]{4,}\.\.)")


def parse_unified_diff(reply: str) -> list[Edit]:
    """Return the hunks of the diffs in a reply in order; none when it holds no diff.

    Raises:
        UnusableReply: a hunk names no line of the program, or a code block is never closed.
    """
    fenced = [fence for fence in fences(reply) if fence.language in DIFFS or _is_signed(fence.lines)]
    require_closed(fenced)
    if fenced:
        return [edit for fence in fenced for edit in _hunks(fence.lines, fence.line + 1)]
    lines = reply.split("\n")
    return _hunks(lines, 0) if any(_begins_hunk(lines, number) for number, _ in enumerate(lines)) else []


def _is_signed(lines: Sequence[str]) -> bool:
    """Return whether each line bears the sign of a diff, with both of them among these."""
    return {line[:1] for line in lines if line.strip()} in ({"-", "+"}, {"-", "+", " "})


def _begins_hunk(lines: Sequence[str], number: int) -> bool:
    """Return whether a hunk begins behind a line: a header of hunks, the last of several, or one of a file alone."""
    line, following = lines[number], lines[number + 1] if number + 1 < len(lines) else ""
    if _HUNK.match(line):
        return not _HUNK.match(following)
    is_of_file = _PATCHED.match(line) or (number and line.startswith("+++ ") and lines[number - 1].startswith("--- "))
    return bool(is_of_file) and not _HUNK.match(following) and not _HEADER.match(following)


def _hunks(lines: Sequence[str], offset: int) -> list[Edit]:
    """Return the hunks among lines, the first of which is line `offset` of the reply, from 0."""
    starts = [number for number, _ in enumerate(lines) if _begins_hunk(lines, number)]
    if not starts:  # without a header, all of a fence is one hunk
        return [_hunk(lines, offset, None, "")]
    stops = [*starts[1:], len(lines)]
    return [
        _hunk(lines[start + 1 : stop], offset + start, *_place(lines[start]))
        for start, stop in zip(starts, stops, strict=True)
    ]


def _place(header: str) -> tuple[int | None, str]:
    match = _HUNK.match(header)
    if match is None:
        return None, ""
    return max(0, int(match[1]) - 1) if match[1] else None, match[2].rstrip().removesuffix("@@").strip()


def _is_header(lines: Sequence[str], number: int) -> bool:
    """Return whether a line begins what a diff says of the next file; a removed comment may begin like one of these."""
    names = [line[:4] for line in lines[number : number + 2]]
    return names == ["--- ", "+++ "] or bool(_HEADER.match(lines[number]))


def _hunk(lines: Sequence[str], start: int, place: int | None, heading: str) -> Edit:
    old: list[str] = []
    new: list[str] = []
    for number, line in enumerate(lines):
        if (is_fence(line) and not line[0].isspace()) or _is_header(lines, number):
            break
        if line.startswith("\\"):  # of a file that does not end with a line end
            continue
        sign, text = line[:1], line[1:]
        if sign != "+":
            old.append(text if sign in ("-", " ") else line)
        if sign != "-":
            new.append(text if sign in ("+", " ") else line)
    while old and new and not old[-1].strip() and not new[-1].strip():
        del old[-1], new[-1]
    if not any(line.strip() for line in old):
        raise UnusableReply(
            f"The hunk at line {start + 1} of the reply repeats no line of the program, so it has no place. Send "
            "SEARCH/REPLACE blocks."
        )
    return Edit(tuple(old), tuple(new), start + 1, place, heading)

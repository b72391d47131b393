"""Reads the change that a language model proposes and applies it to a source.

A reply is one line of hypothesis and then blocks

    <<<<<<< SEARCH
    lines of the source
    =======
    lines that take their place
    >>>>>>> REPLACE

or, instead of blocks, one fence with a complete program. Whatever could be understood in two ways is refused with a
reason that the model can act on.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from operators.llm.text import numbered, one_line

IDEA_CHARACTERS = 300
SHOWN_LINES = 12

_SEARCH = re.compile(r"<{5,9}\s*SEARCH\s*$")
_DIVIDER = re.compile(r"={5,9}\s*$")
_REPLACE = re.compile(r">{5,9}\s*REPLACE\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})\s*([\w+-]*)\s*$")
_HYPOTHESIS = re.compile(r"^\W*hypothesis[\s*_]*:[\s*_]*(.*\S)", re.IGNORECASE)


class UnusableReply(Exception):  # noqa: N818 - a verdict that is sent back to the model, not an error of the product
    """A reply that cannot be turned into a source; the message says why, in words that the model can act on."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines to find in a source and the lines that take their place; `line` is where the block begins in the reply."""

    search: tuple[str, ...]
    replace: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class _Span:
    """Lines `start` to `stop - 1` of a source, counted from 0, and what replaces them."""

    start: int
    stop: int
    lines: tuple[str, ...]


def revise(source: str, reply: str) -> str:
    r"""Return `source` changed as `reply` says; both with `\n` line ends.

    Raises:
        UnusableReply: the reply holds no change, or one that is incomplete, ambiguous, or does not fit the source.
    """
    edits = parse_edits(reply)
    revised = apply_edits(source, edits) if edits else _complete_program(reply)
    if revised.rstrip() == source.rstrip():
        raise UnusableReply("The reply changes nothing: the result is the program that it started from.")
    return revised


def parse_idea(reply: str) -> str:
    """Return the hypothesis of a reply on one line, else its first line of prose, else nothing."""
    lines = _lines_outside_blocks(reply)
    for line, _ in lines:
        if match := _HYPOTHESIS.match(line):
            return one_line(match[1].rstrip("*_ "), IDEA_CHARACTERS)
    prose = (line for line, in_fence in lines if not in_fence and re.search(r"\w", line))
    return one_line(next(prose, ""), IDEA_CHARACTERS)


def parse_edits(reply: str) -> list[Edit]:
    """Return the SEARCH/REPLACE blocks of a reply in order; none when it has no marker of a block.

    Raises:
        UnusableReply: a block is incomplete, nested, or has an empty SEARCH part.
    """
    lines = reply.split("\n")
    edits: list[Edit] = []
    index = 0
    while index < len(lines):
        if _SEARCH.match(lines[index].strip()):
            edit, index = _parse_block(lines, index)
            edits.append(edit)
        elif _REPLACE.match(lines[index].strip()):
            raise UnusableReply(f"Line {index + 1} of the reply ends a block that was never begun with <<<<<<< SEARCH.")
        else:
            index += 1
    return edits


def _parse_block(lines: Sequence[str], start: int) -> tuple[Edit, int]:
    """Return the block that begins at `lines[start]` and the index after it."""
    dividers: list[int] = []
    for index in range(start + 1, len(lines)):
        marker = lines[index].strip()
        if _SEARCH.match(marker):
            break
        if _DIVIDER.match(marker):
            dividers.append(index)
        elif _REPLACE.match(marker):
            if len(dividers) != 1:
                raise UnusableReply(
                    f"The block at line {start + 1} of the reply needs exactly one ======= line between its parts, "
                    f"but it has {len(dividers)}. Choose SEARCH and REPLACE lines that contain no such line."
                )
            return _block(lines, start, dividers[0], index), index + 1
    raise UnusableReply(
        f"The block at line {start + 1} of the reply is incomplete: it needs <<<<<<< SEARCH, =======, and "
        ">>>>>>> REPLACE, each on a line of its own."
    )


def _block(lines: Sequence[str], start: int, divider: int, end: int) -> Edit:
    search, replace = tuple(lines[start + 1 : divider]), tuple(lines[divider + 1 : end])
    if not any(line.strip() for line in search):
        raise UnusableReply(
            f"The block at line {start + 1} of the reply has an empty SEARCH part. To insert lines, search for the "
            "line beside them and repeat it in the REPLACE part."
        )
    return Edit(search, replace, start + 1)


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """Return `source` with all edits made; every edit refers to the source as it was before any of them.

    A SEARCH part must match exactly one place. Trailing blanks are ignored, and so is an indentation that differs by
    the same amount in all its lines; the replacement is then indented like the place it goes to.

    Raises:
        UnusableReply: a SEARCH part matches nowhere or more than once, or two of them overlap.
    """
    lines = source.replace("\r\n", "\n").split("\n")
    spans = sorted((_locate(lines, edit) for edit in edits), key=lambda span: span.start)
    for before, after in itertools.pairwise(spans):
        if after.start < before.stop:
            raise UnusableReply(
                f"Two blocks change the same lines ({after.start + 1} to {before.stop}). Join them into one block; "
                "all SEARCH parts refer to the program as it was given."
            )
    for span in reversed(spans):
        lines[span.start : span.stop] = span.lines
    return "\n".join(lines)


def _locate(lines: Sequence[str], edit: Edit) -> _Span:
    search, replace = list(edit.search), list(edit.replace)
    starts = _matches(lines, search, str.rstrip)
    if not starts:
        search = _without_blank_edges(search)
        starts = _matches(lines, search, str.rstrip) or _matches(lines, search, str.strip)
    if len(starts) > 1:
        places = ", ".join(str(start + 1) for start in starts[:SHOWN_LINES])
        raise UnusableReply(
            f"The SEARCH part of the block at line {edit.line} of the reply matches {len(starts)} places of the "
            f"program (lines {places}). Add neighbouring lines until it matches one."
        )
    if not starts:
        raise UnusableReply(
            f"The SEARCH part of the block at line {edit.line} of the reply is not in the program. It must repeat "
            "whole lines of it exactly. The nearest lines of the program, after their numbers, are:\n"
            f"{_nearest(lines, search)}"
        )
    start = starts[0]
    found = lines[start : start + len(search)]
    return _Span(start, start + len(search), _reindented(replace, search, found, edit.line))


def _matches(lines: Sequence[str], search: Sequence[str], normalise: Callable[[str], str]) -> list[int]:
    """Return every index of `lines` where `search` begins when both are normalised line by line."""
    wanted = [normalise(line) for line in search]
    given = [normalise(line) for line in lines]
    count = len(wanted)
    return [
        start
        for start in range(len(given) - count + 1)
        if given[start] == wanted[0] and given[start : start + count] == wanted
    ]


def _without_blank_edges(lines: list[str]) -> list[str]:
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return lines[filled[0] : filled[-1] + 1]


def _reindented(replace: list[str], search: Sequence[str], found: Sequence[str], line: int) -> tuple[str, ...]:
    """Return the replacement moved by the indentation that separates the lines searched from the lines found."""
    shifts = {(_indent(wanted), _indent(given)) for wanted, given in zip(search, found, strict=True) if given.strip()}
    if all(wanted == given for wanted, given in shifts):
        return tuple(replace)
    for added, removed in ((_added(shifts), ""), ("", _added({(given, wanted) for wanted, given in shifts}))):
        if added is None or removed is None or not added + removed:
            continue
        if all(text.startswith(removed) for text in replace if text.strip()):
            return tuple(added + text.removeprefix(removed) if text.strip() else "" for text in replace)
    raise UnusableReply(
        f"The SEARCH part of the block at line {line} of the reply is indented differently from the program, and not "
        "by the same amount in every line. Repeat the lines with their exact indentation."
    )


def _added(shifts: set[tuple[str, str]]) -> str | None:
    """Return the one string that, put before each first indentation, gives the second; None when there is none."""
    prefixes = {given.removesuffix(wanted) if given.endswith(wanted) else None for wanted, given in shifts}
    return prefixes.pop() if len(prefixes) == 1 else None


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip())]


def _nearest(lines: Sequence[str], search: Sequence[str]) -> str:
    """Return the numbered lines of the program that resemble `search` most."""
    stripped = [line.strip() for line in lines]
    wanted = {line.strip() for line in search if line.strip()}
    count = min(len(search), SHOWN_LINES)
    scores = [line in wanted for line in stripped]
    best = max(range(len(lines)), key=lambda start: sum(scores[start : start + count]))
    if not any(scores):
        longest = max(wanted, key=len)
        close = difflib.get_close_matches(longest, [line for line in stripped if line], n=1, cutoff=0.3)
        best = stripped.index(close[0]) if close else 0
    first = max(0, best - 1)
    return numbered(lines[first : best + count + 1], first + 1)


def _complete_program(reply: str) -> str:
    """Return the only fenced block of a reply that has no SEARCH/REPLACE blocks."""
    programs = _fenced_blocks(reply)
    if len(programs) == 1:
        return programs[0].rstrip() + "\n"
    found = "no change" if not programs else f"{len(programs)} code blocks, and it is unclear which one is meant"
    raise UnusableReply(
        f"The reply holds {found}. Expected: one line `Hypothesis: …` and then one or more SEARCH/REPLACE blocks."
    )


def _fenced_blocks(reply: str) -> list[str]:
    blocks: list[str] = []
    fence, content = "", [""]
    for line in reply.split("\n"):
        match = _FENCE.match(line)
        if match and not fence:
            fence, content = match[1], []
        elif match and match[1].startswith(fence) and not match[2]:
            blocks.append("\n".join(content))
            fence = ""
        else:
            content.append(line)
    if fence:
        raise UnusableReply(f"The reply opens a code block with {fence} that it does not close; it seems cut off.")
    return blocks


def _lines_outside_blocks(reply: str) -> list[tuple[str, bool]]:
    """Return the lines of a reply outside of SEARCH/REPLACE blocks, and whether each stands in a fence."""
    lines: list[tuple[str, bool]] = []
    fence, in_block = "", False
    for line in reply.split("\n"):
        match = _FENCE.match(line)
        if in_block:
            in_block = not _REPLACE.match(line.strip())
        elif _SEARCH.match(line.strip()):
            in_block = True
        elif match and not fence:
            fence = match[1]
        elif match and match[1].startswith(fence) and not match[2]:
            fence = ""
        else:
            lines.append((line, bool(fence)))
    return lines

"""Reads the change that a language model proposes and applies it to a source.

A reply is one line of hypothesis and then SEARCH/REPLACE blocks (`operators.llm.blocks`). A unified diff that applies,
pairs of an old and a new text, and one complete program are understood as well. Whatever could be understood in two
ways is refused with a reason that the model can act on.

The model was shown the source without invisible characters, and its reply has none. Lines are compared in that form,
and what the reply repeats is taken from the source as it is.
"""

from __future__ import annotations

import dataclasses
import difflib
import html
import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from operators.llm.answer import final_answer, hypothesis, without_reasoning, without_tags
from operators.llm.blocks import (
    Edit,
    UnusableReply,
    is_fence,
    outside_blocks,
    parse_blocks,
    plain,
    require_search,
    unfenced,
    unnumbered,
)
from operators.llm.pairs import parse_labelled, parse_pairs
from operators.llm.text import clean_text, numbered, one_line
from operators.llm.unified_diff import parse_unified_diff
from operators.llm.whole_program import elided, whole_program
from operators.llm.wrapped import unwrapped
from trainer.languages import PYTHON, Language

__all__ = ["UnusableReply", "parse_idea", "revise"]

_TYPED = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u201a\u2032", "'"), **dict.fromkeys("\u201c\u201d\u201e\u2033", '"')}
    | {**dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-"), **dict.fromkeys("\u00a0\u2007\u202f\u3000", " ")}
    | {"\u2026": "..."}
)
"""What typography makes of characters of code."""

IDEA_CHARACTERS = 300
_HEADING = re.compile(r"\W*hypothesis\W*", re.IGNORECASE)
SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class _Span:
    """Lines `start` to `stop - 1` of a source, counted from 0, and what replaces them."""

    start: int
    stop: int
    lines: tuple[str, ...]


def revise(source: str, reply: str, language: Language = PYTHON) -> str:
    r"""Return `source` changed as `reply` says; both with `\n` line ends.

    Args:
        source: what is to be changed.
        reply: of a language model.
        language: what the source is written in, which tells a whole program from a snippet.

    Raises:
        UnusableReply: the reply holds no change, or one that is incomplete, ambiguous, or does not fit the source.
    """
    reply = clean_text(reply)
    answer = plain(final_answer(plain(reply if language.name == "json" else unwrapped(reply))))
    edits = parse_blocks(answer) or parse_unified_diff(answer) or parse_pairs(answer)
    if edits:
        revised = apply_edits(source, edits, is_prose=language.is_prose)
    else:
        try:
            lines = whole_program(clean_text(source), answer, language).split("\n")
            revised = "\n".join(_as_stored(lines, source.split("\n")))
        except UnusableReply:
            if not (edits := parse_labelled(answer)):
                raise
            revised = apply_edits(source, edits, is_prose=language.is_prose)
    if revised.rstrip() == source.rstrip():
        raise UnusableReply("The reply changes nothing: the result is the program that it started from.")
    return revised


def parse_idea(reply: str) -> str:
    """Return the hypothesis of a reply on one line, else its first line of prose, else nothing."""
    reply = unwrapped(reply)
    try:
        answer = final_answer(plain(reply))
    except UnusableReply:
        answer = without_reasoning(reply)
    lines, _ = outside_blocks(answer)
    for line in lines:
        if stated := hypothesis(line.text):
            return one_line(stated, IDEA_CHARACTERS)
    texts = (without_tags(line.text) for line in lines if not line.in_fence)
    # What begins with a tag still is the call of a tool.
    prose = (text for text in texts if re.search(r"^[^<]*\w", text) and not _HEADING.fullmatch(text))
    return one_line(next(prose, ""), IDEA_CHARACTERS)


def apply_edits(source: str, edits: Sequence[Edit], *, is_prose: bool) -> str:
    """Return `source` with all edits made; every edit refers to the source as it was before any of them.

    A SEARCH part must match exactly one place. Trailing blanks are ignored, and so is an indentation that differs by
    the same amount in all its lines; the replacement is then indented like the place it goes to. A single line may
    also be the only occurrence of a part of a line.

    Args:
        is_prose: whether the source is written for readers, and may have code fences of its own.

    Raises:
        UnusableReply: a SEARCH part matches nowhere or more than once, or two of them overlap.
    """
    lines = source.replace("\r\n", "\n").split("\n")
    shown = [clean_text(line) for line in lines]
    effective = [edit for edit in edits if edit.search != edit.replace]
    may_have_fences = is_prose or any(map(is_fence, shown))
    plain_edits = (_plain_parts(shown, edit, may_have_fences=may_have_fences) for edit in effective)
    spans = sorted((_locate(lines, shown, edit) for edit in plain_edits), key=lambda span: span.start)
    for before, after in itertools.pairwise(spans):
        if after.start < before.stop:
            raise UnusableReply(
                f"Two blocks change the same lines ({after.start + 1} to {before.stop}). Join them into one block; "
                "all SEARCH parts refer to the program as it was given."
            )
    for span in reversed(spans):
        lines[span.start : span.stop] = span.lines
    return "\n".join(lines)


def _locate(lines: Sequence[str], shown: Sequence[str], edit: Edit) -> _Span:
    """Return where an edit goes; `shown` are the lines of the source as the model has seen them."""
    if left_out := elided(edit.replace, edit.search):
        raise UnusableReply(
            f"In the block at line {edit.line} of the reply, `{left_out}` stands for code that is left out, which "
            "would delete it. Write the REPLACE part in full, or use smaller blocks."
        )
    search, replace = list(edit.search), list(edit.replace)
    starts = _matches(shown, search, str.rstrip)
    if not starts:
        search = _without_blank_edges(search)
        starts = _matches(shown, search, str.rstrip) or _matches(shown, search, str.strip)
    for meant in (_untyped, html.unescape):  # of a reply that was set in type, or escaped, all of it
        if not starts and (starts := _matches(shown, [meant(line) for line in search], str.strip)):
            search, replace = ([meant(line) for line in part] for part in (search, replace))
    if not starts and (span := _within_a_line(lines, shown, search, replace)):
        return span
    start = _only_place(shown, search, starts, edit)
    found = shown[start : start + len(search)]
    stored = _as_stored(_reindented(replace, search, found, edit.line), lines[start : start + len(search)])
    return _Span(start, start + len(search), stored)


def _untyped(line: str) -> str:
    return line.translate(_TYPED)


def _plain_parts(shown: Sequence[str], edit: Edit, *, may_have_fences: bool) -> Edit:
    """Return an edit whose parts have no code fence around and no numbers before them that the source does not have."""
    is_exact = bool(_matches(shown, edit.search, str.rstrip))
    search = edit.search if is_exact else unnumbered(unfenced(edit.search, may_have_fences=may_have_fences))
    require_search(search, edit.line)
    replace = edit.replace if any(map(is_fence, search)) else unfenced(edit.replace, may_have_fences=may_have_fences)
    return dataclasses.replace(edit, search=search, replace=replace if is_exact else unnumbered(replace))


def _only_place(shown: Sequence[str], search: Sequence[str], starts: Sequence[int], edit: Edit) -> int:
    if len(starts) == 1:
        return starts[0]
    if edit.place is not None and edit.place in starts:
        return edit.place
    heads = [
        index for index, line in enumerate(shown) if edit.heading and line.strip().startswith(edit.heading.strip())
    ]
    if below := [start for start in starts if len(heads) == 1 and start > heads[0]]:
        return below[0]
    if starts:
        places = ", ".join(str(start + 1) for start in starts[:SHOWN_LINES])
        raise UnusableReply(
            f"The SEARCH part of the block at line {edit.line} of the reply matches {len(starts)} places of the "
            f"program (lines {places}). Add neighbouring lines until it matches one."
        )
    raise UnusableReply(
        f"The SEARCH part of the block at line {edit.line} of the reply is not in the program. It must repeat "
        "whole lines of it exactly. The nearest lines of the program, after their numbers, are:\n"
        f"{_nearest(shown, search)}"
    )


def _within_a_line(
    lines: Sequence[str], shown: Sequence[str], search: Sequence[str], replace: list[str]
) -> _Span | None:
    """Return the change of the only line that holds `search`, one line, between other words; None if there is none."""
    replace = _without_blank_edges(replace) if any(line.strip() for line in replace) else [""]
    if len(search) != 1 or len(replace) != 1:
        return None
    wanted = search[0].strip()
    whole_words = re.compile(
        (r"(?<![\w.])" if re.match(r"[\w.]", wanted) else "")
        + re.escape(wanted)
        + (r"(?![\w.])" if re.search(r"[\w.]$", wanted) else "")
    )
    places = [index for index, line in enumerate(shown) for _ in whole_words.finditer(line)]
    if len(places) != 1 or len(whole_words.findall(lines[places[0]])) != 1:
        return None
    changed = whole_words.sub(lambda _: replace[0].strip(), lines[places[0]])
    return _Span(places[0], places[0] + 1, (changed,))


def _as_stored(lines: Sequence[str], stored: Sequence[str]) -> tuple[str, ...]:
    """Return lines, each that the source has too as it stands there, with what no model was shown."""
    by_shown = {clean_text(line): line for line in stored}
    return tuple(by_shown.get(line, line) for line in lines)


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
    """Return the replacement indented as the lines found are, where these and the lines searched differ.

    An indentation becomes the one that it stands for in the lines searched; one that is not among them becomes
    longer or shorter by what all of them do, or by the same factor.
    """
    pairs = {(_indent(wanted), _indent(given)) for wanted, given in zip(search, found, strict=True) if given.strip()}
    known = dict(pairs)
    new = {_indent(text) for text in replace if text.strip()} - {*known}
    if len(known) == len(pairs):
        for changed in (_shifted(pairs, new), _scaled(pairs, new)):
            if changed is not None:
                known |= changed
                return tuple(known[_indent(text)] + text.lstrip() if text.strip() else "" for text in replace)
    raise UnusableReply(
        f"The SEARCH part of the block at line {line} of the reply is indented differently from the program, and not "
        "by the same amount in every line. Repeat the lines with their exact indentation."
    )


def _shifted(pairs: set[tuple[str, str]], new: set[str]) -> dict[str, str] | None:
    """Return new indentations with what all of the pairs have before them, or without it; None where that differs."""
    if not new:
        return {}
    for sign, before, after in ((1, 0, 1), (-1, 1, 0)):
        added = {pair[after].removesuffix(pair[before]) for pair in pairs if pair[after].endswith(pair[before])}
        if len(added) == 1 and all(pair[after].endswith(pair[before]) for pair in pairs):
            (prefix,) = added
            if sign > 0:
                return {indent: prefix + indent for indent in new}
            if all(indent.startswith(prefix) for indent in new):
                return {indent: indent.removeprefix(prefix) for indent in new}
    return None


def _scaled(pairs: set[tuple[str, str]], new: set[str]) -> dict[str, str] | None:
    """Return new indentations multiplied, such as tabs by four spaces; None where the pairs do not agree on that."""
    factors = {(wanted[:1], given[:1], len(given) / len(wanted)) for wanted, given in pairs if wanted}
    if len(factors) != 1 or any(given and not wanted for wanted, given in pairs):
        return None
    ((kind, unit, factor),) = factors
    lengths = {indent: len(indent) * factor for indent in new}
    is_whole = all({*indent} == {kind} and lengths[indent] == round(lengths[indent]) for indent in new)
    return {indent: unit * round(length) for indent, length in lengths.items()} if is_whole else None


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

"""Comments that fix a part of a file, or let only a part of it evolve.

# evo: fixed … # evo: end      what stands between stays as it is
# evo: evolve … # evo: end     everything outside stays as it is
# EVOLVE-BLOCK-START … # EVOLVE-BLOCK-END      the same, as OpenEvolve writes it

In files that are not Python a mark has a line of its own, as a comment of any kind: `// evo: fixed` or
`<!-- evo: end -->`.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from trainer.languages import PYTHON, Language

_MARK = re.compile(
    r"(?:#+|//+|--|;+|%+|/\*+|<!--)\s*(?:evo:\s*(?P<word>fixed|evolve|end)\b|EVOLVE-BLOCK-(?P<block>START|END)\b)",
    re.IGNORECASE,
)
_WORDS = {"start": "evolve", "end": "end"}


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: `fixed`, `evolve` or `end`, and its line."""

    word: str
    line: int


class UnbalancedMarks(ValueError):  # noqa: N818 - named for what is the case
    """A mark without the other one that belongs to it."""


def marks_of(source: str, language: Language = PYTHON) -> list[Mark]:
    """Return the marks of a file in their order; `source` parses."""
    if "evo" not in source.lower():
        return []
    comments = _comments(source) if language is PYTHON else enumerate(source.split("\n"), 1)
    return [
        Mark(match["word"].lower() if match["word"] else _WORDS[match["block"].lower()], line)
        for line, text in comments
        if (match := _MARK.match(text.strip()))
    ]


def _comments(source: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of Python, each with its line."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def fixed_lines(source: str, language: Language = PYTHON) -> list[range]:
    """Return the parts of a file that its marks fix, as ranges of lines from 1; none without marks.

    Raises:
        UnbalancedMarks: a mark lacks its other one, or parts of both kinds are mixed.
    """
    parts = list(_paired(marks_of(source, language)))
    kinds = {word for word, _ in parts}
    if len(kinds) > 1:
        raise UnbalancedMarks("`# evo: fixed` and `# evo: evolve` exclude each other in one file; keep one of them")
    if "evolve" not in kinds:
        return [lines for _, lines in parts]
    last = source.count("\n") + 1
    borders = [1, *(border for _, lines in parts for border in (lines.start + 1, lines.stop - 1)), last]
    return [range(start, stop) for start, stop in zip(borders[::2], borders[1::2], strict=True)]


def _paired(marks: list[Mark]) -> Iterator[tuple[str, range]]:
    """Yield the kind of each part with the lines between its marks."""
    opened: Mark | None = None
    for mark in marks:
        if mark.word == "end":
            if opened is None:
                raise UnbalancedMarks(f"line {mark.line} ends a part that no mark begins")
            yield opened.word, range(opened.line, mark.line + 1)
            opened = None
        elif opened is not None:
            raise UnbalancedMarks(
                f"line {mark.line} begins a part within the one that line {opened.line} begins; end that first"
            )
        else:
            opened = mark
    if opened is not None:
        raise UnbalancedMarks(f"line {opened.line} begins a part that nothing ends; add `# evo: end`")

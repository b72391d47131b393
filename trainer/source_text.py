"""Reading a source, and cut and paste by the positions of its syntax tree, leaving every other byte as it is."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

UNREADABLE = (SyntaxError, RecursionError, MemoryError, ValueError)
"""What reading a source raises: it is no Python, it is nested too deeply for the parser, or it holds characters that
the parser cannot read (NUL, lone surrogates)."""


_DEEPEST = 200
"""Levels of a syntax tree. Programs that people write have some sixty at most; `ast.unparse` and its kin recurse up to
four times a level, and Python ends a recursion at a thousand. What its parser takes differs from version to version."""


def parse(source: str) -> ast.Module:
    """Return the syntax tree of a source; raises one of `UNREADABLE`."""
    with warnings.catch_warnings():  # a candidate's doubtful escapes are no news for the user's terminal
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise RecursionError(f"more than {_DEEPEST} levels")
    return tree


def literal_value(expression: str | ast.expr) -> object:
    """Return the value that a literal of Python stands for: a number, a text, a container of such.

    Raises:
        ValueError: it is none, it is nested too deeply, or it cannot be made, as a set of lists.
    """
    try:
        value: object = ast.literal_eval(expression)
    except (*UNREADABLE, TypeError) as error:
        raise ValueError(f"no literal: {error}") from None
    return value


@dataclass(frozen=True, slots=True)
class Splice:
    """Replace the bytes from `start` up to `end` of a UTF-8 source by `text`."""

    start: int
    end: int
    text: str


class SourceText:
    """A source addressed as `ast` does it: lines from 1, columns in UTF-8 bytes."""

    def __init__(self, source: str) -> None:
        self._data = source.encode()
        self._starts = [0, *accumulate(map(len, self._data.splitlines(keepends=True))), len(self._data)]

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Return the offset of the node's first byte."""
        return self._starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Return the offset past the node's last byte."""
        return self._starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def line_start(self, line: int) -> int:
        """Return the offset of the first byte of `line`; the number of bytes for the line after the last."""
        return self._starts[line - 1]

    def comment_behind(self, offset: int) -> str:
        """Return what follows an offset in its line from the next `#` on; empty without one."""
        end = self._data.find(b"\n", offset)
        end = end if end >= 0 else len(self._data)
        begin = self._data.find(b"#", offset, end)
        return self._data[begin:end].decode() if begin >= 0 else ""

    def slice(self, start: int, end: int) -> str:
        """Return the text between two offsets, which may divide a character."""
        return self._data[start:end].decode("utf-8", "replace")


def spliced(source: str, splices: Iterable[Splice]) -> str:
    """Return `source` with all splices applied; they may not overlap, and those at one place keep their order."""
    data = source.encode()
    parts: list[bytes] = []
    position = 0
    for splice in sorted(splices, key=lambda splice: splice.start):
        parts += [data[position : splice.start], splice.text.encode()]
        position = splice.end
    return b"".join([*parts, data[position:]]).decode()

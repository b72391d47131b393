"""The top-level statements of a source, read once and remembered.

Parsing is the most expensive step for an offspring, which has most of its statements from its parents. So a source is
cut into pieces of whole lines, and the statements of a piece are remembered by its text.

Cutting needs no understanding of Python. Where every piece parses by itself, none ends inside a bracket, a text or a
continued line, and none begins with an indented line or an `else`: so the pieces together parse to the same statements.
Where one does not, it may have been cut in the wrong place, and the whole source is parsed at once.
"""

from __future__ import annotations

import ast
import re
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from populations.syntax_digest import digest
from trainer.genome import marked_lines
from trainer.source_text import UNREADABLE, parse

_PIECES_KEPT = 2048
"""Some twenty generations of changes to a program of a hundred statements; less than 1 kB each, beside the text."""

_CUT = re.compile(r"\n(?<!\\\n)(?=[^\W\d]|@)(?!(?:else|elif|except|finally)\b)")
"""After the line feed before a word or a decorator, unless that line belongs to the one before it."""

_TRIPLE_QUOTES = re.compile("\"\"\"|'''")


class Signature(NamedTuple):
    """How a function or class is called; `arguments` is None for a class."""

    kind: type[ast.stmt]
    name: str
    arguments: ast.arguments | None


class Statement(NamedTuple):
    """A top-level statement.

    Attributes:
        line: where it begins, from 1; for a decorated definition the line of its `def` or `class`.
        digest: 16 bytes, see `populations.syntax_digest`.
        is_text: whether it is a mere text: a docstring, if it comes first.
        is_future_import: whether it imports from `__future__`.
        signature: of a function or class, otherwise None.
    """

    line: int
    digest: bytes
    is_text: bool
    is_future_import: bool
    signature: Signature | None


def read_statements(source: str) -> tuple[Statement, ...]:
    """Return the statements of a source, those it shares with sources read before at little cost.

    Raises:
        SyntaxError: it is no Python, or a statement cannot stand where it does.
        RecursionError, MemoryError, ValueError: see `trainer.source_text.UNREADABLE`.
    """
    try:
        statements = tuple(_read_pieces(source))
    except UNREADABLE:
        return parsed_statements(source)  # it knows better, and what is wrong with which line
    _require_future_first(statements, source)
    return statements


def parsed_statements(source: str) -> tuple[Statement, ...]:
    """Return what `read_statements` does, and raise what it does, by parsing the whole source."""
    body = parse(source).body
    _require_compilable(body)
    statements = tuple(map(_statement, body))
    _require_future_first(statements, source)
    return statements


_parsed_piece = lru_cache(maxsize=_PIECES_KEPT)(parsed_statements)


def _read_pieces(source: str) -> Iterator[Statement]:
    lines_before = 0
    for piece in _pieces(source):
        for statement in _parsed_piece(piece):
            yield Statement(lines_before + statement.line, *statement[1:])  # a fifth of the time of `_replace`
        lines_before += piece.count("\n")


def _pieces(source: str) -> Iterator[str]:
    """Cut a source where top-level statements seem to begin; the pieces joined are the source."""
    start = 0
    quotes = [match.start() for match in _TRIPLE_QUOTES.finditer(source)]
    # Where there are other line ends than line feeds, as in no genome, lines would be counted wrongly.
    found = [] if "\r" in source else [match.end() for match in _CUT.finditer(source)]
    cuts = [0, *found, len(source)]
    for begin, end in pairwise(cuts):
        is_inside_text = bisect_left(quotes, end) % 2 == 1
        if end == len(source) or not (is_inside_text or source.startswith("@", begin)):
            yield source[start:end]
            start = end


def _statement(node: ast.stmt) -> Statement:
    is_text = False
    is_future_import = False
    signature = None
    match node:
        case ast.Expr(value=ast.Constant(value=str())):
            is_text = True
        case ast.ImportFrom(module="__future__"):
            is_future_import = True
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            signature = Signature(type(node), node.name, node.args)
        case ast.ClassDef():
            signature = Signature(type(node), node.name, None)
    return Statement(node.lineno, digest(node), is_text, is_future_import, signature)


def _require_compilable(body: Sequence[ast.stmt]) -> None:
    """Raise SyntaxError for what parses and does not compile, such as a `return` outside a function.

    Statement by statement, since a genome of several files may have several imports from `__future__`.
    """
    with warnings.catch_warnings():  # as in `parse`
        warnings.simplefilter("ignore")
        for node in body:
            compile(ast.Module([node], []), "<unknown>", "exec", dont_inherit=True)


def _require_future_first(statements: Sequence[Statement], source: str) -> None:
    """Raise SyntaxError where a future import follows other code of its file, of which a genome may have several."""
    if not any(statement.is_future_import for statement in statements):
        return
    starts = [0, *marked_lines(source)]
    began, file = False, -1
    for statement in statements:
        file_before, file = file, bisect_right(starts, statement.line)
        if statement.is_future_import:
            if began and file == file_before:
                raise _syntax_error("imports from __future__ must come first", statement.line)
            began = False
        elif file == file_before or not statement.is_text:
            began = True
        else:
            began = False


def _syntax_error(message: str, line: int) -> SyntaxError:
    return SyntaxError(message, ("<unknown>", line, None, None))

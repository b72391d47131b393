"""The top-level statements of a genome: what they bind, what they need, and where they stand."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from operators.source.constants import Constant, find_constants
from populations.diversity import read_program
from trainer.source_text import SourceText


@dataclass(frozen=True, slots=True)
class Definition:
    """A top-level function, class or assignment.

    Attributes:
        text: its whole lines, decorators and trailing comments included.
        start: offset of its first byte in the UTF-8 source.
        end: offset past its last byte.
        lines: those of the statement, from 1.
        needs: the names it reads, local ones among them.
    """

    name: str
    text: str
    start: int
    end: int
    lines: range
    needs: frozenset[str]


class Outline:
    """What the top level of a source defines; names bound more than once are left out of `definitions`.

    Raises:
        SyntaxError: `source` is no Python.
    """

    def __init__(self, source: str) -> None:
        self._source = source
        self._tree = read_program(source).tree
        self._text = SourceText(source)

    @cached_property
    def definitions(self) -> dict[str, Definition]:
        """Functions and classes by name, in order."""
        found = [self._definition(node.name, node) for node in self._tree.body if isinstance(node, _NAMED)]
        times = Counter(definition.name for definition in found)
        return {definition.name: definition for definition in found if times[definition.name] == 1}

    @cached_property
    def assignments(self) -> dict[str, Definition]:
        """Assignments to a single name, by name, in order; the last one counts."""
        return {
            name: self._definition(name, node)
            for node in self._tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign))
            for name in _stored(node)
        }

    @cached_property
    def constants(self) -> dict[str, Constant]:
        """The constants, by name, in order (see `operators.source.constants`)."""
        return find_constants(self._source)

    @cached_property
    def imports(self) -> dict[str, str]:
        """A statement for each name that a top-level import binds."""
        return dict(
            _import_of(node, alias)
            for node in self._tree.body
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for alias in node.names
        )

    @cached_property
    def bound(self) -> frozenset[str]:
        """All names that the top level binds, those in branches and loops included."""
        return frozenset(self.imports) | {name for node in self._tree.body for name in _bound(node)}

    @cached_property
    def imports_end(self) -> int:
        """The offset where another import may stand: after the last one, else after the docstring."""
        docstrings = [
            node for node in self._tree.body[:1] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ]
        imports = [node for node in self._tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        before: list[ast.stmt] = [*(imports or docstrings)]
        return self._text.line_start((before[-1].end_lineno or 0) + 1) if before else 0

    def _definition(self, name: str, node: ast.stmt) -> Definition:
        decorators = getattr(node, "decorator_list", [])
        lines = range(min(part.lineno for part in [node, *decorators]), (node.end_lineno or node.lineno) + 1)
        start, end = self._text.line_start(lines.start), self._text.line_start(lines.stop)
        return Definition(name, self._text.slice(start, end), start, end, lines, frozenset(_read(node)))


_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _read(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))


def _stored(node: ast.AST) -> Iterator[str]:
    return (part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store))


def _bound(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, _NAMED):
        yield node.name
    else:
        yield from _stored(node)


def _import_of(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, str]:
    """Return the name that `alias` binds and a statement that imports it alone."""
    bound = alias.asname or (alias.name.partition(".")[0] if isinstance(node, ast.Import) else alias.name)
    statement = (
        ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
    )
    return bound, ast.unparse(statement)

"""Sameness of programs: one digest for all layouts of the same code.

Two genomes with equal normal forms are the same program, so the second needs no evaluation.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b

from populations.statements import Statement, parse, read_statements

_PROGRAMS_KEPT = 4
"""A child, its two parents and their ancestor: what one proposal asks for again and again. A tree takes about 3 MB."""


@dataclass(frozen=True)
class Program:
    """A source that was read.

    Attributes:
        statements: those of the top level, in their order.
    """

    source: str
    statements: tuple[Statement, ...]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree; it is shared between callers, so leave it as it is."""
        return parse(self.source)

    @cached_property
    def normal_form(self) -> str:
        """See `normal_form`."""
        has_docstring = bool(self.statements) and self.statements[0].is_text
        digests = [statement.digest for statement in self.statements[has_docstring:]]
        return blake2b(b"".join(digests), digest_size=16).hexdigest()


@lru_cache(maxsize=_PROGRAMS_KEPT)
def read_program(source: str) -> Program:
    """Read `source`.

    Raises:
        SyntaxError: it is no Python, or a statement cannot stand where it does.
        RecursionError, MemoryError: it is nested too deeply for the parser.
        ValueError: it holds characters that the parser cannot read (NUL, lone surrogates).
    """
    return Program(source, read_statements(source))


def normal_form(source: str) -> str:
    """Return 32 hex digits, equal for sources that differ only in layout, comments and docstrings.

    Programs that behave differently have different forms, but for what they do with their own text: docstrings and
    line numbers. Forms are comparable between processes and machines under one minor version of Python, whose syntax
    trees they describe.

    Raises:
        SyntaxError, RecursionError, MemoryError, ValueError: as `read_program`.
    """
    return read_program(source).normal_form

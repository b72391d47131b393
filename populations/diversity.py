"""Sameness of programs: one digest for all layouts of the same code.

Two genomes with equal normal forms are the same program, so the second needs no evaluation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b

from populations.grammar import digest_of, faults_of, is_exact
from populations.statements import Statement, read_statements
from trainer.genome import Part, parts_of, python_of, unmarked
from trainer.languages import PYTHON
from trainer.source_text import parse

_PROGRAMS_KEPT = 4
"""A child, its two parents and their ancestor: what one proposal asks for again and again. A tree takes about 3 MB."""


@dataclass(frozen=True)
class Program:
    """A source that was read.

    Attributes:
        python: what of the source is Python, everything else blank, in the same places.
        statements: those of the top level of its Python, in their order.
    """

    source: str
    python: str
    statements: tuple[Statement, ...]

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree of its Python; it is shared between callers, so leave it as it is."""
        return parse(self.python)

    @cached_property
    def others(self) -> tuple[Part, ...]:
        """The files of it that are not Python."""
        return foreign_parts(self.source)

    @cached_property
    def normal_form(self) -> str:
        """See `normal_form`."""
        has_docstring = bool(self.statements) and self.statements[0].is_text
        digests = [statement.digest for statement in self.statements[has_docstring:]]
        digests += [digest_of(part.text, part.language) for part in self.others]
        return blake2b(b"".join(digests), digest_size=16).hexdigest()

    def faults(self, *, exact: bool) -> Iterator[tuple[int, str]]:
        """Yield what grammars cannot read: a line as readers see it, from 1, and why.

        Args:
            exact: whether of the languages whose every source a grammar reads, or of those with macros.
        """
        lines_hidden = self.source.count("\n") - unmarked(self.source).count("\n")
        for part in (one for one in self.others if is_exact(one.language) is exact):
            for line, reason in faults_of(part.text, part.language):
                yield part.line - lines_hidden + line - 1, reason


@lru_cache(maxsize=_PROGRAMS_KEPT)
def read_program(source: str) -> Program:
    """Read `source`.

    Raises:
        SyntaxError: its Python is none, or a statement cannot stand where it does; or it holds YAML, TOML or JSON that
            is none. A grammar cannot tell as much of languages with macros (see `Program.faults`).
        RecursionError, MemoryError: it is nested too deeply for the parser.
        ValueError: it holds characters that the parser cannot read (NUL, lone surrogates).
    """
    python = python_of(source)
    program = Program(source, python, read_statements(python))
    for line, reason in program.faults(exact=True):
        raise SyntaxError(reason, ("<unknown>", line, None, None))
    return program


def foreign_parts(source: str) -> tuple[Part, ...]:
    """Return the files of a source that are not Python."""
    return tuple(part for part in parts_of(source) if part.language is not PYTHON)


def normal_form(source: str) -> str:
    """Return 32 hex digits, equal for sources that differ only in layout, comments and docstrings.

    Of prose and of languages without a grammar every line counts.

    Programs that behave differently have different forms, but for what they do with their own text: docstrings and
    line numbers. Forms are comparable between processes and machines under one minor version of Python, whose syntax
    trees they describe.

    Raises:
        SyntaxError, RecursionError, MemoryError, ValueError: as `read_program`.
    """
    return read_program(source).normal_form

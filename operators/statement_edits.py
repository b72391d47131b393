"""Edits of statements inside functions, classes, loops and branches: delete, duplicate, swap.

Only statements that a program may lack are touched: assignments, expressions, and whole loops and branches. Never what
binds a definition or an import, ends a function, or documents it. Comments above a statement belong to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import libcst as cst

from operators.syntax import Change, Edit, Syntax

_SIMPLE = (cst.Expr, cst.Assign, cst.AugAssign, cst.AnnAssign, cst.Assert)
_COMPOUND = (cst.If, cst.For, cst.While, cst.With)


def delete_statement(syntax: Syntax) -> Iterator[Change]:
    """Leave a statement out; `pass` stands where it was the only one."""
    for block in syntax.of_kind(cst.IndentedBlock):
        for index, statement in enumerate(block.body):
            if _is_movable(statement):
                body = [*block.body[:index], *block.body[index + 1 :]] or [cst.SimpleStatementLine([cst.Pass()])]
                yield Change(block, block.with_changes(body=body), "deleted `{}`", (_bare(statement),))


def duplicate_statement(syntax: Syntax) -> Iterator[Change]:
    """Repeat a statement for which twice is more than once: `x += y`, `f(x)`, `x = f(x)`."""
    for block in syntax.of_kind(cst.IndentedBlock):
        for index, statement in enumerate(block.body):
            if _is_movable(statement) and _accumulates(statement):
                body = [*block.body[: index + 1], _bare(statement), *block.body[index + 1 :]]
                yield Change(block, block.with_changes(body=body), "duplicated `{}`", (_bare(statement),))


def swap_statements(syntax: Syntax) -> Iterator[Change]:
    """Exchange two neighbouring statements."""
    for block in syntax.of_kind(cst.IndentedBlock):
        for index, (first, second) in enumerate(pairwise(block.body)):
            if _is_movable(first) and _is_movable(second):
                body = [*block.body[:index], second, first, *block.body[index + 2 :]]
                shown = (_bare(first), _bare(second))
                yield Change(block, block.with_changes(body=body), "swapped `{}` and `{}`", shown)


STATEMENT_EDITS: dict[str, Edit] = {
    "delete a statement": delete_statement,
    "duplicate a statement": duplicate_statement,
    "swap two statements": swap_statements,
}


def _is_movable(statement: cst.BaseStatement) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(isinstance(small, _SIMPLE) and not _is_text(small) for small in statement.body)
    return isinstance(statement, _COMPOUND)


def _is_text(small: cst.BaseSmallStatement) -> bool:
    """Whether this is a docstring or another string that stands alone."""
    return isinstance(small, cst.Expr) and isinstance(small.value, (cst.SimpleString, cst.ConcatenatedString))


def _accumulates(statement: cst.BaseStatement) -> bool:
    small: Sequence[cst.BaseSmallStatement] = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    match small:
        case [cst.AugAssign()] | [cst.Expr(value=cst.Call())]:
            return True
        case [cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call(args=args))]:
            return any(isinstance(arg.value, cst.Name) and arg.value.value == name for arg in args)
    return False


def _bare(statement: cst.BaseStatement) -> cst.BaseStatement:
    """Return `statement` without the blank lines and comments above it."""
    return statement.with_changes(leading_lines=())

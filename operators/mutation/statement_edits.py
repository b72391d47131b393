"""Edits of statements inside functions, classes, loops and branches: delete, duplicate, swap.

Only statements that a program may lack are touched: assignments, expressions, and whole loops and branches. Never what
binds a definition or an import, ends a function, or documents it; nor what alone gives a name its value, since a
program that reads an unbound name teaches nothing. Comments above a statement belong to it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import libcst as cst
from libcst.helpers import get_full_name_for_node

from operators.mutation.syntax import Change, Edit, Syntax

_SIMPLE = (cst.Expr, cst.Assign, cst.AugAssign, cst.AnnAssign, cst.Assert)
_COMPOUND = (cst.If, cst.For, cst.While, cst.With)


def delete_statement(syntax: Syntax) -> Iterator[Change]:
    """Leave a statement out; `pass` stands where it was the only one."""
    bindings = _Bindings(syntax)
    for block in syntax.of_kind(cst.IndentedBlock):
        for index, statement in enumerate(block.body):
            if _is_movable(statement) and not bindings.only_in(statement):
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
    """Exchange two neighbouring statements, unless the second reads what only the first binds."""
    bindings = _Bindings(syntax)
    for block in syntax.of_kind(cst.IndentedBlock):
        for index, (first, second) in enumerate(pairwise(block.body)):
            if _is_movable(first) and _is_movable(second) and not bindings.only_in(first) & bindings.mentioned(second):
                body = [*block.body[:index], second, first, *block.body[index + 2 :]]
                shown = (_bare(first), _bare(second))
                yield Change(block, block.with_changes(body=body), "swapped `{}` and `{}`", shown)


STATEMENT_EDITS: dict[str, Edit] = {
    "delete a statement": delete_statement,
    "duplicate a statement": duplicate_statement,
    "swap two statements": swap_statements,
}


class _Bindings:
    """How often names and attributes are bound: names within their function, attributes anywhere in the program."""

    def __init__(self, syntax: Syntax) -> None:
        self._syntax = syntax
        self._times: Counter[tuple[int, str]] = Counter()
        for target in (*syntax.of_kind(cst.Name), *syntax.of_kind(cst.Attribute)):
            if self._is_bound(target):
                self._times[self._key(target)] += 1

    def only_in(self, statement: cst.BaseStatement) -> frozenset[str]:
        """Return the names and attributes that `statement` binds and nothing else does."""
        inside = Counter(self._key(node) for node in self._named(statement) if self._is_bound(node))
        return frozenset(key[1] for key, times in inside.items() if times == self._times[key])

    def mentioned(self, statement: cst.BaseStatement) -> frozenset[str]:
        """Return all names and attributes in `statement`."""
        return frozenset(self._key(node)[1] for node in self._named(statement))

    def _named(self, statement: cst.BaseStatement) -> list[cst.CSTNode]:
        return [node for node in self._syntax.within(statement) if isinstance(node, (cst.Name, cst.Attribute))]

    def _is_bound(self, node: cst.CSTNode) -> bool:
        """Whether `node` stands where a value is given to it for the first time (so not in `x += 1`)."""
        place = self._syntax.place(node)
        while place is not None and isinstance(place.parent, (cst.Element, cst.Tuple, cst.List, cst.StarredElement)):
            place = self._syntax.place(place.parent)
        match place:
            case (cst.AssignTarget() | cst.AnnAssign() | cst.For() | cst.NamedExpr(), "target", _):
                return True
            case (cst.Param() | cst.AsName(), "name", _):
                return True
        return False

    def _key(self, node: cst.CSTNode) -> tuple[int, str]:
        name = get_full_name_for_node(node) or ""
        if isinstance(node, cst.Attribute):
            return 0, name
        functions = (around for around in self._syntax.ancestors(node) if isinstance(around, cst.FunctionDef))
        return id(next(functions, None)), name


def _is_movable(statement: cst.BaseStatement) -> bool:
    if isinstance(statement, cst.SimpleStatementLine):
        return all(isinstance(small, _SIMPLE) and not _is_fixed(small) for small in statement.body)
    return isinstance(statement, _COMPOUND)


def _is_fixed(small: cst.BaseSmallStatement) -> bool:
    """Whether an expression is text (a docstring) or calls the constructor of a base class."""
    if not isinstance(small, cst.Expr):
        return False
    name = get_full_name_for_node(small.value) or ""
    return isinstance(small.value, (cst.SimpleString, cst.ConcatenatedString)) or name.endswith("__init__")


def _accumulates(statement: cst.BaseStatement) -> bool:
    match statement:
        case cst.SimpleStatementLine(body=[cst.AugAssign()] | [cst.Expr(value=cst.Call())]):
            return True
        case cst.SimpleStatementLine(
            body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=cst.Call(args=args))]
        ):
            return any(isinstance(argument.value, cst.Name) and argument.value.value == name for argument in args)
    return False


def _bare(statement: cst.BaseStatement) -> cst.BaseStatement:
    """Return `statement` without the blank lines and comments above it."""
    return statement.with_changes(leading_lines=())

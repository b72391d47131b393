"""Statements that parse but cannot stand where they do.

Python reports these only when it compiles a program, which takes half as long again as parsing it. A slip of
indentation, in a merge or in an answer of a language model, brings forth the ones found here.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LOOP_CONTROL = frozenset({ast.Break, ast.Continue})
_SIMPLE = frozenset(
    {ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Pass, ast.Import, ast.ImportFrom, ast.Assert}
)


class _Block(NamedTuple):
    body: Sequence[ast.stmt]
    in_function: bool = False
    in_loop: bool = False


def misplaced_statement(body: Sequence[ast.stmt]) -> tuple[ast.stmt, str] | None:
    """Return a statement that cannot stand where it does and what is wrong with it, None if there is none.

    Found are `return` outside functions, `break` and `continue` outside loops.

    Args:
        body: top-level statements.
    """
    blocks = [_Block(body)]
    while blocks:
        block = blocks.pop()
        for statement in block.body:
            kind = type(statement)
            if kind in _SIMPLE:  # most statements are: they are passed by fast
                continue
            if kind is ast.Return:
                if not block.in_function:
                    return statement, "'return' outside function"
            elif kind in _LOOP_CONTROL:
                if not block.in_loop:
                    return statement, f"'{kind.__name__.lower()}' outside loop"
            else:
                blocks.extend(_blocks_of(statement, block))
    return None


def _blocks_of(statement: ast.stmt, around: _Block) -> Iterator[_Block]:
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield _Block(statement.body, in_function=True)
        case ast.ClassDef():
            yield _Block(statement.body)
        case ast.For() | ast.AsyncFor() | ast.While():
            yield around._replace(body=statement.body, in_loop=True)
            yield around._replace(body=statement.orelse)
        case ast.If():
            yield around._replace(body=statement.body)
            yield around._replace(body=statement.orelse)
        case ast.With() | ast.AsyncWith():
            yield around._replace(body=statement.body)
        case ast.Try() | ast.TryStar():
            for part in (statement, *statement.handlers):
                yield around._replace(body=part.body)
            yield around._replace(body=[*statement.orelse, *statement.finalbody])
        case ast.Match():
            for branch in statement.cases:
                yield around._replace(body=branch.body)

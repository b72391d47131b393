"""Sameness of programs: one digest for all layouts of the same code.

Two genomes with equal normal forms are the same program, so the second needs no evaluation. The form is taken from
the syntax tree and not from bytecode, because bytecode knows about lines: CPython keeps or drops no-ops and shortens
jumps by comparing line numbers, so that a mere reformatting can change it.
"""

from __future__ import annotations

import ast
import marshal
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

_PROGRAMS_KEPT = 4
"""A child, its two parents and their ancestor: what one proposal asks for again and again. About 3 MB each."""


@dataclass(frozen=True, slots=True)
class Program:
    """A parsed source.

    Attributes:
        normal_form: see `normal_form`.
    """

    source: str
    tree: ast.Module
    normal_form: str


@lru_cache(maxsize=_PROGRAMS_KEPT)
def read_program(source: str) -> Program:
    """Parse `source` and take its normal form; the tree is shared between callers, so leave it as it is.

    Raises:
        SyntaxError: it is no Python.
        RecursionError, MemoryError: it is nested too deeply for the parser.
        ValueError: it holds characters that the parser cannot read (NUL, lone surrogates).
    """
    with warnings.catch_warnings():  # a candidate's doubtful escapes are no news for the user's terminal
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    return Program(source, tree, _digest(tree))


def normal_form(source: str) -> str:
    """Return 32 hex digits, equal for sources that differ only in layout, comments and docstrings.

    Programs that behave differently have different forms, but for what they do with their own text: docstrings and
    line numbers. Forms are comparable between processes and machines under one minor version of Python, whose syntax
    trees they describe.

    Raises:
        SyntaxError, RecursionError, MemoryError, ValueError: as `read_program`.
    """
    return read_program(source).normal_form


_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the rest of the tree or mean nothing when the program runs (`kind` is the u of u"")."""

_DOCUMENTED = frozenset({ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef})


def _fields_getter(node_class: type[ast.AST]) -> Callable[[Any], tuple[Any, ...]] | None:
    """Return a function from a node to its meaningful fields, or None when its class says everything."""
    names = [name for name in node_class._fields if name not in _IGNORED_FIELDS]
    if not names:
        return None
    get = operator.attrgetter(*names)
    return get if len(names) > 1 else lambda node: (get(node),)


_FIELDS: dict[type, Callable[[Any], tuple[Any, ...]] | None] = {
    member: _fields_getter(member)
    for member in vars(ast).values()
    if isinstance(member, type) and issubclass(member, ast.AST)
}


def _digest(tree: ast.Module) -> str:
    """Hash the tree in a prefix notation that can be read back in one way only.

    A node is its class name and its fields, a list its length and its items, all else stands for itself. What a place
    in the tree may hold (a node, a list, an identifier, a constant) is fixed by Python's grammar, so no two trees give
    the same sequence. `marshal` in version 2 keeps the types of constants apart (1, 1.0, True; 0.0, -0.0) and knows no
    references, whose presence would depend on what the interpreter happens to share. A loop instead of recursion: trees
    may be deeper than Python's call stack.
    """
    notation: list[object] = []
    write = notation.append
    stack: list[Any] = [tree]
    while stack:
        node = stack.pop()
        kind = node.__class__
        if kind is ast.Name:  # two thirds of all nodes are names and constants: they take the short way
            write("Name")
            write(node.id)
        elif kind is ast.Constant:
            write("Constant")
            write(node.value)
        elif kind is list:
            write(len(node))
            stack.extend(node)
        elif kind not in _FIELDS:
            write(node)
        else:
            write(kind.__name__)
            if kind in _DOCUMENTED:
                node = _undocumented(node)
            get = _FIELDS[kind]
            if get is not None:
                stack.extend(get(node))
    return blake2b(marshal.dumps(notation, 2), digest_size=16).hexdigest()


def _undocumented(node: Any) -> Any:
    """Return `node` without its docstring; a copy where it had one."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            bare = {name: getattr(node, name, None) for name in node._fields} | {"body": rest}
            return type(node)(**bare)
    return node

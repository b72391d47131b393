"""A digest of the syntax of a statement, equal for all layouts of the same code.

It is taken from the syntax tree and not from bytecode, because bytecode knows about lines: CPython keeps or drops
no-ops and shortens jumps by comparing line numbers, so that a mere reformatting can change it.
"""

from __future__ import annotations

import ast
import marshal
import operator
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

_IGNORED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields that follow from the rest of the tree or mean nothing when the program runs (`kind` is the u of u"")."""

_DOCUMENTED = frozenset({ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef})


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


def digest(statement: ast.stmt) -> bytes:
    """Return 16 bytes that say what a statement does, whatever its layout, comments and docstrings.

    Hashed is the syntax tree in a prefix notation that can be read back in one way only.

    A node is its class name and its fields, a list its length and its items, all else stands for itself. What a place
    in the tree may hold (a node, a list, an identifier, a constant) is fixed by Python's grammar, so no two trees give
    the same sequence. `marshal` in version 2 keeps the types of constants apart (1, 1.0, True; 0.0, -0.0) and knows no
    references, whose presence would depend on what the interpreter happens to share. A loop instead of recursion: trees
    may be deeper than Python's call stack.
    """
    notation: list[object] = []
    write = notation.append
    stack: list[Any] = [statement]
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
    return blake2b(marshal.dumps(notation, 2), digest_size=16).digest()


def _undocumented(node: Any) -> Any:
    """Return `node` without its docstring; a copy where it had one."""
    match node.body:
        case [ast.Expr(value=ast.Constant(value=str())), *rest]:
            bare = {name: getattr(node, name, None) for name in node._fields} | {"body": rest}
            return type(node)(**bare)
    return node

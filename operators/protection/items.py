"""Items of tables that are protected by their values: `settings.noise` of `settings = {"noise": 0.1, "lr": 0.01}`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from operators.protection.units import Scope, Unit, root_of

_CHANGES = frozenset(("update", "setdefault", "pop", "popitem", "clear", "__setitem__", "__delitem__", "__ior__"))


def item_at(units: Sequence[Unit], path: Scope) -> ast.expr | None:
    """Return the value at a path: functions, the name of a table, keys. None unless one statement alone makes it."""
    found = [value for unit in _tables(units, path) if (value := _value(unit, path)) is not None]
    return found[0] if len(found) == 1 else None


def item_changes(units: Sequence[Unit], new: Sequence[Unit], path: Scope, known: ast.expr) -> Iterator[str]:
    """Yield how a source changes a protected item.

    Args:
        units: of the source.
        new: those that generation 0 lacks.
        known: the value in generation 0.
    """
    item = f"`{'.'.join(path)}`"
    found = item_at(units, path)
    if found is None or ast.dump(found) != ast.dump(known):
        yield f"{item} is protected, since what is measured depends on it: leave it at `{ast.unparse(known)}`"
    tables = [unit for unit in _tables(units, path) if _value(unit, path) is not None]
    holders = {path[len(unit.scope)] for unit in tables}
    scopes = {unit.scope for unit in tables}
    for one in new:
        is_bound_again = one.scope in scopes and one.bound & holders and one not in tables
        if is_bound_again or any(_fills(node, holders, path[-1]) for node in one.nodes):
            yield f"line {one.line}, `{one.code}`: it changes {item}, which is protected; leave it as it is"


def _tables(units: Sequence[Unit], path: Scope) -> Iterator[Unit]:
    """Yield the statements that bind the table of a path."""
    for one in units:
        depth = len(one.scope)
        if one.scope == path[:depth] and len(path) > depth + 1 and path[depth] in one.bound:
            yield one


def _value(unit: Unit, path: Scope) -> ast.expr | None:
    """Return the value at a path in the table that a statement assigns; None if it is no table with these keys."""
    found = unit.node.value if isinstance(unit.node, ast.Assign | ast.AnnAssign) else None
    for key in path[len(unit.scope) + 1 :]:
        match found:
            case ast.Dict(keys=keys, values=values) if None not in keys:
                named = zip(keys, values, strict=True)
                under = [one for at, one in named if isinstance(at, ast.Constant) and at.value == key]
            case ast.Call(func=ast.Name(id="dict"), args=[], keywords=given) if all(one.arg for one in given):
                under = [one.value for one in given if one.arg == key]
            case _:
                under = []
        found = under[-1] if under else None
    return found


def _fills(node: ast.AST, holders: set[str], key: str) -> bool:
    """Return whether a node may put something else under a key, or removes it."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(other)), ctx=ast.Store() | ast.Del()):
            return root_of(node) in holders and other == key
        case ast.Subscript(ctx=ast.Store() | ast.Del()):
            return root_of(node) in holders
        case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in _CHANGES:
            return root_of(owner) in holders
    return False

"""What ends by the clock, and the limits that the clock is compared with, whatever their names are."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence, Set
from typing import NamedTuple

from evo.project.protection.statements import defaulted, stored_on_self, values_given
from evo.project.protection.words import CLOCK
from operators.protection.units import BUILTINS, FUNCTION, Unit, is_import, root_of


class TimeLimits(NamedTuple):
    """How a file limits its own run time.

    Attributes:
        heads: places of the loops and branches that end something by the clock.
        names: of the constants, parameters, flags and fields with which they compare it.
    """

    heads: frozenset[int]
    names: frozenset[str]


def time_limits(units: Sequence[Unit]) -> TimeLimits:
    """Return how a file limits its run time: by `while clock() - start < limit`, or a branch that breaks or returns."""
    imports = {name for one in units if is_import(one) for name in one.bound}
    times = _times(units)
    heads: set[int] = set()
    limits: set[str] = set()
    for place, one in enumerate(units):
        compared = [node for node in one.nodes if isinstance(node, ast.Compare)] if _ends(one) else []
        for node in compared:
            names = _names(node) - imports
            if CLOCK.search(ast.unparse(node)) or names & times.keys():
                found = _limits(names, one, times, units) - imports
                limits |= found
                heads |= {place} if found or any(map(_is_number, ast.walk(node))) else set()
    return TimeLimits(frozenset(heads), frozenset(limits))


def _ends(unit: Unit) -> bool:
    if isinstance(unit.node, ast.If):
        return any(isinstance(one, ast.Break | ast.Return | ast.Raise) for one in unit.node.body)
    return isinstance(unit.node, ast.While)


def _times(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Return the variables, attributes and functions that hold or tell a time, with the units that make them."""
    found: dict[str, list[Unit]] = {}
    for one in (*units, *units):
        value = getattr(one.node, "value", None)
        is_sum = isinstance(value, ast.BinOp) and _names(value) & found.keys()
        if CLOCK.search(one.code) or is_sum:
            made = (
                {one.scope[-1]} if isinstance(one.node, ast.Return) and one.scope else one.bound | stored_on_self(one)
            )
            for name in made:
                found.setdefault(name, []).append(one)
    return found


def _limits(names: Set[str], reader: Unit, times: dict[str, list[Unit]], units: Sequence[Unit]) -> set[str]:
    """Return the names of limits among some, and among what the times among them are computed from."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [(name, reader) for name in names]
    while waiting:
        name, unit = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in times:
            waiting += [(other, one) for one in times[name] for other in _names(one.node)]
            found |= {name for one in times[name] if any(_is_number(node) for node in one.nodes)}
            continue
        heads = [one for one in units if name in one.parameters and (*one.scope, _name(one)) == unit.scope]
        given = [(value, one) for head in heads for one in units for value in values_given(one, head, name)]
        waiting += [(other, one) for value, one in given for other in _names(value)]
        if not heads or any(isinstance(one.node, FUNCTION) and name in defaulted(one.node) for one in heads):
            found.add(name)
    return found


def _is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and bool(node.value)


def _name(unit: Unit) -> str:
    return str(getattr(unit.node, "name", ""))


def _names(node: ast.AST) -> set[str]:
    """Return the names and attributes that an expression reads, and the functions that it calls by a name."""
    return set(_read(node)) - BUILTINS


def _read(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.While(test=inner) | ast.If(test=inner):
            yield from _read(inner)
            return
        case ast.Attribute(attr=attr) if root_of(node) is not None:
            yield attr
            return
        case ast.Call(func=ast.Attribute(value=owner)):
            yield from () if isinstance(owner, ast.Name) else _read(owner)
        case ast.Name(id=name, ctx=ast.Load()):
            yield name
    for one in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.Call) and one is node.func and isinstance(one, ast.Attribute)):
            yield from _read(one)

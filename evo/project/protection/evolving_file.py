"""A file that evolves as units, those that are protected with the reason for each."""

from __future__ import annotations

import ast
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from evo.project.modules import Module
from evo.project.protection.statements import filled, trains
from operators.protection.units import BUILTINS, FUNCTION, Scope, Unit


@dataclass
class EvolvingFile:
    """The protected units of one file, with the reason for each, and what is known of the file.

    Attributes:
        followed: the nodes of a unit that count, where they are fewer than all.
    """

    module: Module
    units: list[Unit]
    reasons: dict[int, str] = field(default_factory=dict)
    followed: dict[int, list[ast.AST]] = field(default_factory=dict)

    @cached_property
    def _classes(self) -> frozenset[Scope]:
        return frozenset((*one.scope, one.node.name) for one in self.units if isinstance(one.node, ast.ClassDef))

    @cached_property
    def _parameters(self) -> dict[Scope, frozenset[str]]:
        found: dict[Scope, frozenset[str]] = {}
        for one in self.units:
            if isinstance(one.node, FUNCTION):
                path = (*one.scope, one.node.name)
                found[path] = found.get(path, frozenset()) | one.parameters
        return found

    @cached_property
    def _of_scope(self) -> dict[Scope, list[int]]:
        found: dict[Scope, list[int]] = {}
        for place, one in enumerate(self.units):
            found.setdefault(one.scope, []).append(place)
        return found

    @cached_property
    def speaks_of_training(self) -> bool:
        """Whether it trains, or names what is for training, so that there may be held-out data."""
        return any(trains(one) or any("train" in name.lower() for name in one.bound | one.read) for one in self.units)

    def in_scope(self, path: Scope) -> list[int]:
        """Return the units in a function or class, however deep."""
        inner = (places for scope, places in self._of_scope.items() if scope[: len(path)] == path)
        return sorted(place for places in inner for place in places)

    def is_class(self, path: Scope) -> bool:
        """Return whether a scope is that of a class."""
        return path in self._classes

    def is_parameter(self, path: Scope, name: str) -> bool:
        """Return whether a name is a parameter of the function that a scope is."""
        return name in self._parameters.get(path, ())

    def binders(self, scope: Scope, name: str) -> list[int]:
        """Return the units that bind a name in a scope."""
        return [place for place in self._of_scope.get(scope, ()) if name in self.units[place].bound]

    def fillers(self, scope: Scope, name: str) -> list[int]:
        """Return the statements that put something into what a name stands for: `scores.append(…)`, `found[i] = …`."""
        return [place for place in self._of_scope.get(scope, ()) if name in filled(self.units[place].node)]

    def in_loop(self, head: Unit) -> list[int]:
        """Return the units in the body of a loop."""
        lines = head.repeated
        return [place for place, one in enumerate(self.units) if one.line in lines]

    @cached_property
    def bodies(self) -> list[list[int]]:
        """The units in the body of each loop."""
        return [self.in_loop(one) for one in self.units if one.repeated]

    def reaching(self, reader: Unit, places: list[int]) -> list[int]:
        """Leave out what another binding replaces before a unit reads, and what comes after it."""
        inside = {place: self.units[place] for place in places if self.units[place].scope == reader.scope}
        begun = [one.line for one in inside.values() if reader.line in one.repeated]
        always = [
            one.line
            for one in inside.values()
            if isinstance(one.node, ast.Assign | ast.AnnAssign) and not one.chain and one.line < reader.line
            if one.bound  # what sets an item or an attribute replaces nothing
        ]
        is_repeated = any(part.startswith("loop") for part in reader.chain)
        lines = range(max([*begun, *always], default=0), sys.maxsize if is_repeated else reader.line + 1)
        return [place for place in places if place not in inside or self.units[place].line in lines]

    def is_learnt(self, name: str, places: Sequence[int]) -> bool:
        """Return whether one of some units is in a loop that updates a variable by what it computes with it.

        As weights by an error. A sum, a counter or the best of several results is none: only its own update reads it.
        """
        return any(
            name in _led_back(name, [self.units[at] for at in body])
            for body in self.bodies
            if not set(places).isdisjoint(body)
        )


def _led_back(name: str, body: list[Unit]) -> set[str]:
    """Return the names on which an update of a name in a loop depends, itself only where others come between."""
    found: set[str] = set()
    waiting = [(one, name) for one in body if name in one.bound]
    while waiting:
        unit, bound = waiting.pop()
        nodes = [inner for part in _given_to(unit, bound) for inner in ast.walk(part)]
        given = {inner.id for node in nodes for inner in _given(node)}
        for read in {node.id for node in nodes if isinstance(node, ast.Name)} & unit.read - found:
            if read != name or bound != name or isinstance(unit.node, ast.AugAssign) or read in given:
                found.add(read)
                waiting += [(one, read) for one in body if read in one.bound and read != name]
    return found


def _given_to(unit: Unit, name: str) -> Sequence[ast.AST]:
    """Return what of a unit gives a name its value: of `state, total = new, total + reward` the part in its place."""
    match unit.node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
            pairs = zip(names, values, strict=True)
            return [value for target, value in pairs if isinstance(target, ast.Name) and target.id == name]
    return unit.nodes


def _given(node: ast.AST) -> list[ast.Name]:
    """Return the names that are arguments of a call, but for those of builtins such as `max`."""
    if not isinstance(node, ast.Call) or (isinstance(node.func, ast.Name) and node.func.id in BUILTINS):
        return []
    return [one for one in (*node.args, *(each.value for each in node.keywords)) if isinstance(one, ast.Name)]


def resolved(file: EvolvingFile, scope: Scope, name: str) -> tuple[Scope, list[int]]:
    """Return the scope in which a name is bound, and the units that bind it; a class hides nothing from its methods."""
    for depth in range(len(scope), -1, -1):
        path = scope[:depth]
        if places := file.binders(path, name):
            return path, places
        if file.is_parameter(path, name):
            return path, []
    return (), []


Start = tuple[EvolvingFile, int, str]
"""A unit by its place, with the reason why it is protected."""

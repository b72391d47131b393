"""A file that evolves as units, those that are protected with the reason for each."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from evo.project.modules import Module
from evo.project.protection.statements import filled
from operators.protection.units import FUNCTION, Scope, Unit


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

    def in_scope(self, path: Scope) -> list[int]:
        """Return the units in a function or class, however deep."""
        return [place for place, one in enumerate(self.units) if one.scope[: len(path)] == path]

    def is_class(self, path: Scope) -> bool:
        """Return whether a scope is that of a class."""
        return any(isinstance(one.node, ast.ClassDef) and (*one.scope, one.node.name) == path for one in self.units)

    def binders(self, scope: Scope, name: str) -> list[int]:
        """Return the units that bind a name in a scope."""
        return [place for place, one in enumerate(self.units) if one.scope == scope and name in one.bound]

    def fillers(self, scope: Scope, name: str) -> list[int]:
        """Return the statements that put something into what a name stands for: `scores.append(…)`, `found[i] = …`."""
        return [place for place, one in enumerate(self.units) if one.scope == scope and name in filled(one.node)]


def resolved(file: EvolvingFile, scope: Scope, name: str) -> tuple[Scope, list[int]]:
    """Return the scope in which a name is bound, and the units that bind it; a class hides nothing from its methods."""
    for depth in range(len(scope), -1, -1):
        path = scope[:depth]
        if places := file.binders(path, name):
            return path, places
        if any(
            isinstance(one.node, FUNCTION) and (*one.scope, one.node.name) == path and name in one.parameters
            for one in file.units
        ):
            return path, []
    return (), []


Start = tuple[EvolvingFile, int, str]
"""A unit by its place, with the reason why it is protected."""

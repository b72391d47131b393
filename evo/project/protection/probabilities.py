"""What makes the results of a function probabilities: the statements that divide by a sum where it returns."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from evo.project.protection.evolving_file import EvolvingFile
from operators.protection.probabilities import is_normal
from operators.protection.units import FUNCTION, Unit
from populations.descriptors import last_name


def protect_sums(files: Mapping[str, EvolvingFile], names: frozenset[str]) -> frozenset[str]:
    """Protect what normalizes the results of some functions; return those where that cannot be told.

    What they compute before stays free, so nothing that these statements read is followed.
    """
    unclear: set[str] = set()
    waiting, known = sorted(names), set[str]()
    while waiting:
        name = waiting.pop()
        known.add(name)
        for file in files.values():
            for scope in {(*one.scope, name) for one in file.units if _defines(one, name)}:
                inner = [place for place, one in enumerate(file.units) if one.scope == scope]
                returns = [(at, place) for at, place in enumerate(inner) if _returned(file.units[place]) is not None]
                for at, place in returns:
                    before = file.units[inner[at - 1]] if at else None
                    called = _called(file, _returned(file.units[place]))
                    if places := _normalizing(file.units[place], before):
                        for one in inner[at + 1 - places : at + 1]:
                            file.reasons.setdefault(one, _WHY)
                    elif called:
                        file.reasons.setdefault(place, _WHY)
                        waiting += {called} - known
                    else:
                        unclear.add(name)
    return frozenset(unclear)


_WHY = "what is measured takes it for probabilities"


def _defines(unit: Unit, name: str) -> bool:
    return isinstance(unit.node, FUNCTION) and unit.node.name == name


def _returned(unit: Unit) -> ast.expr | None:
    return unit.node.value if isinstance(unit.node, ast.Return) else None


def _called(file: EvolvingFile, value: ast.expr | None) -> str:
    """Return the function of the file whose result a value is; empty for none."""
    name = last_name(value.func) if isinstance(value, ast.Call) else ""
    return name if any(_defines(one, name) for one in file.units) else ""


def _normalizing(unit: Unit, before: Unit | None) -> int:
    """Return how many statements normalize what is returned: the return alone, the one before it too, or none."""
    if is_normal(unit):
        return 1
    if before is None or not before.bound & unit.read:
        return 0
    is_sum = any(isinstance(node, ast.Call) and last_name(node.func) == "sum" for node in before.nodes)
    divides = [node.right for node in unit.nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    by_it = any(isinstance(one, ast.Name) and one.id in before.bound for one in divides)
    return 2 if (is_sum and by_it) or (isinstance(_returned(unit), ast.Name) and is_normal(before)) else 0

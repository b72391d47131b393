"""What a single statement does: what it calls, fills, trains, compares."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection

from evo.project.modules import last_name
from evo.project.protection.words import EVALUATING, RESULT, SEEDING, TRAINS
from operators.protection.units import Unit

_OPTIMIZER = re.compile(r"opt|sched|scaler|trainer|model|net|agent|policy", re.IGNORECASE)
LONGEST_CODE = 60
"""Characters of a statement in a name or a message."""
_NUMERIC_SPEC = re.compile(r"[eEfFgG%]['\"]*$")
_FILLS = frozenset(("append", "extend", "add", "update", "insert", "appendleft", "setdefault"))


def calls(unit: Unit) -> set[str]:
    """Return the last names of what a statement calls."""
    called = (node.func for node in unit.nodes if isinstance(node, ast.Call))
    return {last_name(func) for func in called} - {""}


def filled(node: ast.AST) -> set[str]:
    """Return the names of the containers that a statement fills."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method))) if method in _FILLS:
            return {name}
        case ast.Assign(targets=targets):
            filled = [one.value for one in targets if isinstance(one, ast.Subscript)]
        case ast.AugAssign(target=ast.Subscript(value=value)):
            filled = [value]
        case _:
            return set()
    return {one.id for one in filled if isinstance(one, ast.Name)}


def stored_on_self(unit: Unit) -> set[str]:
    """Return the attributes of `self` that a statement sets."""
    return {
        node.attr
        for node in unit.nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def makes_instance(unit: Unit) -> bool:
    """Return whether a statement binds an instance of some class."""
    match unit.node:
        case ast.Assign(value=ast.Call(func=func)) | ast.AnnAssign(value=ast.Call(func=func)):
            name = last_name(func)
            return name[:1].isupper() and not SEEDING.match(name)
    return False


def makes_held_out(unit: Unit) -> bool:
    """Return whether a statement makes held-out data from nothing: `train, valid = sample(300), sample(99)`.

    What it computes from such data, as features, is for the search to change.
    """
    bound, read = (
        any(EVALUATING.search(name) and not RESULT.search(name) for name in names) for names in (unit.bound, unit.read)
    )
    return bound and not read


def trains(unit: Unit) -> bool:
    """Return whether a statement trains something."""
    for node in unit.nodes:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name, receiver = node.func.attr, ast.unparse(node.func.value)
            if name in TRAINS or (name == "train" and node.args) or (name == "step" and _OPTIMIZER.search(receiver)):
                return True
    return descends(unit)


def descends(unit: Unit) -> bool:
    """Return whether a statement takes a step such as `w -= rate * gradient`."""
    return isinstance(unit.node, ast.AugAssign) and isinstance(unit.node.op, ast.Sub)


def takes_loss(reader: Unit, name: str) -> bool:
    """Return whether a statement takes a metric from a call of the model: `logits, loss = model(x, y)`."""
    is_called = any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name for node in reader.nodes
    )
    return is_called and any(RESULT.search(bound) for bound in reader.bound)


def is_literal(unit: Unit) -> bool:
    """Return whether a statement assigns what neither a name nor a call is part of, or `dict(…)` of such."""
    if not isinstance(unit.node, ast.Assign | ast.AnnAssign):
        return False
    parts = table_values(unit) or filter(None, [unit.node.value])
    return not any(isinstance(node, ast.Name | ast.Call) for part in parts for node in ast.walk(part))


def table_values(unit: Unit) -> list[ast.expr]:
    """Return the values of the dictionary that a statement assigns, literal or as `dict(…)`; empty for none."""
    match unit.node:
        case ast.Assign(value=ast.Dict() as table) | ast.AnnAssign(value=ast.Dict() as table):
            return table.values
        case (
            ast.Assign(value=ast.Call(func=ast.Name(id="dict"), args=[], keywords=given))
            | ast.AnnAssign(value=ast.Call(func=ast.Name(id="dict"), args=[], keywords=given))
        ):
            return [one.value for one in given]
    return []


def reported_nodes(unit: Unit, labels: Collection[str]) -> list[ast.AST]:
    """Return the nodes of a statement on which what it prints under some labels depends.

    Numbers under other labels are left out, if their formats make them numbers: `loss {loss:.3f}, val loss {val:.3f}`.
    """
    others: set[int] = set()
    is_found = False
    for line in unit.nodes:
        before = ""
        for part in line.values if isinstance(line, ast.JoinedStr) else ():
            if isinstance(part, ast.FormattedValue):
                is_reported = any(before.rstrip(" :=\t").endswith(label) for label in labels)
                is_found = is_found or is_reported
                if not is_reported and part.format_spec and _NUMERIC_SPEC.search(ast.unparse(part.format_spec)):
                    others |= {id(node) for node in ast.walk(part.value)}
            before = str(part.value) if isinstance(part, ast.Constant) else ""
    return [node for node in unit.nodes if not is_found or id(node) not in others]


def compares(unit: Unit) -> bool:
    """Return whether a statement or head compares something."""
    return any(isinstance(node, ast.Compare) for node in unit.nodes)


def shortened(code: str) -> str:
    """Return code for a message."""
    return code if len(code) <= LONGEST_CODE else code[: LONGEST_CODE - 1] + "…"

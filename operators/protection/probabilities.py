"""Probabilities: which statements make numbers sum to one, and which methods must, where logarithms are taken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from operators.protection.units import Unit
from populations.descriptors import last_name

NORMALIZES = re.compile(r"softmax|logsumexp|normali[sz]e|isclose|allclose|cross_entropy")
LOGARITHMS = frozenset(("log", "log2", "log10", "log_loss", "nll_loss"))

_SMALL = 1e-6


def logarithms_of(nodes: Sequence[ast.AST]) -> Iterator[ast.expr]:
    """Yield what logarithms are taken of."""
    for node in nodes:
        if isinstance(node, ast.Call) and (name := last_name(node.func)) in LOGARITHMS:
            yield from node.args[1:2] if name == "log_loss" else node.args[:1]


def methods_measured(units: Sequence[Unit]) -> frozenset[str]:
    """Return the methods of whose results some units take logarithms, directly or through one variable."""
    taken = [(one, value) for one in units for value in logarithms_of(one.nodes)]
    names = {(one.scope, node.id) for one, value in taken for node in ast.walk(value) if isinstance(node, ast.Name)}
    values = [value for _, value in taken]
    values += [
        one.node.value
        for one in units
        if isinstance(one.node, ast.Assign) and any((one.scope, name) in names for name in one.bound)
    ]
    calls = (node for value in values for node in ast.walk(value) if isinstance(node, ast.Call))
    return frozenset(one.func.attr for one in calls if isinstance(one.func, ast.Attribute) and "prob" in one.func.attr)


def is_normal(unit: Unit) -> bool:
    """Return whether a statement takes a softmax, or divides something by its own sum."""
    value = getattr(unit.node, "value", None)
    if isinstance(value, ast.Call) and NORMALIZES.search(last_name(value.func)):
        return True
    return any(divided == summed for divided, summed in _divisions(unit))


def _divisions(unit: Unit) -> Iterator[tuple[str, str]]:
    """Yield what a statement as a whole divides, with what the sum is of that it divides by."""
    match unit.node:
        case ast.Return(value=ast.BinOp(left=left, op=ast.Div(), right=right)):
            pass
        case ast.Assign(value=ast.BinOp(left=left, op=ast.Div(), right=right)):
            pass
        case _:
            return
    match _plain(right):
        case ast.Call(args=args, keywords=keywords) if any(map(_is_first_axis, (*args, *keywords))):
            return  # a sum over the samples
        case ast.Call(func=ast.Attribute(value=owner, attr="sum")) if _is_array(owner):
            yield ast.unparse(left), ast.unparse(owner)
        case ast.Call(func=func, args=[summed, *_]) if last_name(func) == "sum":
            yield ast.unparse(left), ast.unparse(summed)


def _plain(divisor: ast.expr) -> ast.expr:
    """Return what a divisor is without what changes its shape alone, and without a small number that is added."""
    match divisor:
        case (
            ast.Subscript(value=inner)
            | ast.Call(func=ast.Attribute(value=inner, attr="reshape" | "unsqueeze" | "view"))
        ):
            return _plain(inner)
        case ast.BinOp(left=inner, op=ast.Add(), right=ast.Constant(value=float(small))) if 0 <= small <= _SMALL:
            return _plain(inner)
    return divisor


def _is_array(owner: ast.expr) -> bool:
    """Return whether what has a method is no library: `p` of `p.sum()`, and not `np` of `np.sum(p)`."""
    return not (isinstance(owner, ast.Name) and owner.id in {"np", "numpy", "torch", "jnp", "math", "tf", "mx"})


def _is_first_axis(argument: ast.AST) -> bool:
    value = argument.value if isinstance(argument, ast.keyword) and argument.arg in {"axis", "dim"} else argument
    return isinstance(value, ast.Constant) and value.value == 0 and not isinstance(value.value, bool)

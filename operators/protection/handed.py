"""Where protected data go under another name: by assignment, or as an argument.

What changes such a name in place changes the data. A name that is bound again in the same function is left out, since
it may stand for something new by then.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence, Set

from operators.protection.units import BUILTINS, FUNCTION, Scope, Unit, is_import, root_of, words
from populations.descriptors import last_name

_CALLED = ("forward", "__call__")
"""What runs where an object is called."""
_VIEWS = words("reshape ravel view transpose squeeze unsqueeze numpy detach swapaxes")
Names = Mapping[Scope, frozenset[str]]


def handed_on(units: Sequence[Unit], protected: Names) -> Names:
    """Return, by scope, the names that stand for protected data.

    Args:
        protected: by scope, the names that protected code binds; those of the top level hold in every function.
    """
    imports = {name for one in units if is_import(one) for name in one.bound}
    functions = _functions(units)
    found: dict[Scope, set[str]] = {}
    for one in (*units, *units):  # what a function is given, it may hand on
        known = protected.get((), ()), protected.get(one.scope, ()), found.get(one.scope, ())
        data = {name for name in one.read - imports if any(name in names for names in known)}
        if not data:
            continue
        for name, value in named(one):
            if root_of(value) in data:
                found.setdefault(one.scope, set()).add(name)
        for call in one.calls:
            for scope, name in _given(call, functions, data):
                found.setdefault(scope, set()).add(name)
    bound: dict[Scope, list[str]] = {}
    for one in units:
        bound.setdefault(one.scope, []).extend(() if isinstance(one.node, ast.AugAssign) else one.bound)
    parameters = {scope: names for several in functions.values() for scope, names in several}
    return {
        scope: frozenset(
            name for name in names if bound.get(scope, []).count(name) <= (name not in parameters.get(scope, ()))
        )
        for scope, names in found.items()
    }


def _functions(units: Sequence[Unit]) -> dict[str, list[tuple[Scope, list[str]]]]:
    """Return the functions by name, each with its scope and its parameters by place."""
    found: dict[str, list[tuple[Scope, list[str]]]] = {}
    for one in units:
        if isinstance(one.node, FUNCTION):
            arguments = one.node.args
            names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
            found.setdefault(one.node.name, []).append(((*one.scope, one.node.name), names))
    return found


def named(unit: Unit) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that a unit gives to values."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    match unit.node:
        case ast.Assign(targets=targets, value=value):
            pairs = [(target, value) for target in targets]
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            pairs = [(target, value)]
        case ast.For(target=target, iter=ast.List(elts=values) | ast.Tuple(elts=values)):
            pairs = [(target, value) for value in values]
    pairs += [(node.target, node.value) for node in unit.nodes if isinstance(node, ast.NamedExpr)]
    for target, value in pairs:
        if isinstance(target, ast.Name) and isinstance(
            value := _viewed(value), ast.Name | ast.Attribute | ast.Subscript
        ):
            yield target.id, value


def _viewed(value: ast.expr) -> ast.expr:
    """Return what a call shows in another shape, in the same memory; any other value as it is."""
    match value:
        case ast.Call(func=ast.Attribute(attr="asarray" | "from_numpy" | "atleast_2d"), args=[inner, *_]):
            return inner
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _VIEWS:
            return inner
    return value


def _given(
    call: ast.Call, functions: Mapping[str, list[tuple[Scope, list[str]]]], data: Set[str]
) -> Iterator[tuple[Scope, str]]:
    """Yield the parameters to which a call gives protected data, with the scope of their function."""
    name = last_name(call.func)
    several = functions.get(name, [])
    if not several and isinstance(call.func, ast.Name) and name not in BUILTINS:
        several = [one for called in _CALLED for one in functions.get(called, [])]
    for scope, names in several:
        places = names[1:] if names[:1] in (["self"], ["cls"]) else names
        given = [*zip(places, call.args, strict=False), *((one.arg, one.value) for one in call.keywords)]
        yield from ((scope, place) for place, value in given if place in names and root_of(value) in data)

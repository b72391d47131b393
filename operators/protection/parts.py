"""Data that hold training and held-out rows together: which parts of them code that evolves may take.

`x[:180]`, or `x[i]` with `i` from `range(180)`, take the training rows where generation 0 takes these alone. What takes
rows in another way must do so by an index that cannot go beyond them, as far as reading the code tells.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from operators.protection.handed import handed_on
from operators.protection.units import DEFINITION, FUNCTION, Scope, Unit, is_import, root_of, words
from populations.descriptors import last_name
from trainer.source_text import literal_value

_MAKES = re.compile(
    r"^_?(load|read|fetch|open|make|generate|simulate|download|get)(_|$)|dataset|txt$|^(rand|randn|randint|random|normal|"
    r"uniform|integers|choice|sample|standard_normal|tensor|array|arange|linspace)$",
    re.IGNORECASE,
)
_TABLES = words("set unique Counter dict len int max min")
_SHAPE = words("shape dtype ndim size device columns")
_LENGTHS = words("permutation randperm choice randrange")
_BETWEEN = words("range arange integers randint")
_REORDERED = words("reversed sorted list tuple array sample permutation choice tolist")
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Bound:
    """What limits the rows that generation 0 takes: an upper one, and a lower one; None for none."""

    lower: ast.expr | None
    upper: ast.expr | None


@dataclass(frozen=True, slots=True)
class Taken:
    """How code that evolves takes parts of data in generation 0.

    Attributes:
        indices: as it writes them.
        bounds: of the rows, those of `i` in `range(180)` too.
        makers: what identifies the units that bind the names in the indices.
    """

    indices: frozenset[str]
    bounds: tuple[Bound, ...]
    makers: frozenset[str]


Parts = Mapping[Scope, Mapping[str, Taken]]


def parts_of(fixed: Sequence[Unit], free: Sequence[Unit], is_result: Callable[[str], object]) -> Parts:
    """Return, by scope, the data that protected code binds and that the rest of generation 0 takes only parts of.

    Args:
        fixed: the protected units of a file.
        is_result: whether a name is that of a metric.
    """
    found: dict[Scope, dict[str, Taken]] = {}
    data = _data(fixed)
    handed = handed_on([*fixed, *free], {scope: frozenset(names) for scope, names in data.items()})
    used = {scope: names & _mixed(data, scope, fixed, free) for scope, names in data.items()}
    for scope in {*used, *handed}:
        inner = {name for name in handed.get(scope, ()) if any(name in one.read for one in fixed if one.scope == scope)}
        for name in used.get(scope, set()) | inner:
            readers = [one for one in free if _reads(one, name, scope, free)]
            known = [(index, one) for one in readers for index in takings(one, name)]
            indices = [(index, one) for index, one in known if index is not None]
            indices += [each for index, one in indices for each in _drawn_from(index, free, one)]
            is_free = not indices and (name in inner or any(name in one.bound for one in free if one.scope == scope))
            if is_result(name) or is_free or any(index is None for index, _ in known):
                continue
            found.setdefault(scope, {})[name] = Taken(
                frozenset(ast.unparse(index) for index, _ in indices),
                tuple(bound for index, one in indices for bound in _bounds(index, free, one) if bound),
                frozenset(each.digest for index, one in indices for each in _makers(index, free, one)),
            )
    return found


def _mixed(data: Mapping[Scope, Set[str]], scope: Scope, fixed: Sequence[Unit], free: Sequence[Unit]) -> set[str]:
    """Return the data of a scope that protected code reads and of which, or with which, other code gets a part.

    That is what both read, what the training data are derived from, and what a library gets beside a model.
    """
    called = {name for one in free for name in one.called}
    whole = {one.node.name for one in fixed if isinstance(one.node, FUNCTION) and not one.scope}
    lent = [one for one in fixed if one.scope[:1] and one.scope[0] in whole & called]
    open_names = {name for one in free for name in one.read}
    derived = {name for one in lent for name in one.read} | open_names
    imports = {name for one in (*fixed, *free) if is_import(one) for name in one.bound}
    own = {name for one in free for name in one.bound}
    found: set[str] = set()
    for one in fixed:
        if one.scope[: len(scope)] != scope:
            continue
        read = one.read & data[scope]
        fitted = [node for node in one.calls if root_of(node.func) in imports]
        given = [{each.id for each in node.args if isinstance(each, ast.Name)} for node in fitted]
        is_fitted = any(names & own and names & read for names in given)
        if read & open_names or is_fitted or one.bound & derived & set().union(*data.values()):
            found |= read
    return found


def takings(unit: Unit, name: str) -> Iterator[ast.expr | None]:
    """Yield the indices of the rows that a unit takes of a variable, None where it takes the variable itself.

    Its length and shape are no part of it.
    """
    indices = {
        id(node.value): node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        for node in unit.nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load)
    }
    asked = {id(node.value) for node in unit.nodes if isinstance(node, ast.Attribute) and node.attr in _SHAPE}
    asked |= {
        id(node.args[0])
        for node in unit.calls
        if isinstance(node.func, ast.Name) and node.func.id == "len" and node.args
    }
    for node in unit.nodes:
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load) and id(node) not in asked:
            yield indices.get(id(node))


def exceeds(index: ast.expr | None, taken: Taken, units: Sequence[Unit], reader: Unit) -> bool:
    """Return whether rows that are taken by an index may be others than those that generation 0 takes.

    Args:
        index: None for all rows.
        taken: what is known of the data.
        units: of the file, where what the names in the index stand for is looked up.
        reader: where the index stands.
    """
    if index is None:
        return True
    bounds = [*_bounds(index, units, reader)]
    is_within = all(one and any(_is_within(one, known) for known in taken.bounds) for one in bounds)
    return not ((bounds and is_within) or _is_of_known(index, taken, units, reader))


def _is_of_known(index: ast.expr, taken: Taken, units: Sequence[Unit], reader: Unit, depth: int = 0) -> bool:
    """Return whether an index is one of those that generation 0 takes, or takes or reorders some of its rows."""
    if ast.unparse(index) in taken.indices and {one.digest for one in _makers(index, units, reader)} <= taken.makers:
        return True
    match index:
        case ast.Subscript(value=inner):
            pass
        case ast.Call(func=func, args=[inner, *_]) if last_name(func) in _REORDERED and not _is_many(inner):
            pass
        case ast.Name(id=name) if depth < _DEEPEST:
            found = [(one.node.value, one) for one in _binders(name, units, reader) if isinstance(one.node, ast.Assign)]
            binders = _binders(name, units, reader)
            plain = [
                one for one in binders if isinstance(one.node, ast.Assign) and isinstance(one.node.targets[0], ast.Name)
            ]
            return (
                bool(found)
                and len(plain) == len(binders)
                and all(_is_of_known(value, taken, units, one, depth + 1) for value, one in found)
            )
        case _:
            return False
    return depth < _DEEPEST and _is_of_known(inner, taken, units, reader, depth + 1)


def _drawn_from(index: ast.expr, units: Sequence[Unit], reader: Unit) -> Iterator[tuple[ast.expr, Unit]]:
    """Yield the rows that others are drawn from, which may be taken as well: `inner` of `choice(inner, 32)`."""
    for one in _binders(index.id, units, reader) if isinstance(index, ast.Name) else ():
        match one.node:
            case ast.Assign(value=ast.Call(func=func, args=[ast.Name() as rows, *_])) if last_name(func) in _REORDERED:
                yield rows, one


def _makers(index: ast.expr, units: Sequence[Unit], reader: Unit) -> Iterator[Unit]:
    """Yield the units that bind the names in an index."""
    for node in ast.walk(index):
        if isinstance(node, ast.Name):
            yield from _binders(node.id, units, reader)


def _data(fixed: Sequence[Unit]) -> dict[Scope, set[str]]:
    """Return the variables with data that protected code makes or derives from others, by scope."""
    found: dict[Scope, set[str]] = {}
    defined = {one.node.name for one in fixed if isinstance(one.node, FUNCTION)}
    for one in fixed:
        if not isinstance(one.node, ast.Assign | ast.AnnAssign) or one.node.value is None or _is_table(one.node.value):
            continue
        called = one.called
        around = [found.get(one.scope[:depth], set()) for depth in range(len(one.scope) + 1)]
        read = {name for names in around for name in names & one.read if any(True for _ in takings(one, name))}
        if read or any(map(_MAKES.search, called)) or _made_by(one.node.value) in defined:
            found.setdefault(one.scope, set()).update(one.bound)
    return found


def _made_by(value: ast.expr) -> str:
    """Return the function that makes a value from nothing or from constants; empty for another value."""
    names = {id(node) for node in ast.walk(value) if isinstance(node, ast.Name) and not node.id.isupper()}
    is_made = isinstance(value, ast.Call) and names <= {id(value.func)}
    return last_name(value.func) if isinstance(value, ast.Call) and is_made else ""


def _is_table(value: ast.expr) -> bool:
    """Return whether a value is a vocabulary, a count or a function rather than rows of data."""
    if isinstance(value, ast.Call):
        inner = value.args[0] if value.args and last_name(value.func) in _REORDERED else value
        return isinstance(inner, ast.Call) and last_name(inner.func) in _TABLES
    return isinstance(value, ast.Lambda | ast.Dict | ast.DictComp | ast.Set | ast.SetComp)


def _reads(unit: Unit, name: str, scope: Scope, units: Sequence[Unit]) -> bool:
    """Return whether a unit reads a variable of a scope, and none of the same name in a scope within it."""
    if name not in unit.read - unit.inner or unit.scope[: len(scope)] != scope or isinstance(unit.node, DEFINITION):
        return False
    return not any(is_local(name, unit.scope[:depth], units) for depth in range(len(scope) + 1, len(unit.scope) + 1))


def is_local(name: str, scope: Scope, units: Sequence[Unit]) -> bool:
    """Return whether a function binds a name."""
    return any(
        (one.scope == scope and name in one.bound)
        or ((*one.scope, getattr(one.node, "name", "")) == scope and name in one.parameters)
        for one in units
    )


def _bounds(
    index: ast.expr, units: Sequence[Unit], reader: Unit, depth: int = 0, seen: set[int] | None = None
) -> Iterator[Bound | None]:
    """Yield the bounds of rows by what makes their index; None where that cannot be told.

    Args:
        depth: how many steps this is away from the index of the rows.
        seen: the units whose bounds were yielded, each once, however many ways lead to it.
    """
    seen = set() if seen is None else seen
    match index:
        case ast.Slice(lower=lower, upper=upper, step=None | ast.Constant()):
            yield Bound(lower, upper)
        case ast.Constant(value=int(row)) if row >= 0:
            yield Bound(index, ast.Constant(row + 1))
        case ast.BinOp(op=ast.Mod(), right=right):
            yield Bound(None, right)
        case ast.Subscript(value=value) if depth < _DEEPEST:
            yield from _bounds(value, units, reader, depth + 1, seen)
        case ast.Call(func=func, args=[first, *others]) if last_name(func) in _LENGTHS | _BETWEEN and not _is_many(
            first
        ):
            is_between = others and not _is_many(others[0]) and last_name(func) in _BETWEEN
            yield Bound(first, others[0]) if is_between else Bound(None, first)
        case ast.Call(func=func, args=[first, *_]) if last_name(func) in _REORDERED and depth < _DEEPEST:
            yield from _bounds(first, units, reader, depth + 1, seen)
        case ast.Name(id=name) if depth < _DEEPEST:
            binders = [one for one in _binders(name, units, reader) if id(one) not in seen]
            seen.update(map(id, binders))
            for one in binders:
                match one.node:
                    case (
                        ast.Assign(targets=[ast.Name()], value=value)
                        | ast.AnnAssign(value=ast.expr() as value)
                        | ast.For(target=ast.Name(), iter=value)
                    ):
                        yield from _bounds(value, units, one, depth + 1, seen)
                    case _:
                        yield None
        case _:
            yield None


def _is_many(node: ast.expr) -> bool:
    """Return whether an argument is no number: a shape, or what is reordered."""
    return isinstance(node, ast.Tuple | ast.List | ast.Call) and last_name(getattr(node, "func", node)) not in _TABLES


def _binders(name: str, units: Sequence[Unit], reader: Unit) -> list[Unit]:
    """Return what binds a name where a unit reads it: the loop around it, or all of its scope or of the top level."""
    binders = [one for one in units if one.scope == reader.scope and name in one.bound]
    binders = binders or [one for one in units if not one.scope and name in one.bound]
    around = [one for one in binders if reader.line in one.repeated]
    return around[-1:] or binders


def _is_within(bound: Bound, known: Bound) -> bool:
    is_below = known.upper is None or _compare(bound.upper, known.upper, lambda one, other: 0 <= one <= other)
    lower = known.lower
    is_above = lower is None or _number(lower) == 0 or _compare(bound.lower, lower, lambda one, other: one >= other)
    first = _number(bound.lower) if bound.lower is not None else 0
    return is_below and is_above and (first is None or first >= 0)


def _compare(one: ast.expr | None, other: ast.expr, holds: Callable[[float, float], bool]) -> bool:
    if one is None:
        return False
    numbers = _number(one), _number(other)
    if numbers[0] is not None and numbers[1] is not None:
        return holds(numbers[0], numbers[1])
    return ast.unparse(one) == ast.unparse(other)


def _number(node: ast.expr) -> float | None:
    try:
        value = literal_value(node)
    except ValueError:
        return None
    return value if isinstance(value, int | float) else None


def shared_in(name: str, scope: Scope, parts: Parts, own: Mapping[Scope, Set[str]]) -> Taken | None:
    """Return what is known of the data that a name stands for in a scope; None where it stands for something else.

    Args:
        scope: where it is read.
        own: by function, the names that it binds itself.
    """
    for depth in range(len(scope), -1, -1):
        path = scope[:depth]
        if name in parts.get(path, {}):
            return parts[path][name]
        if depth and name in own.get(path, ()):
            return None
    return None

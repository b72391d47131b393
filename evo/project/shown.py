"""What a printed value shows: a loss that its program propagates backwards, or a measure of the test set."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from evo.project.wording import Split, split_of, words

_PROPAGATING = frozenset({"backward", "manual_backward"})
_OPTIMIZER = re.compile(r".*(?:optim|train|adam|sgd).*", re.IGNORECASE | re.DOTALL)
_MODE = re.compile(r"train|split|phase|mode|eval|optim|grad|backward", re.IGNORECASE)
"""What a condition asks where one function trains and evaluates."""
_GATHERING = frozenset({"append", "update"})
_SET = re.compile(r"x|y|data|set|loader|d[lsf]|dataset|dataloader|features|labels|targets|images|iter")
"""A word of a name for data, beside the one that says which data."""
_MOST_STEPS = 3  # from a printed value to the loss that it was made from
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class TrainedLoss:
    """A loss that is propagated backwards.

    Attributes:
        name: of the variable.
        is_part: whether it is one of several summands of what is propagated.
    """

    name: str
    is_part: bool = False


def trained_loss(tree: ast.Module, code: str, line: int) -> TrainedLoss | None:
    """Return the loss that an expression at a line of a module was made from; None if that is none."""
    losses = _losses(tree, _owner(tree, line)).at(line)
    return losses.shown(_named(code), line) if losses.propagated else None


def has_test_data(tree: ast.Module, code: str, line: int) -> bool:
    """Return whether an expression at a line, or what its names were made from, takes `y_test` and the like."""
    names = _named(code)
    losses = _losses(tree, _owner(tree, line))
    made = [found.value for name in names if (found := losses.latest(name, line))]
    splits = {
        split_of(f"{name}_loss")
        for name in (*names, *(one for value in made for one in _names(value)))
        if any(map(_SET.fullmatch, words(name)))
    }
    return Split.TEST in splits and Split.VALIDATION not in splits


class _Made(NamedTuple):
    """A value that a name gets in a line."""

    line: int
    value: ast.expr


def is_best_of_several(tree: ast.Module, code: str, line: int) -> bool:
    """Return whether an expression at a line names the best of what a loop found: `if loss < best: best = loss`."""
    names = set(_named(code))
    return any(name in names for name in _bests(tree, _owner(tree, line)))


@lru_cache(maxsize=64)
def _bests(tree: ast.Module, owner: _Function | None) -> frozenset[str]:
    """Return the names that a loop of a function, or of a module's top level, gives the best value so far."""
    loops = [one for one in _nodes(owner or tree) if isinstance(one, ast.For | ast.While)]
    within = [node for loop in loops for node in ast.walk(loop)]
    found: set[str] = set()
    for node in within:
        match node:
            case ast.If(test=test, body=body):
                compared = {name for one in ast.walk(test) if isinstance(one, ast.Compare) for name in _names(one)}
                found |= compared & {name for one in body for name, *_ in _made(one)}
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id="min" | "max"), args=args)):
                found |= {name} & {inner for one in args for inner in _names(one)}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class _Losses:
    """The losses of a function or of a module's top level.

    Attributes:
        propagated: name of each, with the line where it is propagated.
        only_trained: lines from which to which a condition tells training from evaluation.
        made: what each name gets.
    """

    propagated: tuple[tuple[str, int], ...]
    made: Mapping[str, Sequence[_Made]]
    only_trained: tuple[tuple[int, int], ...]

    def at(self, line: int) -> _Losses:
        """Return the losses without those that are propagated under a condition that a line does not depend on."""
        other = [(first, last) for first, last in self.only_trained if not first <= line <= last]
        free = (one for one in self.propagated if not any(first <= one[1] <= last for first, last in other))
        return replace(self, propagated=tuple(free))

    def shown(self, names: Sequence[str], line: int) -> TrainedLoss | None:
        """Return the loss that names at a line were made from, in as few steps as possible."""
        waiting = [(name, line) for name in names]
        for _ in range(_MOST_STEPS + 1):
            if found := next(filter(None, (self._of_name(name, at) for name, at in waiting)), None):
                return found
            made = (one for name, at in waiting for one in self.made.get(name, ()) if one.line < at)
            waiting = list(dict.fromkeys((name, one.line) for one in made for name in _names(one.value)))
        return None

    def _of_name(self, name: str, line: int) -> TrainedLoss | None:
        # A loss that is computed again between the two, on other data, is another one.
        if any(name == loss and self.latest(name, at) is self.latest(name, line) for loss, at in self.propagated):
            return TrainedLoss(name)
        wholes = (self.latest(loss, at) for loss, at in self.propagated)
        return TrainedLoss(name, is_part=True) if any(name in _summands(one.value) for one in wholes if one) else None

    def latest(self, name: str, line: int) -> _Made | None:
        """Return how a name was made last before a line."""
        return max((one for one in self.made.get(name, ()) if one.line < line), key=lambda one: one.line, default=None)


@lru_cache(maxsize=64)
def _losses(tree: ast.Module, owner: _Function | None) -> _Losses:
    nodes = [*_nodes(owner or tree)]
    propagated = [(name, node.lineno) for node in nodes if isinstance(node, ast.Call) for name in _propagated(node)]
    conditions = (node for node in nodes if isinstance(node, ast.If) and _MODE.search(ast.unparse(node.test)))
    only_trained = tuple((node.lineno, node.end_lineno or 0) for node in conditions)
    made: dict[str, list[_Made]] = {}
    for name, one in (found for node in nodes for found in _made(node)):
        made.setdefault(name, []).append(one)
    return _Losses(tuple(propagated), made, only_trained)


def _owner(tree: ast.Module, line: int) -> _Function | None:
    """Return the innermost function around a line."""
    around = (one for one in _functions(tree) if one.lineno <= line <= (one.end_lineno or 0))
    return max(around, key=lambda one: one.lineno, default=None)


@lru_cache(maxsize=8)
def _functions(tree: ast.Module) -> list[_Function]:
    return [one for one in ast.walk(tree) if isinstance(one, _Function)]


def _nodes(owner: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function or module without those of the functions in it."""
    for child in ast.iter_child_nodes(owner):
        if not isinstance(child, _Function):
            yield child
            yield from _nodes(child)


def _propagated(call: ast.Call) -> list[str]:
    """Return the names that a call propagates, as `loss.backward()`, `scaler.scale(loss).backward()`."""
    match call:
        case ast.Call(func=ast.Attribute(attr=attr), args=[given, *_]) if attr in _PROPAGATING:
            return _names(given)  # `accelerator.backward(loss)`
        case ast.Call(func=ast.Attribute(value=owner, attr="minimize"), args=[given]):
            return _names(given) if _OPTIMIZER.fullmatch(ast.unparse(owner)) else []  # of TensorFlow
        case ast.Call(func=ast.Attribute(attr="gradient"), args=[given, _]):
            return _names(given)
        case ast.Call(func=ast.Attribute(value=value, attr="backward")):
            return _names(value)
    return []


def _made(node: ast.AST) -> Iterator[tuple[str, _Made]]:
    """Yield the names that a node assigns to, adds to or appends to, each with what it gets."""
    match node:
        case ast.Assign(targets=targets, value=value):
            names = (one for target in targets for one in getattr(target, "elts", [target]))
            yield from ((one.id, _Made(node.lineno, value)) for one in names if isinstance(one, ast.Name))
        case (
            ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            | ast.AugAssign(target=ast.Name(id=name), value=value)
        ):
            yield name, _Made(node.lineno, value)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attr), args=[value, *_]) if attr in _GATHERING:
            yield name, _Made(node.lineno, value)


def _summands(value: ast.expr) -> set[str]:
    """Return the names that a sum adds, each maybe with a factor; none of anything else."""
    parts = [one for one in ast.walk(value) if isinstance(one, ast.BinOp)]
    if not any(isinstance(one.op, ast.Add | ast.Sub) for one in parts):
        return set()
    return {side.id for one in parts for side in (one.left, one.right) if isinstance(side, ast.Name)}


def _named(code: str) -> list[str]:
    """Return the names in an expression; none in the name of a field of a template."""
    try:
        return _names(ast.parse(code.strip(), mode="eval"))
    except SyntaxError:
        return []


def _names(node: ast.AST) -> list[str]:
    return [one.id for one in ast.walk(node) if isinstance(one, ast.Name)]

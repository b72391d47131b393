"""Functions of the genome whose results are what is reported: there it holds its own evaluation.

A program that measures compares what the genome makes with something of its own: labels, a clock, the length of a tour.
One that prints what the genome returned, or a sum or a mean of that, measures nothing itself.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

from evo.project.found import Metric
from evo.project.modules import Module, Project
from operators.protection.probabilities import NORMALIZES, logarithms_of
from operators.protection.units import DEFINITION, FUNCTION, names_in
from populations.descriptors import last_name

_SUMMARIES = ("sum", "mean", "fmean", "average", "median", "min", "max", "abs", "sqrt", "log", "round")
_FORMS = ("float", "int", "str", "array", "asarray", "list", "tuple", "sorted", "values", "item", "tolist")
_AGGREGATES = frozenset((*_SUMMARIES, *_FORMS))
_NEUTRAL = frozenset(("len", "range"))
_MOST_STEPS = 200
_MEASURES = re.compile(r"eval|valid|test|score|loss|nll|perplexity|bits|entropy|surprise", re.IGNORECASE)
"""Names of functions of the genome that measure."""


def returned_values(
    project: Project, entry: Module, genome: Sequence[Module], metrics: Sequence[Metric]
) -> tuple[str, ...]:
    """Return the functions of the genome whose results other files of the project report as they are.

    Args:
        metrics: what is optimised; the first one decides.
    """
    evolving = {one.name for one in genome}
    found: set[str] = set()
    for metric in metrics[:1]:
        for module in project.closure(entry):
            if module.name not in evolving:
                reporter = _Reporter(project, module, evolving)
                found |= set().union(*(reporter.reported(call, metric) for call in _reports(module, metric)))
    return tuple(sorted(found))


class _Code(NamedTuple):
    """A function, or what a module does at its top level.

    Attributes:
        name: of the function; empty for the top level.
        parameters: by place.
        values: what its variables are given.
    """

    name: str
    parameters: list[str]
    nodes: list[ast.AST]
    values: dict[str, ast.expr]


def measured_as_probabilities(
    project: Project, entry: Module, genome: Sequence[Module], measuring: Collection[str]
) -> frozenset[str]:
    """Return the functions of the genome of whose results the evaluation takes logarithms as of probabilities.

    Where nothing there divides them by their sum, an individual that returns larger ones gets a better score.

    Args:
        measuring: the functions of the genome that belong to the evaluation.
    """
    evolving = {one.name for one in genome}
    made = {node.name for one in genome for node in one.nodes if isinstance(node, FUNCTION)}
    modules = dict.fromkeys((*project.closure(entry), *genome))
    codes = [(module, code) for module in modules for code in _codes(module)]
    waiting: list[tuple[ast.AST, _Code]] = [
        (argument, code)
        for module, code in codes
        if module.name not in evolving or code.name in measuring or (code.name and _MEASURES.search(code.name))
        if not _normalizes(code.nodes)
        for argument in logarithms_of(code.nodes)
        if not _sums(argument)  # of a partition function
    ]
    found: set[str] = set()
    seen: set[tuple[int, str]] = set()
    while waiting:
        part, code = waiting.pop()
        for node in _parts_of(part, made):
            if isinstance(node, ast.Call):
                found.add(last_name(node.func))
            elif isinstance(node, ast.Name) and (id(code.nodes), node.id) not in seen:
                seen.add((id(code.nodes), node.id))
                if node.id in code.values:
                    waiting.append((code.values[node.id], code))
                elif node.id in code.parameters:
                    place = code.parameters.index(node.id)
                    waiting += [(value, other) for _, other in codes for value in _given(other, code.name, place)]
    return frozenset(found & made)


def _parts_of(node: ast.AST, made: Collection[str]) -> Iterator[ast.AST]:
    """Yield what a value is computed from, without indices and what functions of the genome are given."""
    yield node
    if isinstance(node, ast.Call) and last_name(node.func) in made:
        return
    for inner in [node.value] if isinstance(node, ast.Subscript) else ast.iter_child_nodes(node):
        yield from _parts_of(inner, made)


def _codes(module: Module) -> Iterator[_Code]:
    """Yield what a module does at its top level, and its functions."""
    plain = [one for one in module.tree.body if not isinstance(one, DEFINITION)]
    functions = [node for node in module.nodes if isinstance(node, FUNCTION)]
    several: list[tuple[str, list[str], Sequence[ast.AST]]] = [("", [], plain)]
    several += [(one.name, [each.arg for each in one.args.args if each.arg != "self"], [one]) for one in functions]
    for name, names, parts in several:
        nodes = [node for part in parts for node in ast.walk(part)]
        bound = [(target, node.value) for node in nodes if isinstance(node, ast.Assign) for target in node.targets]
        values = {
            one.id: value
            for target, value in bound
            for one in (target.elts if isinstance(target, ast.Tuple) else [target])
            if isinstance(one, ast.Name)
        }
        yield _Code(name, names, nodes, values)


def _given(code: _Code, function: str, place: int) -> Iterator[ast.expr]:
    """Yield what the calls of a function give it at a place."""
    for node in code.nodes:
        if isinstance(node, ast.Call) and last_name(node.func) == function:
            yield from node.args[place : place + 1]


def _normalizes(nodes: Sequence[ast.AST]) -> bool:
    """Return whether some code divides something by a sum, checks one, or takes a softmax."""
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and NORMALIZES.search(last_name(node.func)))
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and _sums(_divisor(node)))
        for node in nodes
    )


def _divisor(division: ast.BinOp | ast.AugAssign) -> ast.expr:
    return division.right if isinstance(division, ast.BinOp) else division.value


def _sums(node: ast.expr) -> bool:
    """Return whether an expression sums something up."""
    return any(isinstance(one, ast.Call) and last_name(one.func) == "sum" for one in ast.walk(node))


def _reports(module: Module, metric: Metric) -> Iterator[ast.Call]:
    """Yield the calls that report a metric: at the place that was found, or else those with its name in a text."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            if metric.where == f"{module.name}:{node.lineno}":
                yield node
                return
            parts = [part for argument in node.args for part in ast.walk(argument)]
            texts = [str(part.value) for part in parts if isinstance(part, ast.Constant)]
            if ":" not in metric.where and any(metric.label in text for text in texts):
                yield node


class _Reporter:
    """Follows values in a file that reports; an expression is a set of functions, or None if it is anything else."""

    def __init__(self, project: Project, module: Module, evolving: Collection[str]) -> None:
        self._tree = module.tree
        self._evolving = {
            bound: inner for bound, (source, inner) in project.imported(module).items() if source.name in evolving
        }
        self._following: set[str] = set()
        self._steps = 0

    def reported(self, call: ast.Call, metric: Metric) -> set[str]:
        """Return the functions whose results a call reports as the value of a metric."""
        found: set[str] = set()
        for argument in call.args:
            for value in _values_of(argument, metric.label):
                found |= self._functions(value) or set()
        return found

    def _functions(self, node: ast.AST) -> set[str] | None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            return None
        match node:
            case ast.Constant():
                return set()
            case ast.Name(id=name):
                return self._bound(name)
            case ast.Call(func=func, args=arguments):
                return self._called(func, arguments)
            case ast.BinOp(left=left, right=right):
                return self._all([left, right])
            case ast.Tuple(elts=values) | ast.List(elts=values):
                return self._all(values)
            case ast.ListComp(elt=value) | ast.GeneratorExp(elt=value) | ast.UnaryOp(operand=value):
                return self._functions(value)
            case ast.Subscript(value=value) | ast.Attribute(value=value) | ast.Starred(value=value):
                return self._functions(value)
        return None

    def _called(self, func: ast.expr, arguments: Sequence[ast.expr]) -> set[str] | None:
        if name := self._evolves(func):
            return {name}
        called = last_name(func)
        if called in _NEUTRAL:
            return set()
        receiver = [func.value] if isinstance(func, ast.Attribute) and not arguments else []
        return self._all([*receiver, *arguments]) if called in _AGGREGATES else None

    def _all(self, nodes: Iterable[ast.AST]) -> set[str] | None:
        """Return the functions of several values; None if one of them is anything else."""
        found: set[str] = set()
        for node in nodes:
            functions = self._functions(node)
            if functions is None:
                return None
            found |= functions
        return found

    def _bound(self, name: str) -> set[str] | None:
        """Return the functions of everything that a name is bound to, or that is put into it."""
        if name in self._following:
            return set()  # `total = total + …`
        self._following.add(name)
        values = list(self._values(name))
        found = self._all(values) if values else None
        self._following.discard(name)
        return found

    def _values(self, name: str) -> Iterator[ast.AST]:
        for node in ast.walk(self._tree):
            match node:
                case ast.Assign(targets=[target], value=value) | ast.For(target=target, iter=value):
                    if any(isinstance(one, ast.Name) and one.id == name for one in _targets(target)):
                        yield value
                case ast.AugAssign(target=ast.Name(id=bound), value=value) if bound == name:
                    yield value
                case ast.Call(func=ast.Attribute(value=ast.Name(id=filled), attr=method), args=values):
                    if filled == name and method in ("append", "extend", "add"):
                        yield from values
                case ast.comprehension(target=target, iter=value):
                    if any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(target)):
                        yield value

    def _evolves(self, func: ast.expr) -> str:
        """Return the name of the genome's function that is called; empty if none is."""
        names = names_in(func) & set(self._evolving)
        if not names:
            return ""
        if isinstance(func, ast.Attribute):
            return func.attr
        return next((inner for name in sorted(names) if (inner := self._evolving[name])), "")


def _values_of(argument: ast.expr, label: str) -> Iterator[ast.expr]:
    """Yield what an argument reports; of a text with several values, what follows the name of the metric."""
    if not isinstance(argument, ast.JoinedStr):
        yield argument.right if isinstance(argument, ast.BinOp) and isinstance(argument.op, ast.Mod) else argument
        return
    named = False
    for part in argument.values:
        if isinstance(part, ast.Constant):
            named = label in str(part.value)
        elif isinstance(part, ast.FormattedValue) and named:
            yield part.value


def _targets(target: ast.expr) -> Iterator[ast.AST]:
    """Yield what an assignment binds or fills."""
    match target:
        case ast.Tuple(elts=several) | ast.List(elts=several):
            for one in several:
                yield from _targets(one)
        case ast.Subscript(value=value):
            yield value
        case _:
            yield target

"""Seeds that a program holds as literals, replaced in the copy that is run; the genome keeps its own.

A place is found by syntax, not by its line, so that it is found in offspring too. Where an offspring has it no longer,
nothing is replaced. Seeds that make or divide data, or that an
evaluation sets, stay what they are: what is scored must not change from run to run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from trainer.source_text import UNREADABLE, SourceText, Splice, literal_value, parse, spliced

_PLACE = re.compile(r"(?P<file>[^:]+):(?P<what>[\w.]+(?:\(\)|=)?)")
_OF_DATA = re.compile(
    r"split|fold|shuffle|resample|(?:data|datasets?|corpus)$"
    r"|^(?:make|load|fetch)_(?!pipeline|union|column|model|net|agent|policy|optim|rng|env)",
    re.IGNORECASE,
)
_DATA_SCOPE = re.compile(
    r"(?!_?(?:train|fit|main|run))(?:.*(?:data|corpus|split|fold|held_?out|holdout)|_?(?:eval|valid|test|score|measure)"
    r"|_?(?:make|load|fetch|gen|generate|synth\w*)(?:$|_(?!model|net|agent|policy|rng|env|optim|weight|param)))",
    re.IGNORECASE,
)
"""Functions and classes that make data or evaluate, by the beginnings of their names."""
_DATA_NAME = re.compile(
    r"(?!.*(?:loss|acc|score|err|ms?e|mae|auc|f1|metric|result|reward|bpb|ppl))"
    r"(?:.*_)?(?:data|dataset|ds|val|valid|validation|eval|test|dev|held_?out|holdout)(?:_.*)?",
    re.IGNORECASE,
)
"""What a generator for data, or data of the evaluation, is called."""
_SEED = re.compile(r"(?:.*_)?(?:seed|random_state)", re.IGNORECASE)
_OF_KEYS = re.compile(r"(?:.+\.)?(?:random|jr|jrandom)\.split")  # JAX splits keys, not data
_PASSING = frozenset(("int", "str", "get", "getenv", "field", "Field", "Option", "Argument", "arg"))
_LONGEST_LITERAL = 20  # digits

_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class SeedPlace:
    """Where a seed stands.

    Attributes:
        what: `NAME`, an assigned name, or what is made from a seed; `OWNER.NAME`, the same in a class or a function, or
            a parameter; `NAME=`, a keyword of calls or a key of dictionaries; `CALL.NAME=`, a keyword of calls of one
            function; or `CALL()`, the first argument of a call, or the one that its definition in the file calls a
            seed. In a file that is not Python, a key.
    """

    file: str
    what: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return a place from `FILE:WHAT`; raise ValueError for any other text."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError(
                "must say where seeds stand, as in train.py:SEED, train.py:Config.seed, train.py:random_state= or "
                f"train.py:torch.manual_seed(), but it was {text!r}"
            )
        return cls(match["file"], match["what"])

    def __str__(self) -> str:
        """Return the text that `parse` takes."""
        return f"{self.file}:{self.what}"


def with_seed(text: str, places: Iterable[SeedPlace], seed: int) -> tuple[str, int]:
    """Return the text of a file with another seed at some places, and how many literals were replaced.

    Args:
        text: of a file; what is no readable Python stays as it is.
        places: in that file.
        seed: a natural number.
    """
    python: list[str] = []
    others: list[str] = []
    for place in places:
        (python if place.file.endswith(".py") else others).append(place.what)
    count = 0
    if python:
        text, count = _in_python(text, python, seed)
    for key in others:
        text, found = _key(key).subn(lambda match: f"{match[1]}{seed}", text)
        count += found
    return text, count


def literals(tree: ast.Module, what: str) -> Iterator[ast.expr]:
    """Yield the expressions of a module that hold the seed of a place: literals, or names of such constants."""
    constants = int_constants(tree)
    if what.endswith("()"):
        found: Iterator[ast.expr] = _arguments(tree, what[:-2])
    elif what.endswith("="):
        found = _keywords(tree, what[:-1])
    elif "." in what:
        found = _fields(tree, *what.rsplit(".", 1))
    else:
        found = _assigned(tree, what)
    for value in found:
        if (literal := literal_in(value, constants)) is not None:
            yield literal


def literal_in(value: ast.expr, constants: Mapping[str, int]) -> ast.expr | None:
    """Return the part of an expression that is its seed: a whole number, or a name of such a constant.

    What is computed otherwise, such as `int(time.time()) % 2**32`, varies by itself or could break.
    """
    inner: Sequence[ast.expr] = ()
    match value:
        case ast.Constant(value=int() | str() as held) if not isinstance(held, bool):
            return value if isinstance(held, int) or held.isdecimal() else None
        case ast.Name(id=name):
            return value if name in constants else None
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int())):
            return value
        case ast.NamedExpr(value=given):
            inner = [given]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            inner = parts
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            inner = (left, right)
        case ast.JoinedStr(values=parts):
            inner = [one.value for one in parts if isinstance(one, ast.FormattedValue)]
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _PASSING:
            inner = [*args, *(one.value for one in value.keywords if one.arg == "default")]
    return next((found for one in inner if (found := literal_in(one, constants)) is not None), None)


def int_constants(tree: ast.Module) -> dict[str, int]:
    """Return the names that a module assigns a whole number to, at its top level."""
    found = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=int(value)))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=int(value)))
            ) if not isinstance(value, bool):
                found[name] = value
    return found


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield the calls under a node, but none that makes, divides or evaluates on data, nor its arguments."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if _OF_DATA.search(name.rpartition(".")[2]) and not _OF_KEYS.fullmatch(name):
                continue
            yield node
        if not _is_of_data(node):
            yield from calls(node)


def _is_of_data(node: ast.AST) -> bool:
    """Return whether a statement makes data or evaluates, by the name that it defines or binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return _DATA_SCOPE.match(name) is not None
        case ast.Assign(targets=[target]) | ast.AnnAssign(target=target):
            bound = [one.id if isinstance(one, ast.Name) else one.attr for one in _targets(target)]
            return any(map(_DATA_NAME.fullmatch, bound))
    return False


def _targets(target: ast.expr) -> Iterator[ast.Name | ast.Attribute]:
    if isinstance(target, ast.Tuple | ast.List):
        for one in target.elts:
            yield from _targets(one)
    elif isinstance(target, ast.Name | ast.Attribute):
        yield target


def functions(tree: ast.AST) -> Iterator[_Function]:
    """Yield the functions of a module, without those that divide or make data."""
    for node in ast.walk(tree):
        if isinstance(node, _Function) and not _OF_DATA.search(node.name):
            yield node


def parameters(function: _Function) -> Iterator[tuple[str, ast.expr]]:
    """Yield the parameters of a function that have a default, with it."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = arguments.defaults
    yield from (
        (one.arg, value) for one, value in zip(positional[len(positional) - len(defaults) :], defaults, strict=True)
    )
    yield from (
        (one.arg, value) for one, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if value
    )


def assigned(body: Iterable[ast.stmt]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names that some statements assign to, with the values."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def seed_positions(tree: ast.AST, names: re.Pattern[str]) -> dict[str, int]:
    """Return which positional argument of the functions and classes of a module is a seed, from 0.

    Args:
        names: of parameters that are seeds.
    """
    made: list[tuple[str, _Function, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            made += [(node.name, one, 1) for one in node.body if isinstance(one, _Function) and one.name == "__init__"]
        elif isinstance(node, _Function):
            made.append((node.name, node, 0))
    found: dict[str, int] = {}
    for name, function, first in made:
        taken = [one.arg for one in (*function.args.posonlyargs, *function.args.args)][first:]
        found.update((name, place) for place, one in enumerate(taken) if names.fullmatch(one))
    return found


def _arguments(tree: ast.Module, callee: str) -> Iterator[ast.expr]:
    place = seed_positions(tree, _SEED).get(callee, 0)
    for call in calls(tree):
        name = ast.unparse(call.func)
        if name == callee or name.endswith(f".{callee}"):
            given = [
                *call.args[place : place + 1],
                *(one.value for one in call.keywords if one.arg and "seed" in one.arg),
            ]
            yield from given[:1]


def _keywords(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    callee, _, keyword = name.rpartition(".")
    for call in calls(tree):
        if not callee or ast.unparse(call.func) == callee:
            yield from (one.value for one in call.keywords if one.arg == keyword)
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name:
                    yield value


def _fields(tree: ast.Module, owner: str, name: str) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name == owner:
            yield from (value for field, value in assigned(node.body) if field == name)
        elif isinstance(node, _Function) and node.name == owner:
            yield from (value for parameter, value in parameters(node) if parameter == name)
            yield from _assigned(node, name)


def _assigned(tree: ast.AST, name: str) -> Iterator[ast.expr]:
    """Yield what a name is assigned, or of a generator what it is made from: `rng = default_rng(0)`."""
    for statement in _statements(tree):
        for target, value in assigned([statement]):
            if target == name:
                yield _made_from(value)


def _made_from(value: ast.expr) -> ast.expr:
    """Return what an object is made from: the first argument, or that of an object which is the first argument."""
    while isinstance(value, ast.Call) and literal_in(value, {}) is None:
        given = [*value.args[:1], *(one.value for one in value.keywords if one.arg and "seed" in one.arg)]
        if not given:
            break
        value = given[0]
    return value


def _statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements under a node, but none of a function or class that makes data or evaluates."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.stmt):
            yield node
        if not isinstance(node, ast.stmt) or isinstance(node, ast.Assign) or not _is_of_data(node):
            yield from _statements(node)


def _in_python(text: str, whats: Iterable[str], seed: int) -> tuple[str, int]:
    try:
        tree = parse(text)
        nodes = [node for what in whats for node in literals(tree, what)]
    except UNREADABLE:
        return text, 0
    source = SourceText(text)
    splices = set()
    for node in nodes:
        begin, end = source.start(node), source.end(node)
        # Within f-strings, Python before 3.12 does not always know where an expression stands.
        if (replaced := _replacement(source.slice(begin, end), node, seed)) is not None:
            splices.add(Splice(begin, end, replaced))
    return spliced(text, splices), len(splices)


def _replacement(segment: str, node: ast.expr, seed: int) -> str | None:
    """Return what takes the place of a literal that is written as `segment`; None where that is something else."""
    if isinstance(node, ast.Name):
        return str(seed) if segment == node.id else None
    try:
        found = literal_value(segment)
    except ValueError:
        return None
    if found != literal_value(node):
        return None
    return repr(str(seed)) if isinstance(found, str) else str(seed)


def _key(name: str) -> re.Pattern[str]:
    """Return a pattern for the whole number under a key of YAML, TOML, JSON or INI."""
    key = re.escape(name.rpartition(".")[2])
    return re.compile(
        rf"""^(\s*(?:[-,{{]\s*)?["']?{key}["']?\s*[:=]\s*)\d{{1,{_LONGEST_LITERAL}}}(?![\w.])""", re.MULTILINE
    )

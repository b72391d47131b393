"""A source as a list of units: simple statements, single imports, and the heads of compound statements.

Two sources are compared unit by unit, so that what stands around a protected statement may change while it stays.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from operators.protection.output import UNKNOWN, text_of
from populations.descriptors import last_name

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITION = (*FUNCTION, ast.ClassDef)
LOOP = (ast.For, ast.AsyncFor, ast.While)
BUILTINS = frozenset(dir(builtins))
Scope = tuple[str, ...]
"""Names of the functions and classes around a statement, outermost first; empty for the top level."""

_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


@dataclass(frozen=True)
class Unit:
    """One unit.

    Attributes:
        chain: the branches, loops and other blocks between its scope and it, outermost first.
        digest: equal for units with the same code.
        node: the statement; of a compound one only the head belongs to the unit.
        line: first line, from 1.
        end_line: last line, that of the head for a compound statement.
    """

    scope: Scope
    chain: tuple[str, ...]
    digest: str
    node: ast.AST
    line: int
    end_line: int

    @property
    def key(self) -> tuple[Scope, str]:
        """What identifies it in a file."""
        return self.scope, self.digest

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The nodes of the statement or head; `getattr(one, "name")` and its kin stand for the attribute as well."""
        written = [inner for part in _parts(self.node) for inner in ast.walk(part)]
        return (*written, *(named for one in written if (named := _named_by_text(one))))

    @cached_property
    def bound(self) -> frozenset[str]:
        """The names that it binds or deletes in its scope."""
        return frozenset(_bound(self.node))

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The parameters of the function that it begins."""
        return frozenset(_parameters(self.node.args)) if isinstance(self.node, FUNCTION) else frozenset()

    @cached_property
    def inner(self) -> frozenset[str]:
        """The names that comprehensions and lambdas in it bind for themselves."""
        targets = [one.target for one in self.nodes if isinstance(one, ast.comprehension)]
        names = names_in(*targets)
        lambdas = [one.args for one in self.nodes if isinstance(one, ast.Lambda)]
        return frozenset(names | {name for arguments in lambdas for name in _parameters(arguments)})

    @cached_property
    def read(self) -> frozenset[str]:
        """The names that it reads."""
        return frozenset(one.id for one in self.nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))

    @cached_property
    def calls(self) -> tuple[ast.Call, ...]:
        """The calls in it."""
        return tuple(one for one in self.nodes if isinstance(one, ast.Call))

    @cached_property
    def called(self) -> frozenset[str]:
        """The last names of what it calls."""
        return frozenset({last_name(one.func) for one in self.calls} - {""})

    @cached_property
    def texts(self) -> frozenset[str]:
        """Its string literals."""
        return frozenset(
            one.value for one in self.nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)
        )

    @cached_property
    def flags(self) -> frozenset[str]:
        """The flags that it names, with two dashes, or with one where an argument is declared by no longer name."""
        declared = (
            [str(argument.value) for argument in one.args if isinstance(argument, ast.Constant)]
            for one in self.calls
            if isinstance(one.func, ast.Attribute) and one.func.attr == "add_argument"
        )
        short = (names for names in declared if not any(name.startswith("--") for name in names))
        found = {name for names in short for name in names if name.startswith("-")}
        return frozenset(found | {text for text in self.texts if text.startswith("--")})

    @property
    def repeated(self) -> range:
        """The lines of the loop that it begins; none for another unit."""
        node = self.node
        return range(node.body[0].lineno, (node.end_lineno or 0) + 1) if isinstance(node, LOOP) else range(0)

    @property
    def code(self) -> str:
        """Its code on one line."""
        if isinstance(self.node, DEFINITION):
            kind = "class" if isinstance(self.node, ast.ClassDef) else "def"
            return f"{kind} {self.node.name}"
        if isinstance(self.node, ast.ExceptHandler | ast.match_case):
            return ast.unparse(ast.fix_missing_locations(ast.Module([_empty(self.node)], []))).split("\n")[-2].strip()
        return ast.unparse(self.node).split("\n")[0] if isinstance(self.node, ast.stmt) else ""


@dataclass(frozen=True)
class LineUnit(Unit):
    """A line of a file that is not Python; it has no name and no condition, and stands for itself."""

    @property
    def code(self) -> str:
        """The line without the blanks around it."""
        return self.digest.strip()


def lines_of(text: str) -> list[Unit]:
    """Return the lines of a file that are not blank."""
    return [
        LineUnit((), (), line.rstrip(), ast.Pass(), number, number)
        for number, line in enumerate(text.split("\n"), 1)
        if line.strip()
    ]


def words(text: str) -> frozenset[str]:
    """Return the words of a text as a set."""
    return frozenset(text.split())


def units_of(tree: ast.Module) -> list[Unit]:
    """Return the units of a file in the order of the source; docstrings and other lone texts are none."""
    return list(_units(tree.body, (), ()))


def _units(body: list[ast.stmt], scope: Scope, chain: tuple[str, ...]) -> Iterator[Unit]:
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (_unit(one, scope, chain) for one in _imports(node))
            continue
        yield _unit(node, scope, chain)
        if isinstance(node, DEFINITION):
            yield from _units(node.body, (*scope, node.name), ())
        else:
            yield from _inner(node, scope, chain)


def _inner(node: ast.AST, scope: Scope, chain: tuple[str, ...]) -> Iterator[Unit]:
    """Yield the units within a compound statement that is no definition."""
    head = _condition(node)
    for block in _BLOCKS:
        below = (*chain, f"{head} {block}")
        for one in getattr(node, block, ()):
            if isinstance(one, ast.ExceptHandler | ast.match_case):
                yield _unit(one, scope, below)
                yield from _inner(one, scope, below)
            elif isinstance(one, ast.stmt):
                yield from _units([one], scope, below)


def _unit(node: ast.AST, scope: Scope, chain: tuple[str, ...]) -> Unit:
    digest = f"{type(node).__name__}({', '.join(_dumped(node))})"
    line = getattr(node, "lineno", None) or node.pattern.lineno  # type: ignore[attr-defined]  # of a match_case
    parts = [getattr(one, "end_lineno", None) or 0 for one in _parts(node)]
    is_compound = any(getattr(node, block, None) for block in _BLOCKS)
    end_line = max([line, *parts]) if is_compound else getattr(node, "end_lineno", None) or line
    decorators = getattr(node, "decorator_list", [])
    return Unit(scope, chain, digest, node, min([line, *(one.lineno for one in decorators)]), end_line)


def _dumped(node: ast.AST) -> Iterator[str]:
    for name, value in ast.iter_fields(node):
        if name in _BLOCKS or name == "type_comment":
            continue
        many = value if isinstance(value, list) else [value]
        yield f"{name}=" + ", ".join(ast.dump(one) if isinstance(one, ast.AST) else repr(one) for one in many)


def _parts(node: ast.AST) -> list[ast.AST]:
    """Return what belongs to the unit of a statement: all of it, or what stands before its blocks."""
    if not any(getattr(node, block, None) for block in _BLOCKS):
        return [node]
    values = [value for name, value in ast.iter_fields(node) if name not in _BLOCKS]
    several = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return [one for one in several if isinstance(one, ast.AST)]


def _named_by_text(node: ast.AST) -> ast.Attribute | None:
    """Return the attribute that a call reads or sets by a text."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[owner, name, *_]):
            context: ast.expr_context = ast.Load()
        case ast.Call(
            func=ast.Name(id="setattr" | "delattr") | ast.Attribute(attr="__setattr__" | "__delattr__"),
            args=[owner, name, *_],
        ):
            context = ast.Store()
        case _:
            return None
    text = text_of(name)
    return None if UNKNOWN in text else ast.copy_location(ast.Attribute(owner, text, context), node)


def _condition(node: ast.AST) -> str:
    """Return what decides whether a block runs; the heads of loops may change without changing that."""
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        return "loop"
    return f"{type(node).__name__}({', '.join(_dumped(node))})"


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[ast.stmt]:
    for alias in node.names:
        one = ast.Import([alias]) if isinstance(node, ast.Import) else ast.ImportFrom(node.module, [alias], node.level)
        yield ast.copy_location(one, node)


def _empty(node: ast.ExceptHandler | ast.match_case) -> ast.stmt:
    """Return a statement that shows the head of a handler or case alone."""
    if isinstance(node, ast.ExceptHandler):
        return ast.Try([ast.Pass()], [ast.ExceptHandler(node.type, node.name, [ast.Pass()])], [], [])
    return ast.Match(ast.Name("_", ast.Load()), [ast.match_case(node.pattern, node.guard, [ast.Pass()])])


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (one.asname or one.name.partition(".")[0] for one in names)
            return
        case ast.ImportFrom(names=names):
            yield from (one.asname or one.name for one in names)
            return
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.Global(names=global_names) | ast.Nonlocal(names=global_names):
            yield from global_names
    for part in _parts(node):
        yield from _stored(part)


def _stored(node: ast.AST) -> Iterator[str]:
    """Yield the names that an expression or statement binds, but for those of scopes within it."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        yield from (
            one.target.id
            for one in ast.walk(node)
            if isinstance(one, ast.NamedExpr) and isinstance(one.target, ast.Name)
        )
        return
    for child in ast.iter_child_nodes(node):
        yield from _stored(child)


def _parameters(arguments: ast.arguments) -> Iterator[str]:
    several = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    yield from (one.arg for one in several if one is not None)


def is_import(unit: Unit) -> bool:
    """Return whether a unit imports something."""
    return isinstance(unit.node, ast.Import | ast.ImportFrom)


def names_in(*nodes: ast.AST) -> set[str]:
    """Return the names in some expressions or statements."""
    return {one.id for node in nodes for one in ast.walk(node) if isinstance(one, ast.Name)}


def root_of(node: ast.AST) -> str | None:
    """Return the name at the root of `a.b[0].c`, also through calls; None without one."""
    while True:
        match node:
            case ast.Name(id=name):
                return name
            case ast.Call(func=ast.Name(id="getattr"), args=[inner, *_]):
                node = inner
            case (
                ast.Call(func=inner)
                | ast.Attribute(value=inner)
                | ast.Subscript(value=inner)
                | ast.Starred(value=inner)
            ):
                node = inner
            case _:
                return None

"""Which calls run when a program is started, and whether each runs once or maybe several times.

A function counts as run once only if that is plain: a single call, in no loop, from code that runs once.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evo.project.modules import Module, Project, is_main_guard
from operators.protection.units import FUNCTION

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_RESUMED = re.compile(r"(?:\w+_)?(?:resum(?:e|ed|ing)|restored?)(?:_\w+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reached:
    """A call in code that runs.

    Attributes:
        scope: the function that contains it, as `module:line`; line 0 for the top level.
        is_once: whether it certainly runs no more than once.
    """

    call: ast.Call
    module: Module
    scope: str
    is_once: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """A module's top level, or a function without its nested functions."""

    module: Module
    line: int
    body: list[ast.stmt]

    @property
    def key(self) -> str:
        return f"{self.module.name}:{self.line}"


@lru_cache(maxsize=32)
def reached_calls(project: Project, entry: Module) -> list[Reached]:
    """Return every call that may run when `entry` is started, in the order of the source."""
    return _Reach(project, entry).calls()


class _Reach:
    def __init__(self, project: Project, entry: Module) -> None:
        self._project = project
        self._modules = project.closure(entry)
        self._functions: dict[str, dict[str, _Scope]] = {}
        self._methods: dict[str, list[_Scope]] = defaultdict(list)
        self._of_class: dict[tuple[str, str], list[_Scope]] = defaultdict(list)
        for module in self._modules:
            self._define(module)
        self._reached: dict[str, _Scope] = {}
        self._uses: dict[str, list[tuple[str, bool | None]]] = defaultdict(list)
        self._follow(entry)
        self._repeated = self._find_repeated()

    def calls(self) -> list[Reached]:
        order = {module.name: number for number, module in enumerate(self._modules)}
        scopes = sorted(self._reached.values(), key=lambda scope: (order[scope.module.name], scope.line))
        return [
            Reached(node, scope.module, scope.key, not looped and scope.key not in self._repeated)
            for scope in scopes
            for node, looped in _walk(scope.body)
            if isinstance(node, ast.Call)
        ]

    def _define(self, module: Module) -> None:
        classes = [node for node in module.nodes if isinstance(node, ast.ClassDef)]
        methods = {id(inner): node.name for node in classes for inner in node.body}
        functions = self._functions[module.name] = {}
        for node in module.nodes:
            if isinstance(node, FUNCTION):
                scope = _Scope(module, node.lineno, node.body)
                if id(node) in methods:
                    self._methods[node.name].append(scope)
                    self._of_class[module.name, methods[id(node)]].append(scope)
                else:
                    functions[node.name] = scope

    def _follow(self, entry: Module) -> None:
        """Find what is reached, and by callee its users with the kind of use."""
        waiting = [
            _Scope(module, 0, [node for node in module.tree.body if module is entry or not is_main_guard(node)])
            for module in self._modules
        ]
        while waiting:
            scope = waiting.pop()
            if scope.key not in self._reached:
                self._reached[scope.key] = scope
                for callee, is_plain in self._used(scope):
                    self._uses[callee.key].append((scope.key, is_plain))
                    waiting.append(callee)

    def _find_repeated(self) -> set[str]:
        """Return the scopes that may run several times."""
        repeated: set[str] = set()
        before = -1
        while len(repeated) > before:
            before = len(repeated)
            for key, users in self._uses.items():
                match [(user, is_plain) for user, is_plain in users if is_plain is not None]:
                    case [(user, True)] if user not in repeated and user != key:
                        pass
                    case _:
                        repeated.add(key)
        return repeated

    def _used(self, scope: _Scope) -> Iterator[tuple[_Scope, bool | None]]:
        """Yield the functions that a scope uses, each with whether the use is a call outside of loops.

        None means that only the class of a method is used; its base class may call the method any number of times.
        """
        imported = self._project.imported(scope.module)
        called = {id(node.func) for node, looped in _walk(scope.body) if isinstance(node, ast.Call) and not looped}
        for node, _ in _walk(scope.body):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    yield from self._named(scope.module, name, id(node) in called)
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in imported:
                    module, inner = imported[owner]
                    if inner is None:
                        yield from self._named(module, name, id(node) in called, follow=False)
                case ast.Attribute(attr=name):
                    yield from ((method, id(node) in called) for method in self._methods.get(name, ()))

    def _named(
        self, module: Module, name: str, is_plain: bool, *, follow: bool = True
    ) -> Iterator[tuple[_Scope, bool | None]]:
        functions = self._functions.get(module.name, {})
        source, inner = self._project.imported(module).get(name, (module, None)) if follow else (module, None)
        if name in functions:
            yield functions[name], is_plain
        elif (module.name, name) in self._of_class:
            yield from ((method, None) for method in self._of_class[module.name, name])
        elif inner is not None and source.name in self._functions:
            yield from self._named(source, inner, is_plain)


def _walk(body: list[ast.stmt]) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes of a scope in the order of the source, each with whether it is in a loop.

    Nested functions run when they are called. Exception handlers do not run in the normal case, and neither does what
    goes on with an earlier run.
    """
    waiting: list[tuple[ast.AST, bool]] = [(node, False) for node in reversed(body)]
    while waiting:
        node, looped = waiting.pop()
        if isinstance(node, (*FUNCTION, ast.ExceptHandler)):
            continue
        yield node, looped
        inner = looped or isinstance(node, _LOOPS)
        children = [*ast.iter_child_nodes(node)]
        if isinstance(node, ast.If) and _resumes(node.test):
            children = [node.test, *node.orelse]
        waiting += [(child, inner) for child in reversed(children)]


def _resumes(test: ast.expr) -> bool:
    """Return whether a condition holds for a resumed run alone: `args.resume`, `init_from == "resume"`."""
    match test:
        case ast.Compare(left=left, ops=[ast.IsNot() | ast.NotEq() | ast.Gt()]):
            return _resumes(left)
        case ast.Compare(ops=[ast.Eq()], comparators=[ast.Constant(value=str(name))]):
            return bool(_RESUMED.fullmatch(name))
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return bool(_RESUMED.fullmatch(name))
    return False

"""Which code runs when a program is started, and whether it runs once or maybe several times.

A function counts as run once only where that is plain: one call of it, in no loop, from code that runs once. Whatever
cannot be told runs several times.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from evo.project.modules import Module, Project, is_main_guard

_LOOPS = (ast.For, ast.AsyncFor, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Reached:
    """A call in code that runs.

    Attributes:
        call: the call.
        module: where it stands.
        scope: the function that it stands in, as `module:line`; with line 0 at the top level.
        is_once: whether it surely runs no more than once.
    """

    call: ast.Call
    module: Module
    scope: str
    is_once: bool


@dataclass(frozen=True, slots=True)
class _Scope:
    """Code that runs as one: a module's top level, or a function with its nested code but for nested functions."""

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
        self._tops = [_Scope(module, 0, _top_level(module, module is entry)) for module in self._modules]
        self._runs: dict[str, int] = {}
        self._reached: dict[str, _Scope] = {}
        self._follow()

    def calls(self) -> list[Reached]:
        order = {module.name: number for number, module in enumerate(self._modules)}
        scopes = sorted(self._reached.values(), key=lambda scope: (order[scope.module.name], scope.line))
        return [
            Reached(node, scope.module, scope.key, self._runs[scope.key] == 1 and not looped)
            for scope in scopes
            for node, looped in _walk(scope.body)
            if isinstance(node, ast.Call)
        ]

    def _define(self, module: Module) -> None:
        own = self._functions.setdefault(module.name, {})
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, Function):
                        scope = _Scope(module, inner.lineno, inner.body)
                        self._methods[inner.name].append(scope)
                        self._of_class[module.name, node.name].append(scope)
        methods = {scope.line for scopes in self._methods.values() for scope in scopes if scope.module is module}
        for node in ast.walk(module.tree):
            if isinstance(node, Function) and node.lineno not in methods:
                own[node.name] = _Scope(module, node.lineno, node.body)

    def _follow(self) -> None:
        """Find what is reached, then count how often each scope runs: 1, or 2 for maybe more."""
        waiting = list(self._tops)
        uses: dict[str, list[tuple[str, bool | None]]] = defaultdict(list)  # by callee: its users, and how they use it
        while waiting:
            scope = waiting.pop()
            if scope.key in self._reached:
                continue
            self._reached[scope.key] = scope
            for callee, is_plain in self._used(scope):
                uses[callee.key].append((scope.key, is_plain))
                waiting.append(callee)
        self._runs = dict.fromkeys(self._reached, 1)
        changed = True
        while changed:
            changed = False
            for key, users in uses.items():
                calls = [(user, is_plain) for user, is_plain in users if is_plain is not None]
                plainly = len(calls) == 1 and calls[0][1] and self._runs[calls[0][0]] == 1 and calls[0][0] != key
                if not plainly and self._runs[key] == 1:
                    self._runs[key] = 2
                    changed = True

    def _used(self, scope: _Scope) -> Iterator[tuple[_Scope, bool | None]]:
        """Yield the functions that a scope uses, each with whether the use is a call outside of loops.

        None stands for the methods of a class that is used: nobody calls them by that.
        """
        imported = self._project.imported(scope.module)
        called = {id(node.func) for node, looped in _walk(scope.body) if isinstance(node, ast.Call) and not looped}
        for node, _ in _walk(scope.body):
            match node:
                case ast.Name(id=name, ctx=ast.Load()):
                    yield from self._named(scope.module, imported, name, id(node) in called)
                case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner in imported:
                    module, inner = imported[owner]
                    if inner is None:
                        yield from self._named(module, {}, name, id(node) in called)
                case ast.Attribute(attr=name):
                    yield from ((method, id(node) in called) for method in self._methods.get(name, ()))

    def _named(
        self, module: Module, imported: dict[str, tuple[Module, str | None]], name: str, is_plain: bool
    ) -> Iterator[tuple[_Scope, bool | None]]:
        if name in self._functions.get(module.name, {}):
            yield self._functions[module.name][name], is_plain
        elif (module.name, name) in self._of_class:
            # Methods that nobody calls by name are called by what the class derives from: who knows how often.
            yield from ((method, None) for method in self._of_class[module.name, name])
        elif name in imported:
            source, inner = imported[name]
            if inner is not None and source.name in self._functions:
                yield from self._named(source, self._project.imported(source), inner, is_plain)


def _top_level(module: Module, is_entry: bool) -> list[ast.stmt]:
    return [node for node in module.tree.body if is_entry or not is_main_guard(node)]


def _walk(body: list[ast.stmt]) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes of code that runs with its scope, in the order of the source, each with whether it is in a loop.

    The bodies of functions run when they are called, and what handles an exception does not run when all is well.
    """
    waiting: list[tuple[ast.AST, bool]] = [(node, False) for node in reversed(body)]
    while waiting:
        node, looped = waiting.pop()
        if isinstance(node, Function | ast.ExceptHandler):
            continue
        yield node, looped
        inner = looped or isinstance(node, _LOOPS)
        waiting += [(child, inner) for child in reversed(list(ast.iter_child_nodes(node)))]

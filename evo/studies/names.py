"""What a program uses and does not have: the sign that one edit needs another.

Every program uses things that no look at its text can find, so what is missing from a mixture counts only if neither of
the programs that it is mixed from misses it.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

_BUILTINS = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__"}
_CALLABLE = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class _Parameters:
    """What the calls of a function or class may pass.

    Attributes:
        positional: names that can be passed by place, in order; `positional_only` of them by place alone.
        required: names that have to be passed.
    """

    positional: tuple[str, ...]
    positional_only: int
    keyword_only: frozenset[str]
    required: frozenset[str]
    any_positional: bool
    any_keyword: bool

    def take(self, call: ast.Call) -> bool:
        """Return whether a call passes what is required and nothing else; True where that cannot be seen."""
        keywords = {keyword.arg for keyword in call.keywords}
        if None in keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
            return True
        by_place = self.positional[: len(call.args)]
        by_name = {*self.positional[self.positional_only :], *self.keyword_only} - {*by_place}
        return (
            (len(call.args) <= len(self.positional) or self.any_positional)
            and (keywords <= by_name or self.any_keyword)
            and self.required <= keywords | {*by_place}
        )


def missing_names(files: Mapping[str, ast.Module]) -> frozenset[str]:
    """Return what the files of a program, given by path relative to the project, use and do not define.

    Listed are names, attributes as `.name`, calls of the program's own functions that do not fit as `name(…)`, and
    imports from its own files of what these do not have. Scopes are not told apart: a name counts as defined when
    anything in its file defines it.
    """
    modules = {".".join(PurePosixPath(name).with_suffix("").parts): tree for name, tree in files.items()}
    attributes = {attribute for tree in modules.values() for attribute in _defined_attributes(tree)}
    if len(modules) > 1:  # one file may import another and read what it has
        attributes.update(name for tree in modules.values() for name in _defined_in(tree))
    missing: set[str] = set()
    for tree in modules.values():
        missing.update(_missing_from(tree))
        missing.update(f".{name}" for name in _read_attributes(tree) if name not in attributes)
        missing.update(_missing_imports(tree, modules))
    return frozenset(missing)


def _missing_from(tree: ast.Module) -> Iterator[str]:
    nodes = list(ast.walk(tree))
    defined = {name for node in nodes for name in _defined(node)}
    if "*" not in defined:
        yield from (node.id for node in nodes if isinstance(node, ast.Name) and _is_read(node, defined))
    parameters = _parameters_by_name(tree)
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in parameters and not parameters[name].take(node):
                yield f"{name}({len(node.args)}, {', '.join(sorted(str(one.arg) for one in node.keywords))})"


def _is_read(node: ast.Name, defined: set[str]) -> bool:
    return isinstance(node.ctx, ast.Load) and node.id not in defined and node.id not in _BUILTINS


def _defined(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name


def _defined_attributes(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.ClassDef):
            yield from _defined_in(node)


def _defined_in(block: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Return the names that a module or class has as attributes: not those inside its functions."""
    for statement in block.body:
        parts = [statement] if isinstance(statement, _CALLABLE) else ast.walk(statement)
        yield from (name for part in parts for name in _defined(part))


def _read_attributes(tree: ast.Module) -> Iterator[str]:
    return (node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load))


def _missing_imports(tree: ast.Module, modules: Mapping[str, ast.Module]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (module := node.module or "") in modules:
            theirs = {name for part in ast.walk(modules[module]) for name in _defined(part)}
            yield from (f"{module}.{alias.name}" for alias in node.names if alias.name not in {*theirs, "*"})


def _parameters_by_name(tree: ast.Module) -> dict[str, _Parameters]:
    """Return what the functions and classes of the top level may be called with, where that can be seen."""
    definitions = [node for node in tree.body if isinstance(node, _CALLABLE)]
    times = Counter(node.name for node in definitions)
    found = {node.name: _parameters(node) for node in definitions if times[node.name] == 1}
    return {name: parameters for name, parameters in found.items() if parameters is not None}


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> _Parameters | None:
    if not isinstance(node, ast.ClassDef):
        return None if node.decorator_list else _parameters_of(node.args, bound=0)
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            return _parameters_of(statement.args, bound=1)
    return _fields(node) if any("dataclass" in ast.unparse(one) for one in node.decorator_list) else None


def _parameters_of(arguments: ast.arguments, bound: int) -> _Parameters:
    """Return the parameters without the first `bound`, which Python itself passes."""
    every = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    optional = set(every[len(every) - len(arguments.defaults) :])
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    required = {name for name in every[bound:] if name not in optional}
    required |= {argument.arg for argument, default in named if default is None}
    return _Parameters(
        positional=tuple(every[bound:]),
        positional_only=max(0, len(arguments.posonlyargs) - bound),
        keyword_only=frozenset(argument.arg for argument in arguments.kwonlyargs),
        required=frozenset(required),
        any_positional=arguments.vararg is not None,
        any_keyword=arguments.kwarg is not None,
    )


def _fields(node: ast.ClassDef) -> _Parameters | None:
    """Return what a dataclass without bases may be made with; what it requires is not looked at."""
    if node.bases:
        return None
    annotated = [statement for statement in node.body if isinstance(statement, ast.AnnAssign)]
    names = tuple(one.target.id for one in annotated if isinstance(one.target, ast.Name))
    return _Parameters(names, 0, frozenset(), frozenset(), any_positional=False, any_keyword=False)

"""What the rules know of one file of a changed program: what its names stand for, and where protected code stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from operators.protection.guards import Guards, class_scopes
from operators.protection.handed import Names, handed_on, named
from operators.protection.output import UNKNOWN
from operators.protection.parts import Parts, Taken, exceeds, shared_in, takings
from operators.protection.units import BUILTINS, FUNCTION, Scope, Unit, root_of


@dataclass(frozen=True)
class Child:
    """One file of a source.

    Attributes:
        free: its units, but for the protected ones.
        imports: what each imported name, or name given to one, stands for.
        modules: the names of modules, those given to them too.
        classes: scopes that are classes.
        bases: what the classes that are not protected derive from, as written and under their own names; `UNKNOWN`
            where that cannot be told.
        functions: names of its functions, methods too.
        local: by function, the names that are bound in it and not protected there.
        last: by scope, the line of its last protected unit.
        loops: the lines of the protected loops.
        begun: the line from which on protected code of a scope holds a name that it first binds, always; what stands
            before may use the name for itself.
        parts: data with held-out rows among others, of which other code takes parts.
        drawn: by scope and generator, the line of the last protected statement that draws held-out data from it.
        drawing: by generator, the functions and classes that read it.
        handed: by scope, other names for protected data that generation 0 does not change in place.
    """

    free: Sequence[Unit]
    imports: Mapping[str, str]
    modules: frozenset[str]
    classes: frozenset[Scope]
    bases: Mapping[Scope, Sequence[str]]
    functions: frozenset[str]
    local: Mapping[Scope, frozenset[str]]
    last: Mapping[Scope, int]
    loops: Sequence[range]
    begun: Mapping[tuple[Scope, str], int]
    parts: Parts
    drawn: Mapping[tuple[Scope, str], int]
    drawing: Mapping[str, frozenset[str]]
    handed: Names

    @cached_property
    def beyond(self) -> Sequence[tuple[Unit, str, Taken]]:
        """The units that take other rows of data with held-out ones than generation 0 does: what is known of it."""
        return [
            (one, name, taken)
            for one in self.free
            for name in (sorted(one.read - one.inner) if self.parts else ())
            if (taken := shared_in(name, one.scope, self.parts, self.local))
            and any(exceeds(index, taken, self.free, one) for index in takings(one, name))
        ]

    @cached_property
    def binders(self) -> Mapping[tuple[Scope, str], Sequence[ast.AST]]:
        """By scope and name, what binds it; a loop has its head alone."""
        found: dict[tuple[Scope, str], list[ast.AST]] = {}
        for one in self.free:
            for name in one.bound:
                found.setdefault((one.scope, name), []).append(one.node)
        return found

    @cached_property
    def given(self) -> Mapping[Scope, frozenset[str]]:
        """By function that the file itself never calls, the names of what it is given, parts of that in loops too."""
        called = {name for one in self.free for name in one.called}
        found: dict[Scope, set[str]] = {}
        made: set[tuple[Scope, str]] = set()
        for one in self.free:
            if isinstance(one.node, FUNCTION) and one.node.name not in {*called, "forward", "__init__", "__call__"}:
                found[*one.scope, one.node.name] = {*one.parameters} - {"self", "cls"}
            elif (names := found.get(one.scope)) and isinstance(one.node, ast.For):
                names |= one.bound if root_of(one.node.iter) in names else set()
            elif names and isinstance(one.node, ast.Assign):
                views = {name for name, value in named(one) if root_of(value) in names}
                names |= views
                made |= {(one.scope, name) for name in one.bound - views}
        return {scope: frozenset(name for name in names if (scope, name) not in made) for scope, names in found.items()}

    @cached_property
    def fields(self) -> Mapping[str, frozenset[str]]:
        """By class, the names that it only declares, or gives a constant."""
        found: dict[str, frozenset[str]] = {}
        for one in self.free:
            if one.scope and (name := field_of(one)):
                found[one.scope[-1]] = found.get(one.scope[-1], frozenset()) | name
        return found


_FIELDS = re.compile(r"(^|\.)(namedtuple|NamedTuple|TypedDict)$")
"""What makes a class with fields and nothing else."""
Rule = Callable[[Unit, Guards, Child], Iterator[str]]


def child_of(units: Sequence[Unit], guards: Guards, protected: Sequence[Unit]) -> Child:
    """Return a file with what its names stand for.

    Args:
        protected: those that are protected.
    """
    imports: dict[str, str] = {}
    modules: set[str] = set()
    for one in units:
        match one.node:
            case ast.Import(names=[alias]):
                modules.add(alias.asname or alias.name.partition(".")[0])
                imports[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
            case ast.ImportFrom(module=module, names=[alias]):
                imports[alias.asname or alias.name] = f"{module or ''}.{alias.name}"
    for _ in range(3):  # of aliases of aliases
        imports |= {name: root for one in units for name, root in _aliases(one, imports)}
    local: dict[Scope, frozenset[str]] = {}
    for one in units:
        inner = (*one.scope, getattr(one.node, "name", ""))
        local[inner] = local.get(inner, frozenset()) | one.parameters
        if one.scope and not isinstance(one.node, ast.Global | ast.Nonlocal):
            local[one.scope] = local.get(one.scope, frozenset()) | one.bound - guards.bound.get(one.scope, frozenset())
    handed = {
        scope: frozenset(name for name in names if (scope, name) not in guards.changed)
        for scope, names in handed_on(units, guards.bound).items()
    }
    last = {one.scope: one.line for one in protected}
    fixed = {id(one) for one in protected}
    free = [one for one in units if id(one) not in fixed]
    loops = [one.repeated for one in protected if isinstance(one.node, ast.For)]
    return Child(
        free=free,
        imports=imports,
        modules=frozenset(modules),
        classes=class_scopes(units),
        bases=_bases(free, units, imports),
        functions=frozenset(one.node.name for one in units if isinstance(one.node, FUNCTION)),
        local=local,
        last=last,
        loops=loops,
        begun=_begun(protected),
        parts=guards.parts,
        drawn=_drawn(protected, guards),
        drawing={
            name: frozenset(part for one in units if name in one.read for part in one.scope)
            for name in guards.generators
        },
        handed=handed,
    )


def field_of(unit: Unit) -> frozenset[str]:
    """Return the name that a unit only declares, or gives a constant: `mean: float`, which nothing can call."""
    match unit.node:
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant() | None):
            return frozenset({name})
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant()):
            return frozenset({name})
    return frozenset()


def _bases(free: Sequence[Unit], units: Sequence[Unit], imports: Mapping[str, str]) -> dict[Scope, list[str]]:
    classes = {one.node.name: one.node.bases for one in units if isinstance(one.node, ast.ClassDef)}
    given = {
        name: one.node.value for one in units if isinstance(one.node, ast.Assign) for name in one.bound - set(classes)
    }
    found: dict[Scope, list[str]] = {}
    for one in free:
        if isinstance(one.node, ast.ClassDef):
            found.setdefault((*one.scope, one.node.name), []).extend(_kinds(one.node.bases, classes, given, imports))
    return found


def _kinds(
    bases: Sequence[ast.expr],
    classes: Mapping[str, Sequence[ast.expr]],
    given: Mapping[str, ast.expr],
    imports: Mapping[str, str],
) -> Iterator[str]:
    """Yield the names of base classes: their own, and those of what they derive from or stand for."""
    waiting, known = [*bases], set[str]()
    while waiting:
        base = waiting.pop()
        if (written := ast.unparse(base)) in known:
            continue
        known.add(written)
        yield written
        match base:
            case ast.Name(id=name) if name in classes:
                waiting += classes[name]
            case ast.Name(id=name) if name in given:
                waiting.append(given[name])
            case ast.Name(id=name) if name in imports:
                yield imports[name]
            case ast.Name(id=name) if name not in BUILTINS:
                yield UNKNOWN
            case ast.Subscript(value=inner):
                waiting.append(inner)
            case ast.Call(func=function) if not _FIELDS.search(ast.unparse(function)):
                yield UNKNOWN


def _begun(protected: Sequence[Unit]) -> dict[tuple[Scope, str], int]:
    found: dict[tuple[Scope, str], int] = {}
    read: set[tuple[Scope, str]] = {((), name) for one in protected if one.scope for name in one.read}
    for one in protected:
        read |= {(one.scope, name) for name in one.read}
        if isinstance(one.node, ast.Assign | ast.For) and not one.chain:
            keys = ((one.scope, name) for name in one.bound)
            found |= {key: one.line for key in keys if key not in read and key not in found}
        read |= {(one.scope, name) for name in one.bound}
    return found


def _drawn(protected: Sequence[Unit], guards: Guards) -> dict[tuple[Scope, str], int]:
    drawing = {(one.scope[-1], name) for one in protected if one.scope for name in one.read & guards.generators}
    return {
        (one.scope, name): one.line
        for one in protected
        if isinstance(one.node, ast.Assign) and one.bound & (guards.whole | guards.data)
        for name in guards.generators
        if name in one.read or any((function, name) in drawing for function in one.read)
    }


def _aliases(unit: Unit, imports: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the names that a unit gives to imported modules or to parts of them."""
    match unit.node:
        case ast.Assign(targets=targets, value=value):
            pass
        case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.For(target=target, iter=value):
            targets = [target]
        case _:
            return
    several = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
    for one in several:
        if isinstance(one, ast.Name | ast.Attribute) and (root := root_of(one)) in imports and root is not None:
            named = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
            yield from ((name, imports[root]) for name in named if name not in imports)

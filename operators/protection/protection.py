"""Compares a source with generation 0: what is protected there must stand unchanged, and hold, in every individual.

Syntax trees are compared, so comments and layout may change, but for the marks. Two things are checked: that the
protected units stand where they stood, in their order and under the same conditions; and that no unit that generation 0
lacks undermines them (`operators.protection.rules`).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from operators.protection.child import child_of
from operators.protection.entries import items_in, select
from operators.protection.forging import Reported, forges
from operators.protection.guards import Guards, guards_of
from operators.protection.items import item_at, item_changes
from operators.protection.marks import Mark, UnbalancedMarks, fixed_lines, marks_of
from operators.protection.modules import imports_of, none_of_the_usual
from operators.protection.rules import CHANGES_GIVEN, RULES, WAYS
from operators.protection.units import DEFINITION, Scope, Unit, is_import, lines_of, units_of
from trainer.errors import ConfigError
from trainer.genome import marked_lines, split
from trainer.languages import PYTHON, Language, language_of
from trainer.source_text import UNREADABLE, parse

_SHOWN_CHARACTERS = 100
_FILES_KEPT = 16
"""Parents are asked for again and again, and read in tens of milliseconds."""
_Item = tuple[str, Scope, ast.expr]
"""A protected item of a table: the entry that names it, the path to it, and its value."""
Placed = tuple[tuple[Scope, str], tuple[str, ...]]


@dataclass(frozen=True)
class _File:
    """What is known of one file of generation 0.

    Attributes:
        language: what it is written in.
        kept: the protected units, imports left out, by scope.
        keys: what identifies protected units.
        closed: scopes in which everything is protected.
        marks: the words of its marks.
        regions: the units between marks, one list for each part.
        known: how often each unit stands in it.
        heads: what is said of the functions and classes around protected statements, but for parameters.
        behind: protected returns that read what the protected statement directly before them reads, with that one.
        own_ways: what the rules about ways around them say of this file itself, which may go on so in other statements.
    """

    language: Language
    kept: Mapping[Scope, list[Unit]]
    keys: frozenset[tuple[Scope, str]]
    closed: frozenset[Scope]
    marks: Sequence[str]
    regions: Sequence[list[Placed]]
    known: Counter[tuple[Scope, str]]
    heads: Mapping[Scope, list[str]]
    behind: Mapping[tuple[Scope, str], tuple[Scope, str]]
    own_ways: frozenset[str]
    guards: Guards


class Protection:
    """The protected code of a task.

    Args:
        source: of generation 0.
        names: of the files that a genome consists of.
        entries: `task.protect`.
        reported: where the objectives are read.
        modules: names of the files and folders beside it; it may import folders, and what generation 0 imports.

    Raises:
        ConfigError: an entry names nothing, or the marks of a file do not fit together.
    """

    def __init__(
        self,
        source: str,
        names: Sequence[str],
        entries: Sequence[str],
        reported: Sequence[Reported] = (),
        modules: Sequence[str] = (),
    ) -> None:
        self._names = tuple(names)
        parts = (part.partition(".")[0] for name in (*names, *modules) for part in PurePath(name).parts)
        self._usual = frozenset(map(none_of_the_usual, parts))
        self._others = [dotted for name in modules if name.endswith(".py") and (dotted := _dotted(name)) not in source]
        self._reported = tuple(reported)
        texts = split(source, names)
        units = {name: _units(text, language_of(name)) for name, text in texts.items()}
        self._items = {name: [*items_in(entries, name, several)] for name, several in units.items()}
        named = {entry for several in self._items.values() for entry, _, _ in several}
        chosen = select([one for one in entries if one not in named], units, texts)
        regions = {name: _regions(name, text) for name, text in texts.items()}
        for name, several in units.items():
            chosen[name] |= {place for place, one in enumerate(several) if _holds(regions[name], one.line)}
            chosen[name] = _with_twins(several, chosen[name])
        protected = {name: [one for place, one in enumerate(units[name]) if place in chosen[name]] for name in names}
        self._is_empty = not any((*protected.values(), *regions.values(), *self._items.values()))
        reporting = (one for several in units.values() for one in several if any(forges(one, self._reported)))
        self._is_measured = bool(self._reported) and not any(reporting)  # by another program, in the same process
        self._files = {
            name: _known(
                language_of(name), units[name], chosen[name], _elsewhere(name, protected), texts[name], regions[name]
            )
            for name in names
        }

    def __bool__(self) -> bool:
        """Whether anything is protected."""
        return not self._is_empty

    @property
    def items(self) -> frozenset[str]:
        """The protected items of tables, which may share their lines with others."""
        return frozenset(".".join(path) for several in self._items.values() for _, path, _ in several)

    def violation(self, source: str) -> str | None:
        """Return why a source that parses may not become an individual, None where it may."""
        if self._is_empty and not self._is_measured:
            return None
        for name, text in split(source, self._names).items():
            reason = next(self._violations(self._files[name], text, self._items[name]), None)
            if reason is not None:
                return reason if len(self._names) == 1 else f"{name}: {reason}"
        return None

    def lines(self, source: str) -> Set[int]:
        """Return the lines of a source, from 1, that hold protected code; none where it does not parse."""
        found: set[int] = set()
        if self._is_empty:
            return found
        before = 0
        for name, text in split(source, self._names).items():
            before += bool(marked_lines(source))  # the line that names the file
            found |= {before + line for line in _protected_lines(self._files[name], text, self._items[name])}
            before += text.count("\n")
        return found

    def _violations(self, file: _File, text: str, items: Sequence[_Item]) -> Iterator[str]:
        units = _units(text, file.language)
        for _, path, value in items:
            yield from item_changes(units, [*_new(file, units)], path, value)
        yield from _moved_marks(file, text, units)
        yield from _changed(file, units)
        child = child_of(units, file.guards, [one for one in units if one.key in file.keys])
        usual = file.own_ways | self._usual | (set() if self._is_measured else {CHANGES_GIVEN})
        for one in _new(file, units):
            told = [reason for rule in RULES for reason in rule(one, file.guards, child)]
            ways = [said for rule in WAYS for said in rule(one, file.guards, child) if said not in usual]
            for reason in (*told, *forges(one, self._reported), *ways, *imports_of(one, self._others)):
                yield f"line {one.line}, `{_short(one.code)}`: {reason}"


@lru_cache(maxsize=_FILES_KEPT)
def _units(text: str, language: Language) -> list[Unit]:
    return units_of(parse(text)) if language is PYTHON else lines_of(text)


def _known(
    language: Language,
    units: Sequence[Unit],
    places: Set[int],
    others: Sequence[Unit],
    text: str,
    regions: Sequence[range],
) -> _File:
    protected = [one for place, one in enumerate(units) if place in places]
    defined = {(*one.scope, one.node.name) for one in protected if isinstance(one.node, DEFINITION)}
    keys = {one.key for one in protected}
    closed = frozenset(
        scope for scope in defined if all(one.key in keys for one in units if one.scope[: len(scope)] == scope)
    )
    around = {one.scope[:depth] for one in protected for depth in range(1, len(one.scope) + 1)}
    guards = guards_of(units, places, others)
    itself = child_of(units, guards, ())
    return _File(
        language=language,
        kept=_by_scope(one for one in protected if not is_import(one)),
        keys=frozenset(keys),
        closed=closed,
        marks=[one.word for one in marks_of(text, language)],
        regions=[[_placed(one) for one in units if one.line in lines] for lines in regions],
        known=Counter(one.key for one in units),
        heads={scope: _heads(units, scope) for scope in around},
        behind={
            one.key: before.key
            for before, one in _neighbours(protected, units)
            if before.key in keys and (before.read & one.read) - before.bound
        },
        own_ways=frozenset(said for one in units for rule in WAYS for said in rule(one, guards, itself)),
        guards=guards,
    )


def _moved_marks(file: _File, text: str, units: Sequence[Unit]) -> Iterator[str]:
    marks = marks_of(text, file.language)
    if [one.word for one in marks] != list(file.marks):
        yield f"the marks {_written(marks)} must stand as in generation 0: {', '.join(file.marks)}"
        return
    if not marks:
        return
    for lines, expected in zip(fixed_lines(text, file.language), file.regions, strict=True):
        found = [one for one in units if one.line in lines]
        if [_placed(one) for one in found] != expected:
            kept = {key for key, _ in expected}
            other = next((one for one in found if one.key not in kept), None)
            seen = f"`{_short(other.code)}` in line {other.line}" if other else "something that it lacks or moves"
            yield (
                f"lines {lines.start + 1} to {lines.stop - 1} are marked as fixed, and must stay as in generation 0, "
                f"but there is {seen}"
            )


def _changed(file: _File, units: Sequence[Unit]) -> Iterator[str]:
    """Yield what of the protected units is missing, moved, doubled, or runs under other conditions."""
    found = _by_scope(
        one for one in units if not is_import(one) and (one.key in file.keys or _is_within(one.scope, file.closed))
    )
    for scope, expected in file.kept.items():
        there = found.pop(scope, [])
        if [_placed(one) for one in there] != [_placed(one) for one in expected]:
            yield _difference(scope, expected, there)
    for scope, extra in found.items():
        yield _difference(scope, [], extra)
    for before, one in _neighbours(units, units) if file.behind else ():
        if file.behind.get(one.key, before.key) != before.key:
            yield f"line {one.line}, `{_short(one.code)}`: it must stand directly behind what it relies on"
    for scope, heads in file.heads.items():
        if _heads(units, scope) != heads:
            yield (
                f"`{'.'.join(scope)}` holds protected statements: define it once, with the decorators and base classes "
                "of generation 0"
            )


def _neighbours(chosen: Sequence[Unit], units: Sequence[Unit]) -> Iterator[tuple[Unit, Unit]]:
    """Yield the returns among some units, each with the one before it in its scope."""
    for one in chosen:
        if isinstance(one.node, ast.Return):
            inner = [other for other in units if other.scope == one.scope and other.line < one.line]
            yield from ((before, one) for before in inner[-1:])


def _difference(scope: Scope, expected: Sequence[Unit], there: Sequence[Unit]) -> str:
    where = f" in `{'.'.join(scope)}`" if scope else ""
    counts, wanted = Counter(one.digest for one in there), Counter(one.digest for one in expected)
    for one in there:
        if counts[one.digest] > wanted[one.digest]:
            again = "stands once more than in generation 0" if wanted[one.digest] else "is not in generation 0"
            return f"line {one.line}, `{_short(one.code)}`: protected code{where} must stay as it is, but this {again}"
    for one in expected:
        if wanted[one.digest] > counts[one.digest]:
            return f"`{_short(one.code)}`{where} is protected: restore it exactly as generation 0 has it"
    for one, other in zip(there, expected, strict=True):
        if one.digest != other.digest:
            return f"line {one.line}, `{_short(one.code)}`: protected statements{where} must keep their order"
        if one.chain != other.chain:
            return (
                f"line {one.line}, `{_short(one.code)}`: it is protected{where}, and must run under the conditions of "
                "generation 0; leave the blocks around it as they are"
            )
    return f"the protected code{where} must stay as generation 0 has it"


def _new(file: _File, units: Sequence[Unit]) -> Iterator[Unit]:
    """Yield the units that generation 0 does not have, or not as often."""
    seen: Counter[tuple[Scope, str]] = Counter()
    for one in units:
        seen[one.key] += 1
        if seen[one.key] > file.known[one.key] and not (is_import(one) and _is_known_import(one, file)):
            yield one


def _is_known_import(unit: Unit, file: _File) -> bool:
    """Return whether generation 0 imports the same under the same name, wherever it does."""
    return any(unit.digest == digest for _, digest in file.known)


def _protected_lines(file: _File, text: str, items: Sequence[_Item]) -> Iterator[int]:
    try:
        units = _units(text, file.language)
        regions = fixed_lines(text, file.language) if file.marks else []
    except UNREADABLE:
        return
    for one in units:
        if one.key in file.keys or _is_within(one.scope, file.closed):
            yield from range(one.line, one.end_line + 1)
    for lines in regions:
        yield from lines
    for _, path, _ in items:
        value = item_at(units, path)
        if value is not None and not _holds_more(units, value):
            yield from range(value.lineno, (value.end_lineno or value.lineno) + 1)


def _holds_more(units: Sequence[Unit], value: ast.expr) -> bool:
    """Return whether the first line of a value holds numbers of the same statement that are not its own."""
    own = {id(node) for node in ast.walk(value)}
    numbers = (node for one in units for node in one.nodes if one.line <= value.lineno <= one.end_line)
    return any(
        isinstance(one, ast.Constant)
        and not isinstance(one.value, str)
        and one.lineno == value.lineno
        and id(one) not in own
        for one in numbers
    )


def _regions(name: str, text: str) -> list[range]:
    try:
        return fixed_lines(text, language_of(name))
    except UnbalancedMarks as error:
        raise ConfigError(f"The marks in {name} do not fit together: {error}.") from None


def _with_twins(units: Sequence[Unit], places: Set[int]) -> set[int]:
    """Return the places of units and of those in the same scope with the same code."""
    keys = {units[place].key for place in places}
    return {place for place, one in enumerate(units) if one.key in keys}


def _elsewhere(name: str, protected: Mapping[str, Sequence[Unit]]) -> list[Unit]:
    return [one for other, several in protected.items() if other != name for one in several]


def _heads(units: Sequence[Unit], scope: Scope) -> list[str]:
    """Return how each definition of a scope is decorated and derived."""
    nodes = [one.node for one in units if isinstance(one.node, DEFINITION) and (*one.scope, one.node.name) == scope]
    return [
        " ".join(
            ast.dump(part) for part in (*one.decorator_list, *getattr(one, "bases", ()), *getattr(one, "keywords", ()))
        )
        for one in nodes
    ]


def _by_scope(units: Iterator[Unit]) -> dict[Scope, list[Unit]]:
    found: dict[Scope, list[Unit]] = {}
    for one in units:
        found.setdefault(one.scope, []).append(one)
    return found


def _placed(unit: Unit) -> Placed:
    return unit.key, unit.chain


def _holds(regions: Sequence[range], line: int) -> bool:
    return any(line in lines for lines in regions)


def _is_within(scope: Scope, closed: Set[Scope]) -> bool:
    return any(scope[:depth] in closed for depth in range(1, len(scope) + 1))


def _written(marks: Sequence[Mark]) -> str:
    return f"({', '.join(f'{one.word} in line {one.line}' for one in marks)})" if marks else "that are missing"


def _dotted(name: str) -> str:
    """Return the last name of the module that a file is."""
    return PurePath(name).stem if PurePath(name).stem != "__init__" else PurePath(name).parent.name


def _short(code: str) -> str:
    return code if len(code) <= _SHOWN_CHARACTERS else code[:_SHOWN_CHARACTERS] + "…"


UNPROTECTED = Protection("", ("train.py",), ())
"""Of a task that protects nothing."""

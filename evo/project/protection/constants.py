"""Constants that are protected: judged at the end, by what reads them."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from evo.project.protection.evolving_file import EvolvingFile
from evo.project.protection.flow import Flow
from evo.project.protection.statements import flags_of, is_literal, key_of, paths_of_keys, table_values
from evo.project.protection.words import EVALUATING, SEED, SEEDING, TUNED
from operators.protection.items import item_at
from operators.protection.units import is_import, root_of


def protect_constants(flow: Flow) -> None:
    """Protect the constants that protected code alone reads, and those that name the evaluation."""
    shared = frozenset(flow.shared())
    for file in flow.files.values():
        read = _readers(flow, file, shared)
        _protect_fields(file, read.attributes)
        for place, one in enumerate(file.units):
            if one.scope or place in file.reasons or not is_literal(one):
                continue
            if table_values(one) and one.bound & read.free and not one.bound & read.any_item:
                flow.used_by_both |= one.bound & read.computed  # some of its values are for the evaluation
                continue
            for name in one.bound & read.fixed:
                if not all(is_literal(file.units[at]) for at in file.binders((), name)):
                    continue  # what follows judged it
                if name in read.inside - read.free or name in read.any_item:
                    file.reasons.setdefault(place, "only the evaluation reads it")
                elif EVALUATING.search(name) or (name in read.computed and _is_measured(name)):
                    file.reasons.setdefault(place, "the evaluation reads it")


class _Read(NamedTuple):
    """The names that parts of a file read.

    Attributes:
        fixed: all protected code.
        computed: of that, what neither reports, nor seeds, nor trains.
        inside: of that, the code in functions.
        free: what may change or is shared.
        any_item: the tables of which the code in `computed` takes items that only running tells: `sizes[phase]`.
        attributes: the attributes that the code in `computed` reads, but for those of imports.
        keys: the paths of keys by which it takes items of settings, with the reason why these are protected.
    """

    fixed: set[str]
    computed: set[str]
    inside: set[str]
    free: set[str]
    any_item: set[str]
    attributes: set[str]
    keys: dict[tuple[str, ...], str]


def _readers(flow: Flow, file: EvolvingFile, shared: frozenset[str]) -> _Read:
    read = _Read(set(), set(), set(), set(), set(), set(), {})
    imports = {name for one in file.units if is_import(one) for name in one.bound}
    for place, one in enumerate(file.units):
        reason = file.reasons.get(place)
        is_shared = bool(shared.intersection(one.scope[:1]))
        if reason is None or is_shared:
            read.free.update(one.read)
        if reason is None:
            continue
        read.fixed.update(one.read)
        if reason == SEED and any(map(SEEDING.match, one.called)):
            read.keys.update((keys, SEED) for keys in paths_of_keys(one, imports))
        if one.scope:
            read.inside.update(one.read)
        if not (reason.startswith("reports") or reason == SEED or flow.training & one.called):
            read.computed.update(one.read)
            measured = (keys for keys in paths_of_keys(one, imports) if _is_measured(keys[-1]))
            read.keys.update((keys, "the evaluation reads it") for keys in measured)
            read.any_item.update(
                node.value.id
                for node in one.nodes
                if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and not key_of(node)
            )
            read.attributes.update(
                node.attr for node in one.nodes if isinstance(node, ast.Attribute) and root_of(node) not in imports
            )
    return read


def _is_measured(name: str) -> bool:
    """Return whether a setting that the evaluation reads changes what is measured, by its name."""
    return bool(EVALUATING.search(name)) or not TUNED.search(name)


def measured_keys(flow: Flow) -> dict[tuple[str, ...], str]:
    """Return the paths of keys by which the evaluation or a seed takes items of settings, each with the reason."""
    shared = frozenset(flow.shared())
    return {keys: why for file in flow.files.values() for keys, why in _readers(flow, file, shared).keys.items()}


def measured_items(flow: Flow, keys: Mapping[tuple[str, ...], str]) -> Iterator[tuple[EvolvingFile, str, str]]:
    """Yield the items of dictionaries that such keys take, where others of the same dictionary may change."""
    for file in flow.files.values():
        for place, one in enumerate(file.units):
            for name in one.bound if table_values(one) and place not in file.reasons else ():
                for path, why in (((*one.scope, name, *under), why) for under, why in keys.items()):
                    if item_at(file.units, path) is not None:
                        yield file, ".".join(path), why


def _protect_fields(file: EvolvingFile, computed: Collection[str]) -> None:
    """Protect the flags and the fields of settings that name the evaluation, or that what it computes reads."""
    read = {node.attr for place in file.reasons for node in file.units[place].nodes if isinstance(node, ast.Attribute)}
    for place, one in enumerate(file.units):
        settings = one.bound if file.is_class(one.scope) and is_literal(one) else flags_of(one)
        if any(EVALUATING.search(name) or (name in computed and _is_measured(name)) for name in settings & read):
            file.reasons.setdefault(place, "the evaluation reads it")

"""Constants that are protected: judged at the end, by what reads them."""

from __future__ import annotations

import ast
from collections.abc import Collection
from typing import NamedTuple

from evo.project.protection.evolving_file import EvolvingFile
from evo.project.protection.flow import Flow
from evo.project.protection.statements import calls, flags_of, is_literal, key_of, table_values
from evo.project.protection.words import EVALUATING, SEED, TUNED
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
                elif EVALUATING.search(name) or (name in read.computed and not TUNED.search(name)):
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
    """

    fixed: set[str]
    computed: set[str]
    inside: set[str]
    free: set[str]
    any_item: set[str]
    attributes: set[str]


def _readers(flow: Flow, file: EvolvingFile, shared: frozenset[str]) -> _Read:
    read = _Read(set(), set(), set(), set(), set(), set())
    imports = {name for one in file.units if is_import(one) for name in one.bound}
    for place, one in enumerate(file.units):
        reason = file.reasons.get(place)
        is_shared = bool(shared.intersection(one.scope[:1]))
        if reason is None or is_shared:
            read.free.update(one.read)
        if reason is None:
            continue
        read.fixed.update(one.read)
        if one.scope:
            read.inside.update(one.read)
        if not (reason.startswith("reports") or reason == SEED or flow.training & calls(one)):
            read.computed.update(one.read)
            read.any_item.update(
                node.value.id
                for node in one.nodes
                if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and not key_of(node)
            )
            read.attributes.update(
                node.attr for node in one.nodes if isinstance(node, ast.Attribute) and root_of(node) not in imports
            )
    return read


def _protect_fields(file: EvolvingFile, computed: Collection[str]) -> None:
    """Protect the flags and the fields of settings that name the evaluation, or that what it computes reads."""
    read = {node.attr for place in file.reasons for node in file.units[place].nodes if isinstance(node, ast.Attribute)}
    for place, one in enumerate(file.units):
        settings = one.bound if file.is_class(one.scope) and is_literal(one) else flags_of(one)
        if any(EVALUATING.search(name) or (name in computed and not TUNED.search(name)) for name in settings & read):
            file.reasons.setdefault(place, "the evaluation reads it")

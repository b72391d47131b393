"""What of a genome no individual may change: what is measured, when and how long, found by data flow.

It starts at the statements that report a metric, at the time budget and at the seeds, and goes back over what they
read: variables with their bindings, functions of the genome, constants.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from evo.project.found import Metric, ProtectedCode
from evo.project.modules import Module, Project
from evo.project.protection.constants import measured_items, measured_keys, protect_constants
from evo.project.protection.entries import entries
from evo.project.protection.evolving_file import EvolvingFile
from evo.project.protection.flow import Flow
from evo.project.protection.origins import (
    budget,
    defaults,
    evaluating,
    evaluations,
    hands_on,
    prints,
    reports,
    seeds,
    validations,
)
from evo.project.protection.probabilities import protect_sums
from evo.project.protection.statements import makes_generator
from evo.project.protection.words import REPORTS, SEED
from evo.project.returned import measured_as_probabilities
from operators.protection.units import DEFINITION, is_import, units_of

__all__ = ["REPORTS", "Protected", "protected_code"]


class Protected(NamedTuple):
    """What of a genome no individual may change.

    Attributes:
        entries: for `protect` of evo.toml.
        shared: the functions that evaluation and training share.
        free_share: of the statements, those that may change, from 0 to 1; imports and heads of definitions left out.
        keys: the paths of keys by which what is measured takes items of settings.
        unchecked: functions whose results are measured as probabilities, and that may return others.
        scored: by file, the lines that make what is scored, and no random numbers for anything else.
    """

    entries: tuple[ProtectedCode, ...]
    shared: tuple[str, ...]
    free_share: float
    unchecked: frozenset[str]
    scored: dict[str, set[int]]
    keys: frozenset[tuple[str, ...]]


def protected_code(
    project: Project,
    genome: Sequence[Module],
    metrics: Sequence[Metric],
    instructions: str,
    given: Collection[str] = (),
    returned: Collection[str] = (),
    entry: Module | None = None,
) -> Protected:
    """Return what no individual may change.

    Args:
        metrics: what is optimised; empty where a trusted program reports it.
        instructions: the documentation of the project, which may call constants unchangeable.
        given: flags that the command gives, so that their defaults change nothing.
        returned: functions whose results other files report as they are.
        entry: the program that is started; None where another one measures what it leaves.
    """
    files = {one.name: EvolvingFile(one, units_of(one.tree)) for one in genome}
    flow = Flow(project, files, [one.label for one in metrics])
    reporting = [
        *reports(project, files, metrics),
        *evaluations(project, files, metrics),
        *evaluating(files, returned),
    ]
    reporting = [*(reporting or prints(files, metrics)), *hands_on(files, metrics)]
    for starts in (reporting, validations(files) if metrics else (), budget(files, instructions), seeds(files)):
        flow.protect(starts)
    protect_constants(flow)
    for file, place, reason in defaults(files, given):
        file.reasons.setdefault(place, reason)
    measuring = {name for file in files.values() for place in file.reasons for name in file.units[place].scope}
    probable = measured_as_probabilities(project, entry, genome, measuring) if entry else frozenset()
    unchecked = protect_sums(files, probable)
    scored = {name: set(_scored_lines(file)) for name, file in files.items()}
    keys = measured_keys(flow)
    items = [
        ProtectedCode(item if len(files) == 1 else f"{file.module.name}: {item}", why)
        for file, item, why in measured_items(flow, keys)
    ]
    found = (*entries(files, metrics), *dict.fromkeys(items))
    return Protected(found, flow.shared(), _free_share(files), unchecked, scored, frozenset(keys))


def _scored_lines(file: EvolvingFile) -> Iterator[int]:
    """Yield the lines of protected statements, but those that set a seed for code that may change as well."""
    free = [one for place, one in enumerate(file.units) if place not in file.reasons]
    for place, reason in file.reasons.items():
        one = file.units[place]
        is_drawn_from = makes_generator(one) and any(
            one.bound & other.read for other in free if other.scope[: len(one.scope)] == one.scope
        )
        if reason != SEED and not is_drawn_from:
            yield from range(one.line, one.end_line + 1)


def _free_share(files: Mapping[str, EvolvingFile]) -> float:
    """Return which share of the statements may change."""
    statements = [
        place in file.reasons
        for file in files.values()
        for place, one in enumerate(file.units)
        if not is_import(one) and not isinstance(one.node, DEFINITION)
    ]
    return statements.count(False) / len(statements) if statements else 1.0

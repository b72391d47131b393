"""How protected units are named in `protect` of evo.toml."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from evo.project.found import Metric, ProtectedCode
from evo.project.protection.evolving_file import EvolvingFile
from evo.project.protection.statements import LONGEST_CODE, defaulted
from evo.project.protection.words import BUDGET
from operators.protection.entries import select
from operators.protection.units import FUNCTION
from trainer.errors import ConfigError


def entries(files: Mapping[str, EvolvingFile], metrics: Sequence[Metric]) -> tuple[ProtectedCode, ...]:
    """Return an entry for each protected part, in the order of the source."""
    found: dict[str, str] = {}
    several = len(files) > 1
    for name, file in files.items():
        covered: set[int] = set()
        for place in sorted(file.reasons):
            if place in covered:
                continue
            for text in _texts(file, place, metrics):
                chosen = _chosen(text, file)
                if place in chosen and chosen <= set(file.reasons):
                    covered |= chosen
                    found.setdefault(f"{name}: {text}" if several else text, file.reasons[place])
                    break
    return tuple(ProtectedCode(name, reason) for name, reason in found.items())


def _texts(file: EvolvingFile, place: int, metrics: Sequence[Metric]) -> Iterator[str]:
    if file.reasons[place].startswith("reports"):
        texts = file.units[place].texts
        labels = (one.label for one in metrics if one.pattern and any(one.label in text for text in texts))
        yield from (f"print {label}" for label in labels)
    yield from _names(file, place)


def _names(file: EvolvingFile, place: int) -> Iterator[str]:
    """Yield texts that could name a unit in `protect`, the most readable first."""
    one = file.units[place]
    around = ".".join(one.scope)
    code = one.code.rstrip(":")
    scope = f"{around}: " if around else ""
    if isinstance(one.node, ast.While | ast.If):
        yield scope + (code if len(code) <= LONGEST_CODE else f"{code[:LONGEST_CODE].rstrip()}…")
    yield from (
        f"{around}.{name}" if around else name for name in sorted(one.bound, key=lambda name: (len(name) < 2, name))
    )
    inner = ".".join((*one.scope, getattr(one.node, "name", "")))
    yield from (f"{inner}.{name}" for name in sorted(one.parameters) if BUDGET.fullmatch(name))
    if isinstance(one.node, FUNCTION) and file.reasons.keys().isdisjoint(file.in_scope((*one.scope, one.node.name))):
        yield from (f"{inner}.{name}" for name in sorted(defaulted(one.node)))  # its default alone counts
    if len(code) > LONGEST_CODE:
        yield f"{scope}{code[:LONGEST_CODE].rstrip()}…"
    yield scope + code


def _chosen(text: str, file: EvolvingFile) -> set[int]:
    try:
        return select([text], {"": file.units}, {"": file.module.text})[""]
    except ConfigError:
        return set()

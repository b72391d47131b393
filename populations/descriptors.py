"""Descriptors: what the cells of a MAP-Elites archive tell apart, read from the code or taken from what was measured.

    branch      the child of generation 0 that an individual descends from, along its first parents
    depth       how many layers deep the program says it is
    optimizer   the kinds of optimizers that it makes
    distance    how far its code is from generation 0's (`populations.similarity`)
    NAME        the value of the constant `NAME` at the top of the program
    anything    that is measured: `parameters`, an objective

Numbers are placed relative to generation 0, in whose cell they begin: a cell is a doubling wide, so that noise seldom
moves an individual, and the ranges need not be known beforehand. Distances, which are shares, divide [0, 1] evenly.
"""

from __future__ import annotations

import ast
import contextlib
import math
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TypeAlias

from populations.diversity import read_program
from populations.similarity import distance
from trainer.source_text import literal_value

Cell: TypeAlias = tuple[int | str, ...]
"""A place along each of some descriptors."""

BRANCH, DEPTH, OPTIMIZER, DISTANCE = "branch", "depth", "optimizer", "distance"
FROM_CODE = (BRANCH, DEPTH, OPTIMIZER, DISTANCE)
_CONSTANT = re.compile(r"[A-Z][A-Z0-9_]*")
_DEPTH_NAME = re.compile(r"(?:N_|NUM_)?(?:DEPTH|LAYERS?|BLOCKS?)(?:_(?:CPU|CUDA|MPS))?")
_TORCH_OPTIMIZERS = frozenset(
    {"ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LBFGS", "Muon", "NAdam", "RAdam"}
    | {"RMSprop", "Rprop", "SGD", "SparseAdam"}
)
"""The classes of `torch.optim`."""


@dataclass(frozen=True, slots=True)
class Described:
    """What descriptors are about: one individual.

    Attributes:
        branch: see above; 0 for generation 0.
        measured: means by name.
    """

    source: str
    branch: int
    measured: Mapping[str, float]


class Descriptors:
    """Finds the cell of an individual.

    Args:
        names: of the descriptors, as in the head of this file.
        bins: cells along a descriptor that is a number; generation 0 is in the middle of those of its doubling, and
            whatever lies beyond the ends counts to the last ones.
        is_idle: whether a constant of this name has no effect in this run.
    """

    def __init__(self, names: Sequence[str], bins: int = 7, is_idle: Callable[[str], bool] = lambda _: False) -> None:
        self.names = tuple(names)
        self._bins = bins
        self._is_idle = is_idle

    @property
    def read_code(self) -> bool:
        """Whether any of them needs the sources."""
        return any(name in (DEPTH, OPTIMIZER, DISTANCE) or _CONSTANT.fullmatch(name) for name in self.names)

    def cell(self, individual: Described, generation_zero: Described) -> Cell:
        """Return where an individual belongs."""
        return tuple(self._place(name, individual, generation_zero) for name in self.names)

    def _place(self, name: str, one: Described, zero: Described) -> int | str:
        if name == BRANCH:
            return one.branch
        if name == DISTANCE:
            return min(int(distance(one.source, zero.source) * self._bins), self._bins - 1)
        value, reference = self._value(name, one), self._value(name, zero)
        if isinstance(value, float) and isinstance(reference, float):
            return self._doublings(value, reference)
        return str(value)

    def _doublings(self, value: float, reference: float) -> int:
        """Return how many doublings a number lies above generation 0's, and the lowest cell where it cannot."""
        lowest, highest = -(self._bins // 2), (self._bins - 1) // 2
        if value == reference:
            return 0
        ratio = value / reference if reference else 0.0
        return min(max(round(math.log2(ratio)), lowest), highest) if 0 < ratio < math.inf else lowest

    def _value(self, name: str, one: Described) -> float | str | None:
        """Return the value of a descriptor that is a number or a word; None where the individual has none."""
        if name == DEPTH:
            return float(depth(one.source, self._is_idle))
        if name == OPTIMIZER:
            return "+".join(optimizers(one.source))
        if not _CONSTANT.fullmatch(name):
            return one.measured.get(name)
        value = _constants(read_program(one.source).tree).get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return repr(value)
        return float(value) if abs(value) <= sys.float_info.max else math.inf


def is_descriptor(name: str, measured: Collection[str]) -> bool:
    """Return whether there is a descriptor of this name for a task that measures `measured`."""
    return name in FROM_CODE or name in measured or _CONSTANT.fullmatch(name) is not None


def depth(source: str, is_idle: Callable[[str], bool] = lambda _: False) -> int:
    """Return how many layers a program has, at least 1, as far as its text says.

    It is the largest whole constant at the top whose name says so, such as `DEPTH`, `N_LAYER` or `NUM_BLOCKS_CPU`,
    idle ones excepted; without any, how many modules the program makes of classes that it defines.
    """
    tree = read_program(source).tree
    stated = [
        value
        for name, value in _constants(tree).items()
        if isinstance(value, int) and _DEPTH_NAME.fullmatch(name) and not is_idle(name)
    ]
    if stated:
        return max(1, *stated)
    modules = _descendants(tree, {"Module"})
    return max(1, sum(name in modules for name in _calls(tree)))


def optimizers(source: str) -> tuple[str, ...]:
    """Return the kinds of optimizers that a program makes, by name: torch's and its own."""
    tree = read_program(source).tree
    known = _TORCH_OPTIMIZERS | _descendants(tree, {"Optimizer"} | _TORCH_OPTIMIZERS)
    return tuple(sorted(known.intersection(_calls(tree))))


def _constants(tree: ast.Module) -> dict[str, object]:
    """Return the literals that names are bound to at the top, the last of each name."""
    found: dict[str, object] = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as node)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as node)
            ):
                with contextlib.suppress(ValueError):
                    found[name] = literal_value(node)
    return found


def _descendants(tree: ast.Module, roots: AbstractSet[str]) -> set[str]:
    """Return the names of the classes of a program that inherit from one of `roots`, directly or not."""
    definitions = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    classes = {definition.name: {last_name(base) for base in definition.bases} for definition in definitions}
    found: set[str] = set()
    while more := {name for name, bases in classes.items() if name not in found and bases & (roots | found)}:
        found |= more
    return found


def _calls(tree: ast.Module) -> list[str]:
    """Return the last names of what is called in a program: `AdamW` of `torch.optim.AdamW(…)`."""
    return [last_name(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]


def last_name(node: ast.expr) -> str:
    """Return the name of a name or of an attribute, else an empty text: `AdamW` of `torch.optim.AdamW`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""

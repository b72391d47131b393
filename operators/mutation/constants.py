"""Random mutation of constants: each number moves on the scale it lives on (`operators.source.search_space`)."""

from __future__ import annotations

from random import Random

from operators.attempts import Draft, Mutation
from operators.proposal import NoOffspring
from operators.protection import UNPROTECTED, Protection
from operators.source.constants import (
    Constant,
    Value,
    find_constants,
    is_for_another_device,
    replace_constants,
    written,
)
from operators.source.search_space import dimensions_of, values_of

_COUNT_WEIGHTS = (4, 2, 1)
"""Odds of changing one, two or three constants: mostly one, so that a gain can be traced to its cause."""


class ConstantMutation(Mutation):
    """Changes one to three constants of its parent.

    Args:
        device: kind of device that the run trains on, such as `cpu`. Constants whose names speak of other kinds stay,
            since to change them changes nothing that could be measured. Empty where the kind is not known.
    """

    name = "constants"

    def __init__(self, device: str = "") -> None:
        self._device = device

    def mutate(self, source: str, random: Random, protection: Protection = UNPROTECTED) -> Draft:
        """Change one to three constants of `source`.

        Raises:
            NoOffspring: it has no number, boolean or choice among its constants.
        """
        fixed = protection.lines(source)
        found = find_constants(source).values()
        free = [one for one in found if one.line not in fixed and one.name not in protection.items]
        movable = [constant for constant in free if self._matters(constant)]
        if not movable:
            raise NoOffspring("constants: the parent has no top-level `UPPER_CASE = number`, flag or default to change")
        count = random.choices((1, 2, 3), _COUNT_WEIGHTS)[0]
        chosen = random.sample(movable, min(count, len(movable)))
        values = {constant.name: moved_constant(constant, random) for constant in chosen}
        moves = ", ".join(_move(constant, values[constant.name]) for constant in chosen)
        return Draft(replace_constants(source, values), f"constants: {moves}")

    def _matters(self, constant: Constant) -> bool:
        idle = bool(self._device) and is_for_another_device(constant.name, self._device)
        return bool(dimensions_of(constant)) and not idle


def movable_constants(source: str, protection: Protection) -> set[str]:
    """Return the constants of generation 0 that can have another value, each tried with one near its own.

    Raises:
        SyntaxError: `source` is no Python.
    """
    fixed = protection.lines(source)
    found = find_constants(source)
    free = [one for one in found.values() if one.line not in fixed and dimensions_of(one)]
    random = Random(0)  # noqa: S311 - no secret
    values = {one.name: moved_constant(one, random) for one in free}
    if protection.violation(replace_constants(source, values)) is None:
        return {*values}
    each = {name: replace_constants(source, {name: value}) for name, value in values.items()}
    return {name for name, changed in each.items() if protection.violation(changed) is None}


def moved_constant(constant: Constant, random: Random) -> Value:
    """Return another value near a constant's; of a tuple one number moves."""
    dimension = random.choice(dimensions_of(constant))
    own = {constant.name: constant.value}
    return values_of([dimension], (dimension.moved(dimension.own, random),), own)[constant.name]


def _move(constant: Constant, value: Value) -> str:
    return f"{constant.name} {constant.text} → {written(value, constant)}"

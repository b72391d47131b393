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
        movable = [constant for constant in found if constant.line not in fixed and self._matters(constant)]
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


def moved_constant(constant: Constant, random: Random) -> Value:
    """Return another value near a constant's; of a tuple one number moves."""
    dimension = random.choice(dimensions_of(constant))
    own = {constant.name: constant.value}
    return values_of([dimension], (dimension.moved(dimension.own, random),), own)[constant.name]


def _move(constant: Constant, value: Value) -> str:
    return f"{constant.name} {constant.text} → {written(value, constant)}"

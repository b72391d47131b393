"""Random mutation of constants: each number moves on the scale it lives on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from operators.attempts import Draft, Mutation
from operators.proposal import NoOffspring
from operators.protection import UNPROTECTED, Protection
from operators.source.constants import (
    LARGEST_NUMBER,
    Constant,
    Number,
    Range,
    Value,
    find_constants,
    is_for_another_device,
    replace_constants,
    written,
)
from operators.source.search_space import ranged

_COUNT_WEIGHTS = (4, 2, 1)
"""Odds of changing one, two or three constants: mostly one, so that a gain can be traced to its cause."""
_SMALLEST_LOG_STEP = 0.1
_LOG_STEP = 0.5
"""Spread of the logarithm of a factor: half of the steps lie between 0.7 and 1.4."""
_SIGNIFICANT_DIGITS = 3
_NEIGHBOUR_SHARE = 0.7
_LARGEST_SMALL_INT = 12
_NEAR_ONE = 0.8
_RANGE_STEP = 0.15
"""Spread of a step in a range that a comment names, as a share of it."""
_SMALLEST_RANGE_STEP = 0.03


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
            raise NoOffspring("constants: the parent has no top-level `UPPER_CASE = number` to change")
        count = random.choices((1, 2, 3), _COUNT_WEIGHTS)[0]
        chosen = random.sample(movable, min(count, len(movable)))
        values = {constant.name: moved_constant(constant, random) for constant in chosen}
        moves = ", ".join(_move(constant, values[constant.name]) for constant in chosen)
        return Draft(replace_constants(source, values), f"constants: {moves}")

    def _matters(self, constant: Constant) -> bool:
        idle = bool(self._device) and is_for_another_device(constant.name, self._device)
        return (len(constant.choices) > 1 or _movable(constant.value)) and not idle


def moved_constant(constant: Constant, random: Random) -> Value:
    """Return another value near a constant's, among the choices or in the range that its comment names."""
    if constant.range is None or not isinstance(constant.value, int | float):
        return moved(constant.value, random, constant.choices)
    return _moved_in_range(constant.name, constant.value, constant.range, random)


def _move(constant: Constant, value: Value) -> str:
    return f"{constant.name} {constant.text} → {written(value, constant)}"


def _movable(value: Value) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return not any(isinstance(number, str) or abs(number) > LARGEST_NUMBER for number in numbers)


def moved(value: Value, random: Random, choices: Sequence[Value] = ()) -> Value:
    """Return another value near `value`, of the same type; strings without choices stay as they are."""
    if len(choices) > 1:
        return _chosen(value, random, choices)
    match value:
        case bool():
            return not value
        case int():
            return _moved_int(value, random)
        case float():
            return _moved_float(value, random)
        case tuple():
            index = random.randrange(len(value))
            return (*value[:index], _moved_number(value[index], random), *value[index + 1 :])
    return value


def _chosen(value: Value, random: Random, choices: Sequence[Value]) -> Value:
    """Return another choice: of numbers mostly the next one up or down, of anything else each as likely."""
    if isinstance(value, int | float) and not isinstance(value, bool) and random.random() < _NEIGHBOUR_SHARE:
        ordered = sorted(choices, key=lambda choice: choice if isinstance(choice, int | float) else 0)
        place = ordered.index(value)
        return random.choice(ordered[max(0, place - 1) : place] + ordered[place + 1 : place + 2])
    return random.choice([choice for choice in choices if choice != value])


def _moved_in_range(name: str, value: Number, limits: Range, random: Random) -> Number:
    """Return another number in a range, a step away on the range's scale; at an end the step goes inwards."""
    dimension = ranged(name, limits, is_integer=isinstance(value, int))
    step = random.gauss(0, _RANGE_STEP)
    step = math.copysign(max(abs(step), _SMALLEST_RANGE_STEP), step)
    if not 0 <= dimension.to_unit(value) + step <= 1:
        step = -step
    number = dimension.from_unit(dimension.to_unit(value) + step)
    if number != value:
        return number
    nearest = value + math.copysign(1, step) if isinstance(value, int) else limits.high if step > 0 else limits.low
    return int(nearest) if isinstance(value, int) else nearest


def _moved_number(value: Number, random: Random) -> Number:
    return _moved_int(value, random) if isinstance(value, int) else _moved_float(value, random)


def _moved_int(value: int, random: Random) -> int:
    """Small counts step by one or double, powers of two stay powers of two, the rest moves by a factor."""
    if value < 0:
        return -_moved_int(-value, random)
    if value == 0:
        return 1
    if value <= _LARGEST_SMALL_INT:
        return random.choice(sorted({value - 1, value + 1, value * 2, value // 2} - {value, 0}))
    if value.bit_count() == 1:
        return random.choice((value // 2, value * 2))
    grain = _grain(value)
    steps = round(value * _factor(random) / grain)
    if steps * grain == value:
        steps += random.choice((-1, 1))
    return max(1, steps) * grain


def _grain(value: int) -> int:
    """Return what a new value should be a multiple of: 384 stays a multiple of 128, 3,000 one of 100."""
    power_of_two = value & -value
    if power_of_two**2 >= value / 4:
        return power_of_two
    return int(10 ** max(0, math.floor(math.log10(value)) - 1))


def _moved_float(value: float, random: Random) -> float:
    if value < 0:
        return -_moved_float(-value, random)
    if value == 0:
        return _rounded(10 ** random.uniform(-3, -0.5), 1)
    if _NEAR_ONE <= value < 1:  # decays and momenta live on the scale of their distance from one
        distance = 1 - value
        nearer = 1 - _rounded(min(distance * _factor(random), 0.9), 2)
        return _rounded(nearer, 12)
    return _rounded(value * _factor(random), _SIGNIFICANT_DIGITS)


def _factor(random: Random) -> float:
    """Draw a factor whose logarithm is normal, but for the steps too small to matter."""
    step = random.gauss(0, _LOG_STEP)
    return math.exp(math.copysign(max(abs(step), _SMALLEST_LOG_STEP), step))


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")

"""How a constant moves: its scale, its grain, its bounds. Mutation and tuning share this model.

A dimension is one number, boolean or choice of a program; a tuple has one for each of its numbers. It knows places:
numbers on the scale that it lives on, in steps, so that a move of one step is a usual change in every dimension.

    linear    where a comment names a range, unless it calls it logarithmic; a step is a share of the range
    log       everything else; a step is a factor of 1.65, and the sign stays
    fraction  a number between 0 and 1 that is no rate or scale by its name: log(x / (1 - x)), so that 0.99 is as far
              from 0.95 as 0.01 from 0.05, and no step leaves the interval
    choice    booleans, and what a comment lists

Integers keep their grain: powers of two stay powers of two or, rarely, become one and a half of one; 384 stays a
multiple of 128 and 3,000 one of 100. Where nothing names a range there is none: a search widens where its best points
lead. What else does not work is learnt from failures (`operators.source.feasibility`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeGuard

from operators.source.constants import LARGEST_NUMBER, Constant, Number, Range, Value
from operators.source.literals import is_number

Point = tuple[Value, ...]
"""Values of all dimensions, in their order."""

_STEP = 0.5
"""Of a logarithm: a factor of 1.65."""
_RANGE_STEP = 0.15
"""As a share of a range that a comment names."""
_SMALLEST_MOVE = 0.2
"""In steps; less is lost in the noise."""
_REACH = 8.0
"""Factor, on either side of a number, of the range that is guessed for optimisers that need one."""
_NEAR_ONE = 0.8
_NEAREST_TO_ONE = 1 - 1e-9
_LEAST_FRACTION = 1e-3
_LEAST_NUMBER = 1e-3
"""Where zero stands on a logarithmic scale, with floats; with integers it is half of one."""
_SMALLEST_NUMBER = 1e-300
"""Logarithms of less are those of rounding."""
_LARGEST_COUNT = 12
"""Integers up to here move by ones."""
_HALF_STEP_SHARE = 0.2
"""Of the moves of a power of two, how many may end between two of them."""
_NEIGHBOUR_SHARE = 0.7
_WORD = re.compile(r"[a-z]+")
_FRACTIONS = frozenset(
    {
        "beta",
        "betas",
        "momentum",
        "ema",
        "dropout",
        "prob",
        "probability",
        "frac",
        "fraction",
        "ratio",
        "share",
        "warmup",
        "warmdown",
        "cooldown",
    }
)
"""Words of names whose numbers, where they are between 0 and 1, stay there."""
_SCALES = frozenset(
    {
        "lr",
        "rate",
        "scale",
        "std",
        "gain",
        "init",
        "coef",
        "coefficient",
        "weight",
        "mult",
        "multiplier",
        "factor",
        "clip",
        "temperature",
    }
)
"""Words of names whose numbers may well be larger than 1."""


class Scale(StrEnum):
    """What steps of a dimension mean."""

    LINEAR = "linear"
    LOG = "log"
    FRACTION = "fraction"
    """The logarithm of the odds."""
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One number, boolean or choice.

    Attributes:
        own: its value in the program.
        scale: what steps mean.
        low: smallest value of a number.
        high: largest value of a number.
        is_integer: whether a number is whole.
        choices: what a choice is among, numbers in their order.
        is_named: whether a comment names the range.
        element: where in a tuple it stands; None where the constant is no tuple.
    """

    name: str
    own: Value
    scale: Scale
    low: float = -math.inf
    high: float = math.inf
    is_integer: bool = False
    choices: tuple[Value, ...] = ()
    is_named: bool = False
    element: int | None = None

    @property
    def is_ordered(self) -> bool:
        """Whether neighbouring values are alike, as numbers are."""
        return self.scale is not Scale.CHOICE or (
            len(self.choices) > 2 and not any(isinstance(one, str | bool) for one in self.choices)
        )

    def holds(self, value: Value) -> bool:
        """Return whether a value is one of the choices, or a number in the range where a comment names that."""
        if self.scale is Scale.CHOICE:
            return value in self.choices
        return is_number(value) and (not self.is_named or self.low <= value <= self.high)

    def place(self, value: Value) -> float:
        """Return where a value stands, in steps; of a choice its number among the others."""
        if self.scale is Scale.CHOICE:
            return float(self.choices.index(value))
        assert isinstance(value, int | float)  # noqa: S101 - no dimension has other values
        return self._stretched(value) / self.step

    def at(self, place: float, like: Value | None = None, *, half: bool = False) -> Value:
        """Return the value nearest to a place.

        Args:
            place: in steps.
            like: a value whose grain it keeps; the program's own without it.
            half: whether it may lie between two powers of two.
        """
        if self.scale is Scale.CHOICE:
            return self.choices[round(min(len(self.choices) - 1.0, max(0.0, place)))]
        like = self.own if like is None else like
        assert isinstance(like, int | float)  # noqa: S101 - as above
        number = self._number(place)
        sign = -1 if like < 0 and self.scale is Scale.LOG and not self.is_named else 1
        if not self.is_integer:
            return sign * self._inside(self._rounded(number))
        return sign * self._whole(number, abs(int(like)), half=half)

    def moved(self, value: Value, random: Random, size: float = 1.0) -> Value:
        """Return another value near one; the same only where there is no other.

        `size` is the standard deviation of the move, in steps.
        """
        if self.scale is Scale.CHOICE:
            return _chosen(value, random, self.choices, is_ordered=self.is_ordered)
        assert isinstance(value, int | float)  # noqa: S101 - as above
        if value == 0 and not self.is_named:
            return 1 if self.is_integer else self._inside(_digits(10 ** random.uniform(-3, -0.5), 1))
        step = random.gauss(0.0, size)
        step = math.copysign(max(abs(step), _SMALLEST_MOVE * size), step)
        half = random.random() < _HALF_STEP_SHARE
        for one in (step, -step):
            there = self.at(self.place(value) + one, value, half=half)
            if there == value:
                there = self._next(value, one > 0, half=half)
            if there != value:
                return there
        return value

    def to_unit(self, value: Value) -> float:
        """Return where a number stands in its range, 0.0 at the low end and 1.0 at the high end; one is guessed."""
        low, high = self._ends()
        return min(1.0, max(0.0, (self.place(value) - low) / (high - low)))

    def from_unit(self, place: float) -> Value:
        """Return the value at a place in the range."""
        low, high = self._ends()
        return self.at(low + min(1.0, max(0.0, place)) * (high - low), half=True)

    def _ends(self) -> tuple[float, float]:
        """Return the first and the last place of its range."""
        if self.scale is Scale.CHOICE:
            return 0.0, len(self.choices) - 1.0
        if self.is_named:
            return self.place(self.low), self.place(self.high)
        reach, here = math.log(_REACH) / _STEP, self.place(self.own)
        if self.own == 0:
            return here, here + 2 * reach
        first = self.place(1) if self.is_integer else -math.inf
        return max(first, here - reach), here + reach

    @property
    def step(self) -> float:
        """Return the length of a step on the scale."""
        if not self.is_named:
            return _STEP
        return _RANGE_STEP * (self._stretched(self.high) - self._stretched(self.low))

    def _stretched(self, value: Number) -> float:
        if self.scale is Scale.LOG:
            least = 0.5 if self.is_integer else _SMALLEST_NUMBER if self.own else _LEAST_NUMBER
            return math.log(min(self.high, LARGEST_NUMBER, max(self.low, least, abs(value))))
        value = min(self.high, max(self.low, value))
        if self.scale is Scale.LINEAR:
            return value
        value = min(_NEAREST_TO_ONE, max(_LEAST_FRACTION, value))
        return math.log(value) - math.log1p(-value)

    def _number(self, place: float) -> float:
        stretched = place * self.step
        if self.scale is Scale.LINEAR:
            return min(self.high, max(self.low, stretched))
        if self.scale is Scale.LOG:
            return math.exp(min(math.log(LARGEST_NUMBER), max(math.log(_SMALLEST_NUMBER), stretched)))
        return 1 / (1 + math.exp(min(50.0, max(-50.0, -stretched))))

    def _rounded(self, number: float) -> float:
        if self.scale is Scale.FRACTION and number > 0.5:
            return _digits(1 - _digits(1 - number, 2), 12)
        return _digits(number, 2 if self.scale is Scale.FRACTION else 3)

    def _inside(self, number: float) -> float:
        return float(min(self.high, max(self.low, number)))

    def _whole(self, number: float, like: int, *, half: bool) -> int:
        if self.is_named:
            return min(int(self.high), max(int(self.low), round(number)))
        if _is_power(like):
            exponent = math.log2(max(1.0, number))
            power = 2 ** max(0, round(exponent))
            if not half:
                return int(power)
            near = (power, power * 3 // 4, power * 3 // 2)
            return int(min(near, key=lambda one: abs(math.log2(max(1, one)) - exponent)))
        grain = _grain(like)
        return max(1, round(number / grain)) * grain

    def _next(self, value: Number, is_up: bool, *, half: bool) -> Number:
        """Return the neighbour of a value that a small step does not leave."""
        if not self.is_integer:
            return self.at(self.place(value) + (1 if is_up else -1) * _SMALLEST_MOVE * 2, value)  # type: ignore[return-value]
        size = abs(int(value))
        if self.is_named:
            return min(int(self.high), max(int(self.low), int(value) + (1 if is_up else -1)))
        if _is_power(size):
            size = (size * 3 // 2 if is_up else size * 3 // 4) if half else (size * 2 if is_up else size // 2)
        else:
            size = max(1, size + (1 if is_up else -1) * _grain(size))
        return -size if value < 0 else size


def search_space(constants: Iterable[Constant]) -> tuple[Dimension, ...]:
    """Return the dimensions of constants: of all but texts without choices."""
    return tuple(dimension for constant in constants for dimension in dimensions_of(constant))


def dimensions_of(constant: Constant) -> list[Dimension]:
    """Return the dimensions of one constant: one for each number of a tuple, none where nothing can move."""
    name, value = constant.name, constant.value
    if len(constant.choices) > 1:
        return [Dimension(name, value, Scale.CHOICE, choices=_in_order(constant.choices))]
    if isinstance(value, bool):
        return [Dimension(name, value, Scale.CHOICE, choices=(False, True))]
    if isinstance(value, tuple):
        return [_number(name, one, at) for at, one in enumerate(value) if _is_tunable(one)]
    if not _is_tunable(value):
        return []
    dimension = _number(name, value) if constant.range is None else ranged(name, value, constant.range)
    return [dimension] if dimension.step else []  # a range may be so narrow that it has none


def point_of(space: Sequence[Dimension], values: Mapping[str, Value]) -> Point | None:
    """Return the values of all dimensions; None where one is missing or outside of it."""
    found = []
    for one in space:
        value = values.get(one.name)
        if one.element is not None:
            value = value[one.element] if isinstance(value, tuple) and one.element < len(value) else None
        if value is None or not one.holds(value):
            return None
        found.append(value)
    return tuple(found)


def values_of(space: Sequence[Dimension], point: Point, own: Mapping[str, Value]) -> dict[str, Value]:
    """Return the constants that a point gives values to; `own` completes tuples."""
    values: dict[str, Value] = {}
    for one, value in zip(space, point, strict=True):
        if one.element is None:
            values[one.name] = value
            continue
        whole = values.get(one.name, own[one.name])
        assert isinstance(whole, tuple)  # noqa: S101 - it has elements
        assert isinstance(value, int | float)  # noqa: S101 - as they do
        values[one.name] = (*whole[: one.element], value, *whole[one.element + 1 :])
    return values


def ranged(name: str, value: Number, limits: Range) -> Dimension:
    """Return the dimension of a number whose comment names its range."""
    scale = Scale.LOG if limits.is_log else Scale.LINEAR
    low, high = float(limits.low), float(limits.high)
    return Dimension(name, value, scale, low, high, is_integer=isinstance(value, int), is_named=True)


def _number(name: str, value: Number, element: int | None = None) -> Dimension:
    if isinstance(value, int):
        return Dimension(name, value, Scale.LOG, is_integer=True, element=element)
    if _is_fraction(name, value):
        return Dimension(name, value, Scale.FRACTION, 0.0, _NEAREST_TO_ONE, element=element)
    return Dimension(name, value, Scale.LOG, element=element)


def _is_fraction(name: str, value: float) -> bool:
    if not 0 <= value < _NEAREST_TO_ONE:
        return False
    words = set(_WORD.findall(name.lower()))
    return bool(words & _FRACTIONS) or (value >= _NEAR_ONE and not words & _SCALES)


def _is_tunable(value: Value) -> TypeGuard[Number]:
    return is_number(value) and (value == 0 or _SMALLEST_NUMBER <= abs(value) <= LARGEST_NUMBER)


def _is_power(value: int) -> bool:
    return value > _LARGEST_COUNT and value.bit_count() == 1


def _grain(value: int) -> int:
    """Return what a new value should be a multiple of: 384 stays a multiple of 128, 3,000 one of 100."""
    if value <= _LARGEST_COUNT:
        return 1
    power_of_two = value & -value
    if power_of_two**2 >= value / 4:
        return power_of_two
    return int(10 ** max(0, math.floor(math.log10(value)) - 1))


def _chosen(value: Value, random: Random, choices: Sequence[Value], *, is_ordered: bool) -> Value:
    """Return another choice: of numbers mostly the next one up or down, of anything else each as likely."""
    if is_ordered and random.random() < _NEIGHBOUR_SHARE:
        at = choices.index(value)
        return random.choice([*choices[max(0, at - 1) : at], *choices[at + 1 : at + 2]])
    return random.choice([choice for choice in choices if choice != value])


def _in_order(choices: tuple[Value, ...]) -> tuple[Value, ...]:
    numbers = [one for one in choices if isinstance(one, int | float)]
    return tuple(sorted(numbers)) if len(numbers) == len(choices) else choices


def _digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")

"""The constants of a program as a typed search space: scales, integers, choices.

Ranges come from a comment at a constant (`operators.source.constants`), else from what was tried: an order
of magnitude around all its values among a program's relatives. There a positive number that is neither a small
count nor next to one lives on a logarithmic scale, a number just below one on that of its distance from one, everything
that has choices among these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from operators.source.constants import LARGEST_NUMBER, Constant, Range, Value

_REACH = 8.0
"""How far beyond the tried values a range goes, as a factor."""
_NEAR_ONE = 0.8
_NEAREST_TO_ONE = 1 - 1e-12
_SMALLEST_NUMBER = 1e-300
"""Logarithms of less, or of a distance from one that is less than that of the above, are those of rounding."""
_SIGNIFICANT_DIGITS = 3


class Scale(StrEnum):
    """What steps of a dimension mean."""

    LINEAR = "linear"
    LOG = "log"
    NEAR_ONE = "near one"
    """The logarithm of the distance from one."""
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One constant.

    Attributes:
        low: smallest value of a number.
        high: largest value of a number.
        is_integer: whether a number is whole.
        choices: what a choice is among, numbers in their order.
        is_named: whether a comment names the range.
    """

    name: str
    scale: Scale
    low: float = 0.0
    high: float = 0.0
    is_integer: bool = False
    choices: tuple[Value, ...] = ()
    is_named: bool = False

    @property
    def is_ordered(self) -> bool:
        """Whether neighbouring choices are alike, as numbers are."""
        return len(self.choices) > 2 and not any(isinstance(one, str | bool) for one in self.choices)

    def holds(self, value: Value) -> bool:
        """Return whether a value is one of the choices, or in the range where a comment names that."""
        if self.scale is Scale.CHOICE:
            return value in self.choices
        return not self.is_named or (isinstance(value, int | float) and self.low <= value <= self.high)

    def to_unit(self, value: Value) -> float:
        """Return where a number stands in its range: 0.0 at the low end, 1.0 at the high end."""
        assert isinstance(value, int | float)  # noqa: S101 - choices have no such place
        low, high, place = (self._stretched(one) for one in (self.low, self.high, self._inside(value)))
        return (place - low) / (high - low)

    def from_unit(self, place: float) -> int | float:
        """Return the number at a place in the range."""
        low, high = self._stretched(self.low), self._stretched(self.high)
        value = low + min(1.0, max(0.0, place)) * (high - low)
        if self.scale is Scale.LOG:
            value = math.exp(value)
        elif self.scale is Scale.NEAR_ONE:
            return self._inside(1 - _rounded(math.exp(-value)))
        if self.is_integer:
            return min(int(self.high), max(int(self.low), round(value)))
        return self._inside(_rounded(value))

    def _inside(self, value: float) -> float:
        """Return the nearest number in the range; integers may be larger than any float."""
        return float(min(self.high, max(self.low, value)))

    def _stretched(self, value: float) -> float:
        if self.scale is Scale.LOG:
            return math.log(value)
        return -math.log(1 - value) if self.scale is Scale.NEAR_ONE else value


def search_space(constants: Iterable[Constant], tried: Sequence[Mapping[str, Value]]) -> tuple[Dimension, ...]:
    """Return the dimensions of constants that can be tuned: no texts without choices, no tuples.

    Args:
        constants: of the program.
        tried: values of these constants among its relatives.
    """
    found = (
        _dimension(constant, [one[constant.name] for one in tried if constant.name in one]) for constant in constants
    )
    return tuple(dimension for dimension in found if dimension is not None)


def _dimension(constant: Constant, tried: Sequence[Value]) -> Dimension | None:
    value = constant.value
    if len(constant.choices) > 1:
        return Dimension(constant.name, Scale.CHOICE, choices=_in_order(constant.choices))
    if isinstance(value, bool):
        return Dimension(constant.name, Scale.CHOICE, choices=(False, True))
    if not _is_tunable(value):
        return None
    if constant.range is not None:
        return ranged(constant.name, constant.range, is_integer=isinstance(value, int))
    numbers = [float(one) for one in (value, *tried) if _is_tunable(one)]
    low, high = min(numbers), max(numbers)
    whole = isinstance(value, int)
    if low >= _NEAR_ONE and high <= _NEAREST_TO_ONE and not whole:
        return Dimension(
            constant.name, Scale.NEAR_ONE, 1 - min(1 - _NEAR_ONE, (1 - low) * _REACH), 1 - (1 - high) / _REACH
        )
    if low > 0:
        low = max(1.0, low / _REACH) if whole else low / _REACH
        return Dimension(constant.name, Scale.LOG, low, math.ceil(high * _REACH) if whole else high * _REACH, whole)
    reach = max(abs(low), abs(high), 1.0 if whole else 0.1)
    return Dimension(constant.name, Scale.LINEAR, low - reach if low < 0 else 0.0, high + reach, whole)


def _is_tunable(value: Value) -> TypeGuard[int | float]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return value == 0 or _SMALLEST_NUMBER <= abs(value) <= LARGEST_NUMBER


def ranged(name: str, limits: Range, *, is_integer: bool) -> Dimension:
    """Return the dimension of a number whose comment names its range."""
    scale = Scale.LOG if limits.is_log else Scale.LINEAR
    return Dimension(name, scale, float(limits.low), float(limits.high), is_integer, is_named=True)


def _in_order(choices: tuple[Value, ...]) -> tuple[Value, ...]:
    numbers = [one for one in choices if isinstance(one, int | float)]
    return tuple(sorted(numbers)) if len(numbers) == len(choices) else choices


def _rounded(value: float) -> float:
    return float(f"{value:.{_SIGNIFICANT_DIGITS - 1}e}")

"""The quantities that an evaluation measures, each with its direction and unit, and the bounds that some must keep."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from trainer.errors import ConfigError

_LEAST, _MOST = 1e-3, 1e12
_MOST_DECIMALS = 6
_MOST_COMPARABLE = 1e100
_ROUNDING = 1e-12
"""Of a value: less is no error of it, but what arithmetic leaves of one that is 0."""


def is_comparable(value: float) -> bool:
    """Return whether a value can be a score: a finite one whose square and sums are finite too, as noise takes them."""
    return abs(value) <= _MOST_COMPARABLE


def quantity(value: float, error: float | None = None, *, digits: int | None = None, signed: bool = False) -> str:
    """Return a number with the digits that matter: four decimals below 100, none from 1,000 on.

    What would be 0 then, or longer than one reads, is written with some digits and the power of ten.

    Args:
        error: of the value, which follows behind a ±, with as many decimals; None for none.
        digits: decimals to print instead, more where a small error needs them.
        signed: whether a positive number gets its sign.
    """
    value += 0.0  # of −0, 0
    size, sign = abs(value), "+" if signed else ""
    if error and abs(error) < _ROUNDING * size:
        error = 0.0
    least = _LEAST if digits is None else 10**-digits
    if digits is None:
        is_whole = size.is_integer() and size < 1000 and not error
        digits = 0 if is_whole else 4 if size < 100 else 2 if size < 1000 else 0
    if error and math.isfinite(error):
        needed = -math.floor(math.log10(abs(error)))
        digits = max(digits, min(needed, _MOST_DECIMALS))  # the first digit of the error is seen
        least = 10**-digits if needed > _MOST_DECIMALS else 0.0  # what is below it may be 0
    form = f"{sign}.3g" if 0 < size < least or size >= _MOST else f"{sign},.{digits}f"
    behind = "" if error is None else f" ± {quantity(error, digits=digits)}"
    return f"{value:{form}}".replace("-", "−") + behind


class Direction(StrEnum):
    """Whether smaller or larger values are better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True)
class Objective:
    """One measured quantity of an individual.

    Attributes:
        self_reported: whether the value is what the genome's own program printed, unchecked; else it is measured.
        digits: decimals that are printed; None for those that `quantity` chooses.
        short_unit: the unit beside a number in a line of text; `unit` by default.
    """

    name: str
    direction: Direction
    unit: str
    self_reported: bool = False
    digits: int | None = None
    short_unit: str = ""

    @property
    def weight(self) -> float:
        """-1.0 when minimised, +1.0 when maximised: the sign DEAP gives to a fitness value."""
        return -1.0 if self.direction is Direction.MINIMIZE else 1.0

    @property
    def label(self) -> str:
        """The name with its source where that is not the trusted side: what tables and plots show."""
        return f"{self.name} (self-reported)" if self.self_reported else self.name

    def format(self, value: float, error: float | None = None, *, signed: bool = False) -> str:
        """Return a value, an error of one or a difference of two as `quantity` does, with the digits of this one."""
        return quantity(value, error, digits=self.digits, signed=signed)

    def interval(self, value: float, margin: float, *, signed: bool = False) -> tuple[str, str, str]:
        """Return a value and the ends of the interval around it, with the decimals in which these differ."""

        def shown(one: float) -> str:
            return self.format(one, margin or None, signed=signed).partition(" ± ")[0]

        return shown(value), shown(value - margin), shown(value + margin)


_RELATIONS: dict[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
_CONSTRAINT = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|>=|<|>)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Constraint:
    """A bound on an objective. An individual that breaks it is infeasible: worse than all that keep it, yet measured.

    Attributes:
        relation: `<`, `<=`, `>` or `>=`.
        bound: in the objective's unit.
    """

    name: str
    relation: str
    bound: float

    @classmethod
    def parse(cls, text: str) -> Constraint:
        """Return the constraint that a text such as `peak_vram_mb < 70000` states; raise ConfigError if it is none."""
        match = _CONSTRAINT.fullmatch(text)
        try:
            if match is not None and math.isfinite(bound := float(match[3])):
                return cls(match[1], match[2], bound)
        except ValueError:
            pass
        raise ConfigError(f"must read like `peak_vram_mb < 70000`, but it was {text!r}.")

    def violation(self, objectives: Mapping[str, float]) -> float:
        """Return how far values are beyond the bound, relative to its size unless it is zero; 0.0 where it is kept."""
        value = objectives[self.name]
        if _RELATIONS[self.relation](value, self.bound):
            return 0.0
        # On the bound of a strict relation there is no distance, and still a violation.
        return max(abs(value - self.bound) / (abs(self.bound) or 1.0), 1e-12)

    def __str__(self) -> str:
        return f"{self.name} {self.relation} {self.bound:g}"


CODE_LINES = Objective("code_lines", Direction.MINIMIZE, "lines", digits=0)
PEAK_MEMORY = Objective("peak_memory_mib", Direction.MINIMIZE, "MiB", digits=0)

LANGUAGE_MODEL_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("val_bpb", Direction.MINIMIZE, "bits per byte", digits=4, short_unit="bpb"),
        Objective("tokens_per_second", Direction.MAXIMIZE, "tokens/s", digits=0),
        Objective("train_seconds", Direction.MINIMIZE, "s", digits=1),
        PEAK_MEMORY,
        Objective("parameters", Direction.MINIMIZE, "parameters", digits=0),
        CODE_LINES,
    )
}
"""What the trusted side measures for every genome of the language-model task, by name."""

WITHOUT_NOISE = ("parameters", CODE_LINES.name)
"""What a seed does not change, so that equal values say nothing of it."""

SCRIPT_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (Objective("run_seconds", Direction.MINIMIZE, "s", digits=3), PEAK_MEMORY, CODE_LINES)
}
"""What the trusted side measures for every genome of a script task, beside what the task itself names."""

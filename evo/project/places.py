"""A number with a label in what a program printed, and the expression that reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from evo.project.printed import escaped
from evo.project.wording import Split, unit_before
from trainer.objectives import Direction
from trainer.script.numbers import GROUPED, GROUPING, shape_of

NUMBER = re.compile(
    rf"(?<![\w.@])(?<!\w-)(?:[-+−]?(?:{GROUPED}|\d+(?:_\d{{3}})*\.?\d*|\.\d+)"
    r"(?:[eE][-+]?\d+)?(?!\.?\d|[:A-Za-z]\d)|[nN]a[nN]\b|[-+−]?(?:inf|Infinity)\b)"
)
"""Not a part of a word, of a time or of a version."""
UNIT = re.compile(r"[A-Za-zµ%×]+(?:/[A-Za-z]+)?")
SUFFIX = re.compile(r"[kKMGT]\b")
"""Of thousands, millions and so on."""
MARGIN = re.compile(r"\s*(?:±|\+/-|\+-|\+(?=[\d.]))\s*[\d.,]+(?:[eE][-+]?\d+)?")
"""The error of the number before."""
_SIGNED_NUMBER = r"[-+−]?[\d.,]+(?:[eE][-+]?\d+)?"


@dataclass(frozen=True, slots=True)
class Place:
    """One number with a label in the output.

    Attributes:
        line: its index.
        name: of the objective.
        label: as printed.
        split: told by the words before the label; None if there are none.
        value: the number.
        told: the direction that the unit behind it names; None if it names none.
        patterns: expressions that may read it, the plainest first.
        row: of a table, by its name; empty for any other place.
        unit: beside the number, where the program may choose another one for a larger number.
        settings: what is in brackets behind the label; another metric has others.
    """

    line: int
    name: str
    label: str
    split: Split | None
    value: float
    told: Direction | None
    patterns: tuple[str, ...]
    row: str = ""
    unit: str = ""
    settings: str = ""


def group_for(number: str, rest: str) -> tuple[str, str]:
    """Return the group that reads a number, by what follows it, and the unit where one with others of its kind does."""
    unit, _, per = unit_before(rest).strip().partition("/")
    if shape := shape_of(unit):
        return rf"([\d.,eE+-]+\s*{shape})" + (f"/{per}" if per else ""), f"{unit}/{per}" if per else unit
    if SUFFIX.match(rest):
        return rf"({_SIGNED_NUMBER}[kKMGT]?)", ""
    if re.search(f"[{GROUPING}]", number):
        return rf"([-+−]?[\d{GROUPING}]+\.?\d*)", ""
    if not rest or rest[0].isspace():
        return r"(\S+)", ""
    if rest[0] == "%":
        return r"([^\s%]+)%", ""
    if glued := UNIT.match(rest):
        return rf"({_SIGNED_NUMBER}){escaped(glued[0])}", ""
    if MARGIN.match(rest):
        return rf"({_SIGNED_NUMBER})", ""
    return r"([^\s,;|│┃║)}\]<]+)", ""

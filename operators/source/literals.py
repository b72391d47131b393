"""Literals: what a constant is, what the comment behind it says of it, and how a new value is written in its place."""

from __future__ import annotations

import ast
import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeGuard

from trainer.source_text import UNREADABLE, literal_value

Number = int | float
Value = bool | int | float | str | tuple[Number, ...]

_CHOICES = re.compile(r"[^\n#]*#[^\n]*?\bone of:?\s+([^\n]+)")
_RANGE = re.compile(r"[^\n#]*#[^\n]*?\brange:\s*(\S{1,60})\s+to\s+([^\s,;()]+)[\s,;(]*(log(?:arithmic)?\b)?")
_POWER = re.compile(r"2\s*\*\*\s*\d+")
_LARGEST_EXPONENT = 64
_LISTS_KEPT = 256
"""The comments of a run's genomes are mostly the same ones."""
LARGEST_NUMBER = 2**53
"""Integers up to here are exact as floats; beyond it nothing is tuned."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How a language writes values.

    Attributes:
        brackets: what encloses the numbers of a tuple.
        group: what may stand between digits.
        suffix: an expression for what may follow the digits of a number, such as its type.
        point_in_exponents: whether a number with an exponent is none without a point, as in YAML 1.1.
    """

    true: str = "True"
    false: str = "False"
    brackets: tuple[str, str] = ("(", ")")
    group: str = "_"
    suffix: str = ""
    point_in_exponents: bool = False


PYTHON = Notation()


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number lies, ends included, and whether it moves on a logarithmic scale; whole for integers."""

    low: Number
    high: Number
    is_log: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    """One constant.

    Attributes:
        text: the literal as it is written.
        line: where the literal begins, from 1.
        start: offset of its first byte in the UTF-8 source.
        end: offset past its last byte.
        elements: the elements of a tuple as they are written.
        choices: what its comment says that it is one of, itself among them; empty where there is no such comment.
        range: where its comment says that it lies; None where there is no such comment.
        notation: how its language writes values.
    """

    name: str
    value: Value
    text: str
    line: int
    start: int
    end: int
    elements: tuple[str, ...] = ()
    choices: tuple[Value, ...] = ()
    range: Range | None = None
    notation: Notation = PYTHON


def is_number(value: object) -> TypeGuard[Number]:
    """Return whether a value is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def written(value: Value, like: Constant) -> str:
    """Return a literal for `value` in the manner in which `like` is written; reading it gives `value` exactly.

    Raises:
        ValueError: a number is not finite.
    """
    if _same(value, like.value):
        return like.text
    if not isinstance(value, tuple):
        return literal_text(value, like.text, like.notation)
    texts = [_written_element(number, like, index) for index, number in enumerate(value)]
    opening, closing = like.notation.brackets
    comma = "," if len(texts) == 1 and like.notation is PYTHON else ""
    return f"{opening}{', '.join(texts)}{comma}{closing}"


def _written_element(number: Number, like: Constant, index: int) -> str:
    if not isinstance(like.value, tuple) or index >= len(like.value):
        return literal_text(number, "", like.notation)
    text = like.elements[index]
    return text if _same(number, like.value[index]) else literal_text(number, text, like.notation)


def _same(a: Value, b: Value) -> bool:
    return repr(a) == repr(b)


def literal_text(value: bool | float | str, like: str, notation: Notation = PYTHON) -> str:
    """Return a literal for `value` in the manner of the literal `like`: grouped, scientific, or a power of two.

    Raises:
        ValueError: a number is not finite.
    """
    if isinstance(value, str):
        return _text(value, like, notation)
    if isinstance(value, bool):
        return notation.true if value else notation.false
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"a constant must be a finite number, but the new value was {value}")
    suffix = re.search(f"(?:{notation.suffix})?$", like)
    digits, kind = (like[: suffix.start()], suffix[0]) if suffix else (like, "")
    grouped = notation.group and notation.group in digits
    if isinstance(value, int):
        is_power_of_two = value > 0 and value.bit_count() == 1
        if is_power_of_two and _POWER.fullmatch(digits):
            return f"2**{value.bit_length() - 1}"
        text = f"{value:_}" if grouped else str(value)
    elif "e" in digits.lower() or "e" in repr(value):
        text = _scientific(value)
        if notation.point_in_exponents and "." not in text:
            text = text.replace("e", ".0e")
    else:
        text = f"{value:_}" if grouped else str(value)
    return text.replace("_", notation.group or "_") + kind


def _text(value: str, like: str, notation: Notation) -> str:
    if notation is not PYTHON:
        quote = like[:1] if like[:1] in ("'", '"') else ""
        return f"{quote}{value}{quote}"
    text = repr(value)
    return f'"{text[1:-1]}"' if '"' not in value else text


def _scientific(value: float) -> str:
    """Return the shortest text like 3e-4 that reads as `value`."""
    shortest = next(text for digits in range(18) if float(text := f"{value:.{digits}e}") == value)
    mantissa, exponent = shortest.split("e")
    return f"{mantissa}e{int(exponent)}"


def blank(constant: Constant) -> str:
    """Return the literal that stands for every value of a constant's kind."""
    notation = constant.notation
    if isinstance(constant.value, tuple):
        return "".join(notation.brackets)
    blanks: dict[type, bool | int | float | str] = {bool: True, int: 0, float: 0.0}
    return literal_text(blanks.get(type(constant.value), ""), "" if notation is PYTHON else '"', notation)


def located(
    name: str,
    value: Value,
    text: str,
    line: int,
    start: int,
    behind: str,
    elements: tuple[str, ...] = (),
    notation: Notation = PYTHON,
) -> Constant:
    """Return a constant with what the rest of its line says of it.

    Args:
        value: that `text` stands for.
        line: where it begins, from 1.
        start: offset of its first byte in the UTF-8 source.
        behind: what follows it in its line.
        elements: of a tuple, as they are written.
    """
    choices = _choices(value, behind)
    limits = None if choices else _range(value, behind)
    end = start + len(text.encode())
    return Constant(name, value, text, line, start, end, elements, choices, limits, notation)


def _choices(value: Value, behind: str) -> tuple[Value, ...]:
    """Return what a comment behind a value lists as its choices; nothing when the value is not one of them."""
    match = _CHOICES.match(behind)
    if match is None or isinstance(value, tuple):
        return ()
    choices = _listed(match[1])
    is_listed = any(_same(value, choice) for choice in choices)
    return choices if is_listed and len({type(choice) for choice in choices}) == 1 else ()


@lru_cache(maxsize=_LISTS_KEPT)
def _listed(text: str) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(_choice(part.strip().rstrip(".")) for part in re.split(r"[,|]", text)))


def _choice(text: str) -> Value:
    try:
        value = literal_value(text)
    except ValueError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _range(value: Value, behind: str) -> Range | None:
    """Return the range that a comment behind a number names; None when that is none, or the number is not in it."""
    match = _RANGE.match(behind)
    if match is None or not is_number(value):
        return None
    low, high = _bound(match[1]), _bound(match[2].rstrip("."))
    if low is None or high is None or max(abs(low), abs(high)) > LARGEST_NUMBER:
        return None
    if isinstance(value, int):
        low, high = math.ceil(low), math.floor(high)
    is_log = match[3] is not None
    is_sound = low < high and low <= value <= high and not (is_log and low <= 0)
    return Range(low, high, is_log) if is_sound else None


def _bound(text: str) -> Number | None:
    try:
        return number_of(ast.parse(text, mode="eval").body)
    except UNREADABLE:
        return None


def number_of(node: ast.expr) -> Number | None:
    """Return the number that a literal of Python stands for, None where it stands for none."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool) and abs(number) < math.inf:
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number if not isinstance(number, bool) and abs(number) < math.inf else None
        case ast.BinOp(
            left=ast.Constant(value=int() as base), op=ast.Pow(), right=ast.Constant(value=int() as exponent)
        ):
            return int(base**exponent) if 1 < base <= 10 and 0 <= exponent <= _LARGEST_EXPONENT else None
    return None

"""What a program takes on its command line and from its environment: a seed, and the time that it may use."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from evo.project.modules import Module

_SEEDS = ("--seed", "--random-seed", "--random_seed", "--random-state", "--random_state", "--rng-seed", "--rng_seed")
_SECONDS = re.compile(
    r"--(?:(?:time|train|training|wall)[-_](?:budget|limit|seconds)(?:[-_](?:s|sec|seconds))?"
    r"|(?:max|budget)[-_]seconds|seconds)"
)
_BUDGET = re.compile(
    r"(?:[A-Z0-9]+_)*(?:TIME_BUDGET|TRAIN_BUDGET|TIME_LIMIT|(?:TRAIN|TRAINING|MAX|BUDGET)_SECONDS)(?:_(?:S|SEC|SECONDS))?"
)
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.01, 7 * 24 * 3600.0
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class FixedTime:
    """The time that a program gives itself.

    Attributes:
        where: the constant or the flag that says so.
        flag: the flag that sets it, None where it is a constant.
    """

    seconds: float
    where: str
    flag: str | None = None


def seed_flag(modules: Sequence[Module]) -> str | None:
    """Return the flag that takes a seed, None where there is none."""
    names = {name for name, _, _ in _flags(modules)}
    return next((flag for flag in _SEEDS if flag in names), None)


def reads_seed(modules: Sequence[Module]) -> bool:
    """Return whether a program takes its seed from `EVO_SEED`."""
    return any("EVO_SEED" in module.text for module in modules)


def fixed_time(modules: Sequence[Module]) -> FixedTime | None:
    """Return the time that a program gives itself: of a flag, else of a constant such as `TIME_BUDGET`.

    Args:
        modules: of the program; a constant counts in the first that has one.
    """
    for name, options, module in _flags(modules):
        seconds = _seconds(options.get("default"))
        if _SECONDS.fullmatch(name) and seconds is not None:
            return FixedTime(seconds, f"the default of {name} in {module.name}", name)
    for module in modules:
        for name, value in module.constants.items():
            seconds = _seconds(value) if _BUDGET.fullmatch(name) else None
            if seconds is not None:
                return FixedTime(seconds, f"{name} in {module.name}")
    return None


def _flags(modules: Sequence[Module]) -> Iterator[tuple[str, dict[str | None, ast.expr], Module]]:
    """Yield the flags that argparse, click or typer are told of, with their options and where they stand."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                options = {keyword.arg: keyword.value for keyword in node.keywords}
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                        yield str(argument.value), options, module


def _seconds(node: ast.expr | None) -> float | None:
    """Return a plausible number of seconds that an expression stands for, None where it is not known."""
    value = _number(node)
    return value if value is not None and _SHORTEST_SECONDS <= value <= _LONGEST_SECONDS else None


def _number(node: ast.expr | None) -> float | None:
    match node:
        case ast.Constant(value=int() | float() | str() as value) if not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                return None
            return number if math.isfinite(number) else None
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
            first, second = _number(left), _number(right)
            if first is None or second is None or (isinstance(sign, ast.Div) and not second):
                return None
            return _ARITHMETIC[type(sign)](first, second)
        case ast.Call(func=ast.Name(id="int" | "float" | "str"), args=[inner]):
            return _number(inner)
        case ast.Call(func=ast.Attribute(attr="get" | "getenv"), args=[_, default]):
            return _number(default)  # os.environ.get("TIME_BUDGET", "300")
    return None

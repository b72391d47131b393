"""The run time that a program takes from its command line or its constants."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Sequence

from evo.project.found import FixedTime
from evo.project.modules import Module
from evo.project.protection.words import BUDGET_CONSTANT

_SECONDS = re.compile(
    r"--(?:(?:time|train|training|wall)[-_](?:budget|limit|seconds)(?:[-_](?:s|sec|seconds))?"
    r"|(?:max|budget)[-_]seconds|seconds)"
)
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.01, 7 * 24 * 3600.0
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


def fixed_time(modules: Sequence[Module]) -> FixedTime | None:
    """Return the run time that a program limits itself to: a flag's default, else a constant such as `TIME_BUDGET`.

    Args:
        modules: of the program; the first one with such a constant counts.
    """
    for name, options, module in _flags(modules):
        if _SECONDS.fullmatch(name) and (seconds := _seconds(options.get("default"))) is not None:
            return FixedTime(seconds, f"the default of {name} in {module.name}", name)
    for module in modules:
        for name, value in module.constants.items():
            if BUDGET_CONSTANT.fullmatch(name) and (seconds := _seconds(value)) is not None:
                return FixedTime(seconds, f"{name} in {module.name}")
    return None


def _flags(modules: Sequence[Module]) -> Iterator[tuple[str, dict[str | None, ast.expr], Module]]:
    """Yield the flags of argparse, click or typer with their options and modules."""
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call):
                options = {keyword.arg: keyword.value for keyword in node.keywords}
                for argument in node.args:
                    if isinstance(argument, ast.Constant) and str(argument.value).startswith("--"):
                        yield str(argument.value), options, module


def _seconds(node: ast.expr | None) -> float | None:
    """Return the value of an expression if it is known and a plausible number of seconds."""
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

"""The arguments that a program's command line takes, and the run time that one of them or a constant holds."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from evo.project.found import FixedTime
from evo.project.modules import Module
from evo.project.protection.clock import time_limits
from evo.project.protection.words import BUDGET_CONSTANT, flag_name
from operators.protection.units import units_of
from populations.descriptors import last_name

_SECONDS = re.compile(
    r"--(?:(?:time|train|training|wall)[-_](?:budget|limit|seconds)(?:[-_](?:s|sec|seconds))?"
    r"|(?:max|budget)[-_]seconds|seconds)"
)
_OTHER_UNIT = re.compile(r"(^|_)(mins?|minutes?|hours?|hrs?|days?|ms|ns|us)(_|$)", re.IGNORECASE)
_SHORTEST_SECONDS, _LONGEST_SECONDS = 0.01, 7 * 24 * 3600.0
_ARITHMETIC: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a command line, as argparse, click, typer or absl declare it.

    Attributes:
        names: its flags, or the name of one without a flag.
        options: of the declaration, by keyword; typer and absl take `default` without one.
    """

    names: tuple[str, ...]
    options: Mapping[str | None, ast.expr | None]


def arguments_of(module: Module) -> Iterator[Argument]:
    """Yield the arguments that a module declares."""
    for node in module.nodes:
        if isinstance(node, ast.Call):
            names = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            others = [one for one in node.args if not (isinstance(one, ast.Constant) and isinstance(one.value, str))]
            options = {"default": next(iter(others), None)} | {one.arg: one.value for one in node.keywords}
            if ast.unparse(node.func).startswith("flags.DEFINE_"):
                names = [f"--{name}" for name in names[:1]]
            elif last_name(node.func) not in ("add_argument", "argument"):
                names = [name for name in names if name.startswith("-")]
            if names:
                yield Argument(tuple(names), options)


def fixed_time(modules: Sequence[Module], genome: Sequence[Module]) -> FixedTime | None:
    """Return the run time that a program limits itself to: a flag's default, else a constant such as `TIME_BUDGET`.

    The limit of an evaluator that ends what is too slow is none.

    Args:
        modules: of the program; the first one with such a constant counts.
        genome: those of them that evolve.
    """
    for module in modules:
        limits = _limits_in_seconds(module)
        for one in arguments_of(module):
            flags = [name for name in one.names if _SECONDS.fullmatch(name) or _is_flag_of(name, limits)]
            if flags and (seconds := _seconds(one.options.get("default"))) is not None:
                return FixedTime(seconds, f"the default of {flags[0]} in {module.name}", flags[0])
    for module in modules:
        limits = _limits_in_seconds(module)
        for name, value in module.constants.items():
            is_used = module in genome or any(re.search(rf"\b{name}\b", one.text) for one in genome)
            is_limit = name in limits or (is_used and BUDGET_CONSTANT.fullmatch(name))
            if is_limit and (seconds := _seconds(value)) is not None:
                return FixedTime(seconds, f"{name} in {module.name}")
    return None


def _limits_in_seconds(module: Module) -> set[str]:
    return {name for name in time_limits(units_of(module.tree)).names if not _OTHER_UNIT.search(name)}


def _is_flag_of(flag: str, names: Set[str]) -> bool:
    return flag.startswith("-") and flag_name(flag) in names


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

"""The constants of a genome: found by position, so that changing one leaves every other byte as it is.

A constant is a literal that a program reads by a name:

- a top-level `UPPER_CASE = literal` whose name is assigned once: a number (also negative, and a power like 2**16), a
  boolean, a string, or a tuple of numbers;
- a number or a boolean as a top-level `lower_case = literal` that nothing assigns again, as the default of a
  command-line flag (`add_argument("--lr", default=3e-4)` is `--lr`), of a field of a class (`Config.lr`), or of an
  argument of a function (`train.lr`), unless its name speaks of seeds, files, logging, evaluation or the machine.

A comment behind it may say what it is chosen from, `ACTIVATION = "gelu"  # one of: relu, gelu, silu`, or where a number
lies and on which scale it moves, `LR = 3e-4  # range: 1e-5 to 1e-2, log`. A comment that does not hold for the value it
stands behind is a comment like any other: what a language model writes there cannot break a program. What describes
hardware, such as `H100_BF16_PEAK_FLOPS`, is no constant to change. Sources have LF line ends.
"""

from __future__ import annotations

import ast
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from operators.source.text import SourceText, Splice, spliced
from populations.diversity import normal_form, read_program

Number = int | float
Value = bool | int | float | str | tuple[Number, ...]

_CONSTANT_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
_HARDWARE = re.compile(
    r"(?:.*_)?(?:PEAK_(?:T|G)?FLOPS|(?:T|G)?FLOPS_PEAK|PEAK_BANDWIDTH|[AHBVTL]\d{2,3}S?_\w*FLOPS)(?:_.*)?"
)
_NO_TUNABLE = re.compile(
    r"seed|random|state|log|logging|print|eval|evaluation|val|valid|validation|test|save|checkpoint|ckpt|verbose|debug|"
    r"wandb|workers?|port|rank|world|dim|axis|devices?|gpus?|cuda|backend|resume|version|budget|limit|timeout|deadline|"
    r"seconds|minutes|hours|interval|fd|dry|flops|download|plot|show|help|epsilon|eps"
)
"""Words in the names of values that change what is measured, shown or kept, or nothing, and not what is learnt."""
_CHOICES = re.compile(r"[^\n#]*#[^\n]*?\bone of:?\s+([^\n]+)")
_RANGE = re.compile(r"[^\n#]*#[^\n]*?\brange:\s*(\S+)\s+to\s+([^\s,;()]+)[\s,;(]*(log(?:arithmic)?\b)?")
_POWER = re.compile(r"2\s*\*\*\s*\d+")
_LARGEST_EXPONENT = 64
_SOURCES_KEPT = 64
"""The parents in a population are asked for again and again, with offspring in between; each takes a millisecond."""
_LISTS_KEPT = 256
"""The comments of a run's genomes are mostly the same ones."""
_BLANKS: dict[type, str] = {bool: "True", int: "0", float: "0.0", tuple: "()"}
_DEVICE_WORDS = frozenset({"CPU", "CUDA", "MPS"})
LARGEST_NUMBER = 2**53
"""Integers up to here are exact as floats; beyond it nothing is tuned."""


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


def find_constants(source: str) -> dict[str, Constant]:
    """Return the constants of a source, by name, in their order.

    Raises:
        SyntaxError: `source` is no Python.
    """
    return dict(_constants_of(source))


@lru_cache(maxsize=_SOURCES_KEPT)
def _constants_of(source: str) -> dict[str, Constant]:
    return constants_of(read_program(source).tree, SourceText(source))


def constants_of(tree: ast.Module, text: SourceText) -> dict[str, Constant]:
    """Return the constants of a parsed source, by name, in their order."""
    found = _capitals(tree, text)
    others: dict[str, Constant | None] = {}
    for name, node in _others(tree):
        value = _literal(node)
        if isinstance(value, bool | int | float) and _is_tunable(name):
            # A name that stands for two values stands for none.
            others[name] = _located(name, value, node, text) if name not in others else None
    found |= {name: constant for name, constant in others.items() if constant is not None and name not in found}
    return dict(sorted(found.items(), key=lambda item: item[1].start))


def _capitals(tree: ast.Module, text: SourceText) -> dict[str, Constant]:
    """Return the top-level constants with names in capitals."""
    assigned: Counter[str] = Counter()
    found: dict[str, Constant] = {}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as node)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as node)
            ):
                assigned[name] += 1
                value = _literal(node)
                if value is not None and _CONSTANT_NAME.fullmatch(name) and not _HARDWARE.fullmatch(name):
                    found[name] = _located(name, value, node, text)
            case ast.AugAssign(target=ast.Name(id=name)):
                assigned[name] += 1
    return {name: constant for name, constant in found.items() if assigned[name] == 1}


def _others(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the values that go by other names, each with its name."""
    yield from _globals(tree)
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    owners = {id(inner): node.name for node in classes for inner in node.body}
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="add_argument"), args=[ast.Constant(value=str()), *_]):
                yield from _flag(node)
            case (
                ast.AnnAssign(target=ast.Name(id=field), value=ast.expr() as value)
                | ast.Assign(targets=[ast.Name(id=field)], value=ast.expr() as value)
            ) if id(node) in owners:
                yield f"{owners[id(node)]}.{field}", value
            case ast.FunctionDef(name=name, args=arguments) | ast.AsyncFunctionDef(name=name, args=arguments):
                place = [owners[id(node)]] if id(node) in owners else []
                place += [name] if name != "__init__" else []
                yield from ((".".join([*place, one.arg]), value) for one, value in _defaults(arguments))


def _globals(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the top-level assignments to names in small letters that nothing assigns again, loops included."""
    stored = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    shared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    for statement in tree.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ) if stored[name] == 1 and name not in shared and not _CONSTANT_NAME.fullmatch(name):
                yield name, value


def _flag(call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    """Yield the default of a command-line flag, by its long name."""
    names = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
    long = [name for name in names if isinstance(name, str) and name.startswith("--")]
    default = next((keyword.value for keyword in call.keywords if keyword.arg == "default"), None)
    if long and default is not None:
        yield long[0], default


def _defaults(arguments: ast.arguments) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Yield the arguments of a function that have defaults."""
    positional = [*arguments.posonlyargs, *arguments.args]
    yield from zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def _is_tunable(name: str) -> bool:
    """Return whether a name speaks of what is learnt and how."""
    words = re.split(r"[\W_]+", name.rpartition(".")[2].lower())
    return not any(map(_NO_TUNABLE.fullmatch, words)) and not _HARDWARE.fullmatch(name.upper())


def constants_and_structure(source: str) -> tuple[Mapping[str, Value], str]:
    """Return the values of the constants of a source, and a name of what is left of it without them.

    Sources that differ only in the values of constants, in layout or in comments have the same structure.

    Raises:
        SyntaxError: `source` is no Python.
    """
    constants = find_constants(source)
    blanks = [Splice(one.start, one.end, _BLANKS.get(type(one.value), '""')) for one in constants.values()]
    return {name: one.value for name, one in constants.items()}, normal_form(spliced(source, blanks))


def is_for_another_device(name: str, device: str) -> bool:
    """Return whether a name like `WIDTH_CUDA` speaks of devices, but not of `device` (`cpu`, `cuda` or `mps`)."""
    named = _DEVICE_WORDS.intersection(name.split("_"))
    return bool(named) and device.upper() not in named


def replace_constants(source: str, values: Mapping[str, Value]) -> str:
    """Return `source` with new literals for the named constants and every other byte unchanged.

    Raises:
        SyntaxError: `source` is no Python.
        ValueError: a name is no constant of `source`, or a number is not finite.
    """
    constants = find_constants(source)
    unknown = sorted(set(values) - set(constants))
    if unknown:
        raise ValueError(f"expected constants of the source ({', '.join(constants)}), but got {', '.join(unknown)}")
    changed = [(constants[name], value) for name, value in values.items()]
    return spliced(
        source, [Splice(constant.start, constant.end, written(value, constant)) for constant, value in changed]
    )


def written(value: Value, like: Constant) -> str:
    """Return a literal for `value` in the manner in which `like` is written; reading it gives `value` exactly.

    Raises:
        ValueError: a number is not finite.
    """
    if _same(value, like.value):
        return like.text
    if not isinstance(value, tuple):
        return literal_text(value, like.text)
    texts = [_written_element(number, like, index) for index, number in enumerate(value)]
    return f"({texts[0]},)" if len(texts) == 1 else f"({', '.join(texts)})"


def _written_element(number: Number, like: Constant, index: int) -> str:
    if not isinstance(like.value, tuple) or index >= len(like.value):
        return literal_text(number, "")
    text = like.elements[index]
    return text if _same(number, like.value[index]) else literal_text(number, text)


def _same(a: Value, b: Value) -> bool:
    return repr(a) == repr(b)


def literal_text(value: bool | float | str, like: str) -> str:
    """Return a literal for `value` in the manner of the literal `like`: grouped, scientific, or a power of two.

    Raises:
        ValueError: a number is not finite.
    """
    if isinstance(value, str):
        text = repr(value)
        return f'"{text[1:-1]}"' if '"' not in value else text
    if isinstance(value, bool):
        return str(value)
    if not math.isfinite(value):
        raise ValueError(f"a constant must be a finite number, but the new value was {value}")
    group = "_" if "_" in like else ""
    if isinstance(value, int):
        is_power_of_two = value > 0 and value.bit_count() == 1
        return f"2**{value.bit_length() - 1}" if is_power_of_two and _POWER.fullmatch(like) else f"{value:{group}}"
    if "e" in like.lower() or "e" in repr(value):
        return _scientific(value)
    return f"{value:{group}}"


def _scientific(value: float) -> str:
    """Return the shortest text like 3e-4 that reads as `value`."""
    shortest = next(text for digits in range(18) if float(text := f"{value:.{digits}e}") == value)
    mantissa, exponent = shortest.split("e")
    return f"{mantissa}e{int(exponent)}"


def _literal(node: ast.expr) -> Value | None:
    match node:
        case ast.Constant(value=bool() | str() as value):
            return value
        case ast.Tuple(elts=elements):
            numbers = [number for element in elements if (number := _number(element)) is not None]
            return tuple(numbers) if elements and len(numbers) == len(elements) else None
    return _number(node)


def _number(node: ast.expr) -> Number | None:
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


def _located(name: str, value: Value, node: ast.expr, text: SourceText) -> Constant:
    start, end = text.start(node), text.end(node)
    elements = tuple(text.slice(text.start(e), text.end(e)) for e in node.elts) if isinstance(node, ast.Tuple) else ()
    behind = text.rest_of_line(end)
    choices = _choices(value, behind)
    limits = None if choices else _range(value, behind)
    return Constant(name, value, text.slice(start, end), node.lineno, start, end, elements, choices, limits)


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
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _range(value: Value, behind: str) -> Range | None:
    """Return the range that a comment behind a number names; None when that is none, or the number is not in it."""
    match = _RANGE.match(behind)
    if match is None or isinstance(value, bool) or not isinstance(value, int | float):
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
        return _number(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None

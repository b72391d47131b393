"""The text that a statement may print or write, as far as it can be known from the code."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

from populations.descriptors import last_name

UNKNOWN = "\0"
"""Stands for a part that only running tells."""
NUMBER = "1.5"
"""Stands for a part that is a number, by its format or as a result of arithmetic."""
_NUMERIC_SPEC = re.compile(r"(?:[^\0]?[<>=^])?[-+ #0z]*\d*[_,]?(?:\.\d+)?[eEfFgGdin%]")
"""A format that raises an error for a text; dates take any text for a format."""
_TEXT_SPEC = re.compile(r"(?P<side>[-<>^]?)\d*s?")
"""A format of a text, in which it may be padded."""
_WIDTH = re.compile(r"(?:[^\0]?[<>=^])?[-+ #0z]*(\d*)")
_LONGEST_PADDING = 80
_PERCENT = re.compile(r"%(?:\((?P<key>\w+)\))?(?P<spec>[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?P<type>[a-zA-Z%]))")
"""A place in a template for `%`."""
LOGGING = frozenset({"info", "warning", "warn", "error", "debug", "critical", "exception"})
_PRINTING = LOGGING | {"print", "echo", "secho", "write", "writelines", "log"}


@dataclass(frozen=True, slots=True)
class Value:
    """A part of a text that only running tells.

    Attributes:
        node: the expression; None where a template has a place for more than it is given.
        spec: its format, as after the colon in an f-string; empty for `str`.
        name: of its place in the template; empty for none.
    """

    node: ast.expr | None
    spec: str = ""
    name: str = ""

    @property
    def code(self) -> str:
        """The expression as written."""
        return self.name if self.node is None else ast.unparse(self.node)


Part = str | Value
Known = Callable[[ast.expr], list[Part] | None]
"""Returns the parts of an expression, where more is known of it than its code says; else None."""


def outputs(call: ast.Call) -> str | None:
    """Return the text that a call of `print`, a `write` or a logger puts out; None for any other call."""
    name = last_name(call.func)
    if name not in _PRINTING and not name.startswith("print"):
        return None
    separator, end = " ", "\n"
    for keyword in call.keywords:
        if keyword.arg == "sep":
            separator = text_of(keyword.value)
        elif keyword.arg == "end":
            end = text_of(keyword.value)
        elif keyword.arg is None:
            separator = end = UNKNOWN
    if name in LOGGING and len(call.args) > 1:
        return "".join(map(_text, percent_parts(parts_of(call.args[0]), call.args[1:])))
    texts = [UNKNOWN if isinstance(one, ast.Starred) else text_of(one) for one in call.args]
    return separator.join(texts) + (end if name.startswith("print") else "")


def text_of(node: ast.expr) -> str:
    """Return the text of an expression, `UNKNOWN` where it is not known."""
    return "".join(map(_text, parts_of(node)))


def _text(part: Part) -> str:
    match part:
        case str():
            return part
        case Value(node=ast.Constant(value=value), spec="" | "s"):
            return str(value)
        case Value(node=node, spec=spec):
            is_number = _NUMERIC_SPEC.fullmatch(spec) or (node and _is_number(node))
            return NUMBER.rjust(_width(spec)) if is_number else UNKNOWN
    raise AssertionError(part)


def _width(spec: str) -> int:
    """Return the least width that a format of a number or text asks for."""
    match = _WIDTH.match(spec)
    return min(int(match[1] or 0), _LONGEST_PADDING) if match else 0


def parts_of(node: ast.expr, known: Known = lambda _: None) -> list[Part]:
    """Return the parts of the text of an expression."""
    if (found := known(node)) is not None:
        return found
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace(UNKNOWN, "")]
        case ast.Constant(value=bytes(data)):
            return [data.decode("latin-1").replace(UNKNOWN, "")]
        case ast.JoinedStr(values=values):
            return [part for value in values for part in parts_of(value, known)]
        case ast.FormattedValue(value=value, format_spec=spec):
            return _formatted(value, text_of(spec) if spec is not None else "", known)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [*parts_of(left, known), *parts_of(right, known)]
            return parts if any(isinstance(part, str) for part in parts) else [Value(node)]  # or a sum
        case ast.BinOp(left=left, op=ast.Mod(), right=right):
            template = parts_of(left, known)
            values = right.elts if isinstance(right, ast.Tuple) else [right]
            is_text = any(isinstance(part, str) for part in template)
            return percent_parts(template, values, known) if is_text else [Value(node)]
        case ast.Call():
            return _made_by(node, known)
    return [Value(node)]


def _made_by(call: ast.Call, known: Known) -> list[Part]:
    """Return the parts of the text that a method of a text, or `str`, makes."""
    match call:
        case ast.Call(func=ast.Attribute(value=template, attr="format")):
            match parts_of(template, known):
                case [str(text)]:
                    return _of_template(call, text, known)
        case ast.Call(
            func=ast.Attribute(value=separator, attr="join"), args=[ast.List(elts=several) | ast.Tuple(elts=several)]
        ):
            between = parts_of(separator, known)
            return [part for one in several for part in (*between, *parts_of(one, known))][len(between) :]
        case ast.Call(func=ast.Name(id="str"), args=[inner], keywords=[]):
            return parts_of(inner, known)
        case ast.Call(func=ast.Attribute(value=inner, attr="encode" | "strip" | "rstrip")):
            return parts_of(inner, known)
    return [Value(call)]


def texts_in(node: ast.AST) -> Iterator[str]:
    """Yield the texts that the calls and literals of a statement make."""
    for one in ast.walk(node):
        match one:
            case ast.Call():
                text = outputs(one)
                if text is not None:
                    yield text
                elif isinstance(one.func, ast.Attribute) and one.func.attr in {"format", "join"}:
                    yield text_of(one)
            case ast.JoinedStr() | ast.BinOp(op=ast.Add() | ast.Mod()) | ast.Constant(value=str() | bytes()):
                yield text_of(one)


def _is_number(node: ast.expr) -> bool:
    """Return whether an expression is a number or an array of numbers, whatever the names in it stand for."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):  # a text may be repeated
            both = all(map(_is_number, (left, right)))
            return both or any(isinstance(one, ast.Constant) and isinstance(one.value, float) for one in (left, right))
        case ast.BinOp(left=left, op=ast.Div(), right=right):  # paths are joined
            is_product = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult)
            return is_product or _is_number(left) or _is_number(right)
        case ast.BinOp(left=left, op=op, right=right):
            is_of_numbers = isinstance(op, ast.Sub | ast.FloorDiv | ast.Pow)
            return is_of_numbers or (not isinstance(op, ast.Mod) and (_is_number(left) or _is_number(right)))
        case ast.UnaryOp(operand=operand):
            return _is_number(operand)
        case ast.Call(func=ast.Name(id="len" | "float" | "int" | "round" | "sum" | "abs")):
            return True
        case ast.Call(func=ast.Attribute(attr="mean" | "time" | "perf_counter" | "monotonic")):
            return True
    return False


def _formatted(node: ast.expr | None, spec: str, known: Known, name: str = "") -> list[Part]:
    """Return what stands for a value in a text, with its format; a text that is known stands there without it."""
    parts = [] if node is None else parts_of(node, known)
    match parts:
        case [Value(spec="") as value]:
            return [replace(value, spec=spec)]
    match = _TEXT_SPEC.fullmatch(spec)
    if parts and all(isinstance(one, str) for one in parts):
        text = "".join(map(_text, parts))
        padding = " " * ((_width(spec) if match else 0) - len(text))
        return [padding + text] if match and match["side"] == ">" else [text + padding]
    return parts if parts and match and not _width(spec) else [Value(node, spec, name)]


def percent_parts(template: Sequence[Part], values: Sequence[ast.expr], known: Known = lambda _: None) -> list[Part]:
    """Return the parts of a text with `%` in it that values fill."""
    given = [] if any(isinstance(one, ast.Starred) for one in values) else [*values]
    found: list[Part] = []
    for part in template:
        if isinstance(part, Value):
            found.append(part)
            continue
        place = 0
        for match in _PERCENT.finditer(part):
            found.append(part[place : match.start()])
            place, spec = match.end(), match["spec"]
            if match["type"] == "%":
                found.append("%")
            elif match["key"]:
                found.append(Value(None, spec, match["key"]))
            else:
                taken = [given.pop(0) if given else None for _ in range(1 + spec.count("*"))]
                found += _formatted(taken[-1], spec, known)
        found.append(part[place:])
    return found


def _of_template(call: ast.Call, template: str, known: Known) -> list[Part]:
    """Return the parts of a text that `format` fills."""
    given = {one.arg: one.value for one in call.keywords if one.arg}
    if not any(isinstance(one, ast.Starred) for one in call.args):
        given |= {str(place): one for place, one in enumerate(call.args)}
    found: list[Part] = []
    places = count()
    try:
        for before, name, spec, _ in string.Formatter().parse(template):
            found.append(before)
            if "{" in (spec or ""):
                return [Value(call)]  # it takes values for the format
            if name is not None:
                found += _formatted(given.get(name or str(next(places))), spec or "", known, name)
    except ValueError:
        return [Value(call)]
    return found

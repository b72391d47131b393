"""The text that a statement may print or write, as far as it can be known from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from populations.descriptors import last_name

UNKNOWN = "\0"
"""Stands for a part that only running tells."""
_NUMBER = "1.5"
"""Stands for a part that is a number, by its format."""
_NUMERIC_SPEC = re.compile(r".*[eEfFgGdn%]|.*\.\d+")
PERCENT = re.compile(r"%(?:\((?P<key>\w+)\))?(?P<spec>[-#0 +]*\d*(?:\.\d+)?(?P<type>[a-zA-Z%]))")
"""A place in a template for `%`."""
LOGGING = frozenset({"info", "warning", "warn", "error", "debug", "critical", "exception"})
_PRINTING = LOGGING | {"print", "echo", "secho", "write", "writelines", "log"}


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
    texts = [UNKNOWN if isinstance(one, ast.Starred) else text_of(one) for one in call.args]
    if name in LOGGING and len(texts) > 1:
        return _percent(texts[0], ast.Tuple(call.args[1:]))
    return separator.join(texts) + (end if name.startswith("print") else "")


def text_of(node: ast.expr) -> str:
    """Return the text of an expression, `UNKNOWN` where it is not known."""
    match node:
        case ast.Constant(value=bytes(data)):
            return data.decode("latin-1").replace(UNKNOWN, "")
        case ast.Constant(value=value):
            return str(value).replace(UNKNOWN, "")
        case ast.JoinedStr(values=values):
            return "".join(map(text_of, values))
        case ast.FormattedValue(value=value, format_spec=spec):
            written = text_of(spec) if spec is not None else ""
            return _NUMBER if _NUMERIC_SPEC.fullmatch(written) or _is_number(value) else text_of(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return text_of(left) + text_of(right)
        case ast.BinOp(left=left, op=ast.Mod(), right=right) if not _is_number(left):
            return _percent(text_of(left), right)
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if _is_text(left) or _is_text(right):
            return UNKNOWN
        case ast.Call():
            return _NUMBER if _is_number(node) else _made_by(node)
    return _NUMBER if _is_number(node) else UNKNOWN


def _made_by(call: ast.Call) -> str:
    """Return the text that a method of a text, or `str`, makes."""
    match call:
        case ast.Call(func=ast.Attribute(value=template, attr="format"), args=args):
            return _formatted(text_of(template), args)
        case ast.Call(
            func=ast.Attribute(value=separator, attr="join"), args=[ast.List(elts=parts) | ast.Tuple(elts=parts)]
        ):
            return text_of(separator).join(map(text_of, parts))
        case ast.Call(func=ast.Name(id="str"), args=[inner]):
            return text_of(inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="encode" | "strip" | "rstrip")):
            return text_of(inner)
    return UNKNOWN


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
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int | float)
        case ast.BinOp(left=left, op=op, right=right):
            if isinstance(op, ast.Sub | ast.Div | ast.FloorDiv | ast.Pow):
                return True
            return not isinstance(op, ast.Mod) and (_is_number(left) or _is_number(right))
        case ast.UnaryOp(operand=operand):
            return _is_number(operand)
        case ast.Call(func=ast.Name(id="len" | "float" | "int" | "round" | "sum" | "abs")):
            return True
        case ast.Call(func=ast.Attribute(attr="item" | "mean" | "time" | "perf_counter" | "monotonic")):
            return True
    return False


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _percent(template: str, values: ast.expr) -> str:
    given = list(values.elts) if isinstance(values, ast.Tuple) else [values]

    def written(match: re.Match[str]) -> str:
        if match["type"] == "%":
            return "%"
        value = given.pop(0) if given else None
        return _NUMBER if match["type"] in "eEfFgGdi" or value is None else text_of(value)

    return PERCENT.sub(written, template)


def _formatted(template: str, values: list[ast.expr]) -> str:
    given = [text_of(one) for one in values]

    def written(match: re.Match[str]) -> str:
        if _NUMERIC_SPEC.fullmatch(match[1] or ""):
            if given:
                given.pop(0)
            return _NUMBER
        return given.pop(0) if given else UNKNOWN

    return re.sub(r"\{\w*(?::([^{}]*))?\}", written, template)

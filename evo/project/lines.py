"""The lines that a call prints, as far as they are known: literal text with values in it."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operators.protection.output import LOGGING, PERCENT

_PRINTING = frozenset({"print", "echo", "secho", "print0"})  # print, click.echo, console.print
_LONGEST_TEMPLATE = 400  # parts


@dataclass(frozen=True, slots=True)
class Value:
    """A printed value.

    Attributes:
        code: the expression.
        spec: its format, as after the colon in an f-string; empty for `str`.
    """

    code: str
    spec: str = ""


Part = str | Value
Line = tuple[Part, ...]
"""Texts and values; no two adjacent texts, and no line ends in them."""


@dataclass(frozen=True, slots=True)
class Printed:
    """The lines that one call prints.

    Attributes:
        is_logged: whether it is written by `logging`, by default not to the standard output.
        ends_line: whether it ends its last line.
    """

    lines: tuple[Line, ...]
    is_logged: bool
    ends_line: bool


def printed_by(call: ast.Call, constants: Mapping[str, ast.expr]) -> Printed | None:
    """Return what a call prints or logs; None for any other call."""
    owner = None
    match call.func:
        case ast.Name(id=name):
            pass
        case ast.Attribute(attr=name, value=value):
            owner = ast.unparse(value)
        case _:
            return None
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in LOGGING | {"log"} and owner is not None and "log" in owner.lower():
        arguments = call.args[1:] if name == "log" else call.args
        parts = _logged(arguments, constants)
        return Printed(tuple(_lines(parts)), is_logged=True, ends_line=True) if parts else None
    if "file" in options or not _prints(name, owner):
        return None
    separator, end = (literal_text(options.get(name), {}) for name in ("sep", "end"))
    separator = " " if separator is None else separator
    if end is None:
        end = "" if owner == "sys.stdout" else "\n"
    parts = []
    for number, argument in enumerate(call.args):
        parts += [separator] if number else []
        parts += _parts(argument, constants)
    last = next((part for part in reversed([*parts, end]) if part), "\n")
    return Printed(tuple(_lines(parts)), is_logged=False, ends_line=isinstance(last, str) and last.endswith("\n"))


def literal_text(node: ast.expr | None, constants: Mapping[str, ast.expr]) -> str | None:
    """Return the text of a literal or of the name of one, None if it is not known."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Name(id=name) if name in constants:
            following = constants[name]
            return following.value if isinstance(following, ast.Constant) and isinstance(following.value, str) else None
    return None


def _prints(name: str, owner: str | None) -> bool:
    """Return whether a name is `print`, a method like it, or a wrapper such as `print0`."""
    if owner is None and (name.startswith("print") or name.endswith("print") or name == "log"):
        return True
    if name == "write":
        return owner in {"sys.stdout", "tqdm", "tqdm.tqdm"}
    return name in _PRINTING and (owner is None or "stderr" not in owner)


def _logged(arguments: list[ast.expr], constants: Mapping[str, ast.expr]) -> list[Part]:
    """Return the message of a logging call with its arguments."""
    if not arguments:
        return []
    first, *values = arguments
    if values and isinstance(first, ast.Constant) and isinstance(first.value, str):
        return _percent(first.value, ast.Tuple(elts=values, ctx=ast.Load()))
    return _parts(first, constants)


def _parts(node: ast.expr, constants: Mapping[str, ast.expr]) -> list[Part]:
    """Return the text of an expression with unknown parts as values."""
    text = literal_text(node, constants)
    if text is not None:
        return [text]
    if (table := _table(node, constants)) is not None:
        return _dictionary(table)
    match node:
        case ast.JoinedStr(values=values):
            return [part for value in values for part in _parts(value, constants)]
        case ast.FormattedValue(value=value, format_spec=spec):
            text = literal_text(value, constants)
            return [text] if text is not None and spec is None else [Value(ast.unparse(value), _spec(spec))]
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            parts = [*_parts(left, constants), *_parts(right, constants)]
            return parts if any(isinstance(part, str) for part in parts) else [Value(ast.unparse(node))]  # or a sum
        case ast.BinOp(left=ast.Constant(value=str(template)), op=ast.Mod(), right=values):
            return _percent(template, values)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(template)), attr="format")):
            return _format(template, node)
        case ast.Call(func=ast.Name(id="str"), args=[value]):
            return [Value(ast.unparse(value))]
    return [Value(ast.unparse(node))]


def _spec(spec: ast.expr | None) -> str:
    """Return the literal parts of a format specification."""
    if not isinstance(spec, ast.JoinedStr):
        return ""
    return "".join(part.value for part in spec.values if isinstance(part, ast.Constant) and isinstance(part.value, str))


def _percent(template: str, values: ast.expr) -> list[Part]:
    given = list(values.elts) if isinstance(values, ast.Tuple) else [values]
    parts: list[Part] = []
    place = 0
    for match in PERCENT.finditer(template):
        parts.append(template[place : match.start()])
        place = match.end()
        if match["type"] == "%":
            parts.append("%")
        elif match["key"]:
            parts.append(Value(match["key"], match["spec"]))
        else:
            parts.append(Value(ast.unparse(given.pop(0)) if given else "", match["spec"]))
    return [*parts, template[place:]]


def _format(template: str, call: ast.Call) -> list[Part]:
    given = [ast.unparse(argument) for argument in call.args]
    parts: list[Part] = []
    try:
        for text, name, spec, _ in string.Formatter().parse(template):
            parts.append(text)
            if name is not None:
                parts.append(Value(name or (given.pop(0) if given else ""), spec or ""))
    except ValueError:  # not a valid template
        return [Value(template)]
    return parts


def _table(node: ast.expr, constants: Mapping[str, ast.expr]) -> ast.Dict | None:
    """Return the dictionary that an expression is, names, or writes as JSON."""
    match node:
        case ast.Call(func=ast.Attribute(attr="dumps"), args=[inner, *_]):
            node = inner
    found = constants.get(node.id) if isinstance(node, ast.Name) else node
    return found if isinstance(found, ast.Dict) else None


def _dictionary(node: ast.Dict) -> list[Part]:
    """Return a dictionary as Python or JSON prints it."""
    parts: list[Part] = ["{"]
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            parts += [", " if len(parts) > 1 else "", f'"{key.value}": ', Value(ast.unparse(value))]
    return [*parts, "}"]


def _lines(parts: list[Part]) -> Iterator[Line]:
    """Split parts at the line ends in their texts."""
    line: list[Part] = []
    for part in parts[:_LONGEST_TEMPLATE]:
        texts: list[Part] = [part] if isinstance(part, Value) else [*part.split("\n")]
        for number, text in enumerate(texts):
            if number:
                yield tuple(line)
                line = []
            if isinstance(text, str) and line and isinstance(line[-1], str):
                line[-1] += text
            elif text:
                line.append(text)
    if line:
        yield tuple(line)

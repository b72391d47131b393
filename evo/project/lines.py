"""The lines that a call prints, as far as they are known: literal text with values in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from operators.protection.output import LOGGING, Part, Value, parts_of, percent_parts

_PRINTING = frozenset({"print", "echo", "secho", "print0"})  # print, click.echo, console.print
_LONGEST_TEMPLATE = 400  # parts


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
    known = partial(_known, constants=constants)
    options = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in LOGGING | {"log"} and owner is not None and "log" in owner.lower():
        arguments = call.args[1:] if name == "log" else call.args
        parts = parts_of(arguments[0], known) if arguments else []
        parts = percent_parts(parts, arguments[1:], known) if arguments[1:] else parts
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
        parts += parts_of(argument, known)
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


def _known(node: ast.expr, constants: Mapping[str, ast.expr]) -> list[Part] | None:
    """Return the text of a constant, and a dictionary as Python or JSON prints it; None for anything else."""
    if (text := literal_text(node, constants)) is not None:
        return [text]
    table = _table(node, constants)
    return None if table is None else _dictionary(table)


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
            parts += [", " if len(parts) > 1 else "", f'"{key.value}": ', Value(value)]
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

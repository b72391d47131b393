r"""What an entry of `task.protect` names in generation 0.

evaluate                       a function or class, whole; a constant; an import; by its name
Trainer.evaluate               a method; main.val_loss: what binds that variable in main
train.seconds                  a parameter with its default
settings.noise                 an item of a dictionary, also of one within another one
print val_loss                 the statements that report a number under this name
main: while time.time() - …    statements by their code or its beginning, in a function or anywhere; of a
                               compound statement its head
pkg/model.py: evaluate         any of them, in one file of a genome
seed:                          in a file that is not Python: the lines that begin so
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from operators.protection.items import item_at
from operators.protection.units import DEFINITION, LineUnit, Scope, Unit
from trainer.errors import ConfigError
from trainer.languages import is_known
from trainer.source_text import parse

_FILE = re.compile(r"(?P<file>[^\s:]+\.\w+):\s*(?P<rest>.+)", re.DOTALL)
_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
_SCOPED = re.compile(rf"(?P<scope>{_PATH.pattern}):\s+(?P<code>.+)", re.DOTALL)
_PRINT = re.compile(r"print\s+(?P<label>[\w./@%-][^()=]*)")
_MOST_NAMED = 8


def select(
    entries: Sequence[str], files: Mapping[str, Sequence[Unit]], sources: Mapping[str, str]
) -> dict[str, set[int]]:
    """Return the places of the protected units in each file.

    Raises:
        ConfigError: an entry names nothing.
    """
    found: dict[str, set[int]] = {name: set() for name in files}
    for entry in entries:
        file, rest = _in_file(entry, files)
        chosen = {name: _selected(rest, files[name], sources[name]) for name in files if file in (None, name)}
        if not any(chosen.values()):
            raise ConfigError(_names_nothing(entry, rest, [units for name, units in files.items() if name in chosen]))
        for name, places in chosen.items():
            found[name] |= places
    return found


def items_in(entries: Sequence[str], name: str, units: Sequence[Unit]) -> Iterator[tuple[str, Scope, ast.expr]]:
    """Yield the entries that name an item of a table of a file, each with the path to it and its value."""
    for entry in entries:
        text = entry.strip().removeprefix(f"{name}:").strip()
        path = tuple(text.split("."))
        value = item_at(units, path) if _PATH.fullmatch(text) and not _by_name(path, units) else None
        if value is not None:
            yield entry, path, value


def _in_file(entry: str, files: Mapping[str, Sequence[Unit]]) -> tuple[str | None, str]:
    match = _FILE.fullmatch(entry.strip())
    if match is None or (match["file"] not in files and not is_known(match["file"])):
        return None, entry.strip()
    if match["file"] not in files:
        raise ConfigError(f"`task.protect` names the file {match['file']!r}, but what evolves is {', '.join(files)}.")
    return match["file"], match["rest"].strip()


def _selected(text: str, units: Sequence[Unit], source: str) -> set[int]:
    if any(isinstance(one, LineUnit) for one in units):
        beginning = re.sub(r"\s*(…|\.\.\.)$", "", text)
        return {place for place, one in enumerate(units) if one.code.startswith(beginning)}
    if _PATH.fullmatch(text):
        return _by_name(tuple(text.split(".")), units)
    if match := _PRINT.fullmatch(text):
        label = match["label"].strip()
        return {
            place for place, one in enumerate(units) if _is_simple(one) and any(label in text for text in one.texts)
        }
    match = _SCOPED.fullmatch(text)
    if match and any(one.scope == tuple(match["scope"].split(".")) for one in units):
        return _by_code(match["code"], units, source, tuple(match["scope"].split(".")))
    return _by_code(text, units, source, None)


def _by_name(path: Scope, units: Sequence[Unit]) -> set[int]:
    *around, name = path
    scope = tuple(around)
    found = {
        place
        for place, one in enumerate(units)
        if (one.scope == scope and name in one.bound) or one.scope[: len(path)] == path
    }
    if found:
        return found
    # A parameter belongs to the head of its function.
    return {
        place
        for place, one in enumerate(units)
        if isinstance(one.node, DEFINITION) and (*one.scope, one.node.name) == scope and name in one.parameters
    }


def _by_code(code: str, units: Sequence[Unit], source: str, scope: Scope | None) -> set[int]:
    wanted = _plain(code)
    beginning = re.sub(r"\s*(…|\.\.\.)$", "", wanted)
    unparsed = _normal(wanted) if beginning == wanted else None
    lines = source.split("\n")

    def fits(one: Unit) -> bool:
        text = _plain("\n".join(lines[one.line - 1 : one.end_line]))
        if beginning != wanted:
            return bool(beginning) and (text.startswith(beginning) or one.code.startswith(beginning))
        return wanted in (text, one.code.rstrip(":")) or unparsed == one.code.rstrip(":")

    return {place for place, one in enumerate(units) if scope in (None, one.scope) and fits(one)}


def _plain(code: str) -> str:
    """Return code on one line without the comment, colon and blanks around it."""
    return " ".join(re.sub(r"\s+#[^\"']*$", "", code.strip(), flags=re.MULTILINE).split()).rstrip(":").strip()


def _normal(code: str) -> str | None:
    for text in (code, f"{code}:\n    pass"):
        try:
            return ast.unparse(parse(text)).split("\n")[0].rstrip(":")
        except (SyntaxError, ValueError):
            continue
    return None


def _is_simple(unit: Unit) -> bool:
    return isinstance(unit.node, ast.stmt) and any(isinstance(one, ast.Call) for one in unit.nodes)


def _names_nothing(entry: str, text: str, files: Sequence[Sequence[Unit]]) -> str:
    names = {".".join((*one.scope, name)) for units in files for one in units for name in (*one.bound, *one.parameters)}
    alike = get_close_matches(text, sorted(names), 1)
    advice = f" Did you mean `{alike[0]}`?" if alike else ""
    if not alike and _PATH.fullmatch(text):
        shown = sorted(name for name in names if "." not in name)
        advice = f" It defines {', '.join(shown[:_MOST_NAMED])}{' and more' if len(shown) > _MOST_NAMED else ''}."
    return f"`task.protect` names {entry!r}, but nothing in generation 0 fits.{advice}"

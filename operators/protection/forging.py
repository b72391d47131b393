"""What a statement that generation 0 does not have may not report: an objective, in a line or in a file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operators.protection.output import LOGGING, NUMBER, UNKNOWN, outputs, text_of, texts_in
from operators.protection.units import Unit, words
from trainer.script.readings import printed_lines

_NUMBERS = (NUMBER, "1")
"""One with a fraction and one without: an expression may read either alone."""
_PRINTERS = words("print echo secho")
"""Methods of consoles."""
_BEGINS_AGAIN = re.compile(r"[\n\r\b](?:\x1b\[[0-?]*[ -/]*[@-~])*")
"""Where what follows may stand at the beginning of a line."""
_FILE_MAKERS = words("rename renames replace copy copy2 copyfile move link symlink")


@dataclass(frozen=True, slots=True)
class Reported:
    """Where an objective is read: a pattern for a printed line, or a JSON file."""

    name: str
    pattern: str | None = None
    json_file: str | None = None


def forges(new: Unit, reported: Sequence[Reported]) -> Iterator[str]:
    """Yield the objectives that a unit could report beside the protected statement."""
    texts = {text for part in _whole(new) for text in texts_in(part)}
    for one in reported:
        if one.json_file and any(text.endswith(one.json_file.rpartition("/")[2]) for text in texts):
            yield f"{one.json_file} holds `{one.name}`, and is written by protected code alone"
        elif one.json_file and any(_may_be(text, one.json_file) for node in new.nodes for text in _files_made(node)):
            yield f"only running tells whether it writes {one.json_file}, which holds `{one.name}`; write the name out"
        if one.pattern and any(_matches(one.pattern, text) for text in texts):
            yield f"it could print a line that is read as `{one.name}`, which protected code alone reports; reword it"
    patterns = [one.pattern for one in reported if one.pattern]
    # Lines of logs have beginnings of their own, so that a pattern for them reads on from anywhere.
    is_logged = any(not one.startswith("^") for one in patterns)
    is_indented = any(re.match(one, f" {_plain(one)}{number}") for one in patterns for number in _NUMBERS)
    for node in new.nodes:
        if isinstance(node, ast.Call) and (_is_printing(node) or (is_logged and _is_logging(node))):
            *_, last = lines = _BEGINS_AGAIN.split(outputs(node) or "")
            if any((line.lstrip() if is_indented else line).startswith(UNKNOWN) for line in lines):
                yield "it prints a line whose beginning only running tells; begin the line with a word in quotes"
            yield from (
                f"it could print the beginning of a line that is read as `{one.name}`; print whole lines"
                for one in reported
                if one.pattern and _begins(last, one.pattern)
            )


def _matches(pattern: str, text: str) -> bool:
    """Return whether a line of a text is read by a pattern, whatever the unknown parts are, or could go on to be."""
    known, is_open, label = pattern.partition(".*")
    # Where a pattern reads on from a beginning, an unknown part behind that may hold all of the rest.
    whole = f" {_plain(label)}{NUMBER}" if is_open and known.startswith("^") else NUMBER
    fillings = ((part, number) for number in _NUMBERS for part in (NUMBER, whole))
    filled = {(text.replace(UNKNOWN, part).replace(NUMBER, number), number) for part, number in fillings}
    return any(
        re.search(pattern, line) or (line.strip() and re.search(pattern, line + number))
        for text, number in filled
        for line in _lines_shown(text)
    )


def _lines_shown(text: str) -> list[str]:
    """Return the lines of a text as they are read from what a program prints."""
    return printed_lines(text.encode("utf-8", "surrogatepass"))


def _begins(last: str, pattern: str) -> bool:
    """Return whether what another statement prints behind an unended line could make it one that a pattern reads."""
    shown, label = "".join(_lines_shown(last.replace(UNKNOWN, NUMBER))).lstrip(), _plain(pattern.rpartition(".*")[2])
    starts = (label[:end] for end in range(1, len(label)))
    return any(shown == start if pattern.startswith("^") else shown.endswith(start) for start in starts)


def _plain(pattern: str) -> str:
    """Return a text that the part of a pattern before its group reads, as far as it is written out."""
    return re.sub(r"\\[bsdS][*+?]*|[\^*+?]", "", pattern.partition("(")[0]).replace("\\", "")


def _files_made(node: ast.AST) -> Iterator[str]:
    """Yield the names of the files that a call may make, as far as they are known."""
    match node:
        case ast.Call(func=ast.Name(id="open"), args=args, keywords=keywords):
            given = dict(zip(("file", "mode"), args, strict=False)) | {one.arg: one.value for one in keywords}
            yield from (text_of(given["file"]) for _ in (0,) if "file" in given and _writes(given.get("mode")))
        case ast.Call(func=ast.Attribute(value=path, attr="open"), args=[ast.Constant(value=str(mode))]) if set(
            mode
        ) <= set("rwaxbt+U"):
            yield from (text_of(path) for _ in (0,) if _writes(ast.Constant(mode)))
        case ast.Call(func=ast.Attribute(attr="open"), args=[file, mode, *_]) if _writes(mode):
            yield text_of(file)
        case ast.Call(func=ast.Attribute(value=file, attr="write_text" | "write_bytes")):
            yield text_of(file)
        case ast.Call(func=ast.Attribute(attr="savetxt" | "tofile" | "rename" | "hardlink_to"), args=[file, *_]) if (
            not isinstance(file, ast.Constant)
        ):
            yield text_of(file)
        case ast.Call(func=ast.Attribute(attr="replace"), args=[file]):
            yield text_of(file)
        case ast.Call(func=ast.Attribute(attr="extractall" | "unpack_archive")):
            yield UNKNOWN
        case ast.Call(func=ast.Attribute(value=ast.Name(id="os" | "shutil"), attr=name), args=args):
            yield from map(text_of, args if name in _FILE_MAKERS else ())


def _writes(mode: ast.expr | None) -> bool:
    """Return whether a file that is opened with a mode may be written to."""
    return mode is not None and (not isinstance(mode, ast.Constant) or bool(set(str(mode.value)) & set("wax+")))


def _may_be(text: str, file: str) -> bool:
    """Return whether a text with unknown parts may be the path of a file."""
    parts = map(re.escape, re.split(f"{UNKNOWN}+", text.rpartition("/")[2]))
    return UNKNOWN in text and bool(re.fullmatch(".*".join(parts), file.rpartition("/")[2]))


def _whole(unit: Unit) -> list[ast.AST]:
    """Return the nodes of a unit that are within no other."""
    within = {id(inner) for outer in unit.nodes for inner in ast.iter_child_nodes(outer)}
    return [one for one in unit.nodes if id(one) not in within]


def _is_logging(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr in LOGGING


def _is_printing(node: ast.Call) -> bool:
    """Return whether a call writes to the standard output."""
    files = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "file"]
    if any("stdout" not in file and file != "None" for file in files):
        return False
    return (
        (isinstance(node.func, ast.Name) and node.func.id.startswith("print"))
        or (isinstance(node.func, ast.Attribute) and node.func.attr in _PRINTERS)
        or ast.unparse(node.func) == "tqdm.write"
        or "stdout" in ast.unparse(node.func)
    )

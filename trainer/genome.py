"""What evolves, as one text: a file as it is, or several files one after the other under lines that name them.

Operators, the store and the family tree handle one text. A genome of several files is therefore their concatenation,
each under a marker line; being a comment, it leaves Python what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import resources

from trainer.errors import GenomeError

BUILT_IN = {"": "train.py", "textbook": "textbook.py"}
"""The built-in genomes of the language-model task by name: the strong one that has none, and a plain one."""

_MARKER = "# ===== evo file: {} ====="
_MARKED = re.compile(r"^# ===== evo file: .+ =====$", re.MULTILINE)


def built_in(name: str) -> str:
    """Return the source of a built-in genome."""
    return resources.files("trainer").joinpath("seed", BUILT_IN[name]).read_text(encoding="utf-8")


def join(files: Mapping[str, str]) -> str:
    """Return the text of a genome: of one file its content, of several each under its marker.

    Args:
        files: content by path relative to the project; contents of several end with a line end.
    """
    if len(files) == 1:
        return next(iter(files.values()))
    return "".join(f"{_MARKER.format(name)}\n{content}" for name, content in files.items())


def split(source: str, names: Sequence[str]) -> dict[str, str]:
    """Return the content of each file by its name; the inverse of `join`.

    Raises:
        GenomeError: not every name has its marker once and in this order, or there is text before the first.
    """
    if len(names) == 1:
        return {names[0]: source}
    markers = {_MARKER.format(name): name for name in names}
    files: dict[str, list[str]] = {}
    for line in source_lines(source, keepends=True):
        name = markers.get(line.rstrip("\n"))
        if name is not None and name not in files:
            files[name] = []
        elif name is not None or not files:
            raise GenomeError(_expected(names))
        else:
            next(reversed(files.values())).append(line)
    if tuple(files) != tuple(names):
        raise GenomeError(_expected(names))
    return {name: "".join(lines) for name, lines in files.items()}


def source_lines(source: str, *, keepends: bool = False) -> list[str]:
    """Return the lines of a program as Python counts them.

    `str.splitlines` also splits at form feeds, at the separators U+001C to U+001E and at U+0085, U+2028 and U+2029,
    which may stand within a line and within a string.
    """
    pieces = re.split("(\r\n|\r|\n)", source)
    ends = (*pieces[1::2], "")
    lines = [line + end if keepends else line for line, end in zip(pieces[::2], ends, strict=True)]
    return lines if pieces[-1] else lines[:-1]


def marked_lines(source: str) -> list[int]:
    """Return the numbers, from 1, of the lines under which a file of a genome begins; none in a genome of one file."""
    if _MARKED.search(source) is None:
        return []
    return [number for number, line in enumerate(source.split("\n"), 1) if _MARKED.fullmatch(line)]


def _expected(names: Sequence[str]) -> str:
    lines = ", ".join(f"`{_MARKER.format(name)}`" for name in names)
    return f"the genome is {len(names)} files, each under its own line and in this order: {lines}"

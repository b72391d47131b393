"""What evolves, as one text: a Python file as it is; another one, or several, under lines that name them.

Operators, the store and the family tree handle one text. A genome of several files is therefore their concatenation,
each under a marker line; being a comment, it leaves Python what it is. A single file in another language stands under
such a line, too, so that every text says what it is written in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from trainer.errors import GenomeError
from trainer.languages import PYTHON, Language, language_of

BUILT_IN = {"": "train.py", "textbook": "textbook.py"}
"""The built-in genomes of the language-model task by name: the strong one that has none, and a plain one."""

_MARKER_BEGIN = "# ===== evo file: "
_MARKER = _MARKER_BEGIN + "{} ====="
_MARKED = re.compile(rf"^{_MARKER_BEGIN}(.+) =====$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """One file within the text of a genome.

    Attributes:
        name: of the file; empty in a genome that is one Python file.
        line: the number of its first line in the whole, from 1.
        start: the offset of its first byte in the whole, in UTF-8.
    """

    name: str
    text: str
    line: int = 1
    start: int = 0

    @property
    def language(self) -> Language:
        """What it is written in."""
        return language_of(self.name) if self.name else PYTHON


def built_in(name: str) -> str:
    """Return the source of a built-in genome."""
    return resources.files("trainer").joinpath("seed", BUILT_IN[name]).read_text(encoding="utf-8")


def join(files: Mapping[str, str]) -> str:
    """Return the text of a genome: of one Python file its content, else each file under its marker.

    Args:
        files: content by path relative to the project; contents of several end with a line end.
    """
    if _is_plain(tuple(files)):
        return next(iter(files.values()))
    return "".join(f"{_MARKER.format(name)}\n{content}" for name, content in files.items())


def split(source: str, names: Sequence[str]) -> dict[str, str]:
    """Return the content of each file by its name; the inverse of `join`.

    Raises:
        GenomeError: not every name has its marker once and in this order, or there is text before the first.
    """
    if _is_plain(names):
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


def parts_of(source: str) -> list[Part]:
    """Return the files in the text of a genome, in their order."""
    # The text alone is found far faster than lines that begin with it, and most genomes are of one file.
    marks = list(_MARKED.finditer(source)) if _MARKER_BEGIN in source else []
    if not marks:
        return [Part("", source)]
    ends = [*(mark.start() for mark in marks[1:]), len(source)]
    return [
        Part(
            mark[1],
            source[mark.end() + 1 : end],
            source.count("\n", 0, mark.end()) + 2,
            len(source[: mark.end() + 1].encode("utf-8", "surrogatepass")),
        )
        for mark, end in zip(marks, ends, strict=True)
    ]


def language_of_genome(source: str) -> Language:
    """Return what a genome is written in: of several languages Python, or else the first."""
    languages = [part.language for part in parts_of(source)]
    return PYTHON if PYTHON in languages else languages[0]


def python_of(source: str) -> str:
    """Return the text of a genome with everything blank that is not Python; places stay what they are, in bytes."""
    foreign = [part for part in parts_of(source) if part.language is not PYTHON]
    if not foreign:
        return source
    data = bytearray(source.encode())
    for part in foreign:
        content = part.text.encode()
        data[part.start : part.start + len(content)] = re.sub(rb"[^\n]", b" ", content)
    return data.decode()


def with_python(source: str, python: str) -> str:
    """Return the text of a genome with other Python: the inverse of `python_of`, whose result was changed.

    Raises:
        GenomeError: the change touched a marker line.
    """
    kept = {part.name: part.text for part in parts_of(source) if part.language is not PYTHON}
    if not kept:
        return python
    changed = {part.name: part.text for part in parts_of(python)}
    return join(split(join(changed | kept), [part.name for part in parts_of(source)]))


def unmarked(source: str) -> str:
    """Return what is shown of a genome: of one file its content, of several the whole text."""
    parts = parts_of(source)
    return parts[0].text if len(parts) == 1 else source


def remarked(source: str, content: str) -> str:
    """Return the text of the genome that has another content than `source`: the inverse of `unmarked`."""
    parts = parts_of(source)
    return join({parts[0].name: content}) if len(parts) == 1 and parts[0].name else content


def marked_lines(source: str) -> list[int]:
    """Return the numbers, from 1, of the lines under which a file of a genome begins; none in a genome of one file."""
    if _MARKED.search(source) is None:
        return []
    return [number for number, line in enumerate(source.split("\n"), 1) if _MARKED.fullmatch(line)]


def _is_plain(names: Sequence[str]) -> bool:
    return len(names) == 1 and language_of(names[0]) is PYTHON


def _expected(names: Sequence[str]) -> str:
    lines = ", ".join(f"`{_MARKER.format(name)}`" for name in names)
    count = (
        "one file, under its own line"
        if len(names) == 1
        else f"{len(names)} files, each under its own line and in this order"
    )
    return f"the genome is {count}: {lines}"

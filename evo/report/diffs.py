"""The change between two sources as a unified diff with the colours of their language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import PythonLexer, get_lexer_by_name
from pygments.util import ClassNotFound

from evo.text import visible
from trainer.genome import language_of_genome, source_lines, unmarked
from trainer.languages import PYTHON, Language

_CONTEXT_LINES = 3
_LIGHT_STYLE, _DARK_STYLE = "default", "github-dark"


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a hunk.

    Attributes:
        sign: a space, `+` or `-`.
        number: the line's number in the new source; in the old one for a removed line.
        text: the line as it is, with invisible characters written out.
        code: the same as highlighted HTML.
    """

    sign: str
    number: int
    text: str
    code: Markup


@dataclass(frozen=True, slots=True)
class Diff:
    """The hunks of a change with the number of lines it added and removed."""

    hunks: tuple[tuple[DiffLine, ...], ...]

    @property
    def added(self) -> int:
        """Lines added."""
        return self._count("+")

    @property
    def removed(self) -> int:
        """Lines removed."""
        return self._count("-")

    def _count(self, sign: str) -> int:
        return sum(line.sign == sign for hunk in self.hunks for line in hunk)


def diff_of(old: str, new: str) -> Diff:
    """Return the change from `old` to `new`, with a few lines around each part."""
    old_lines, new_lines = _lines(old), _lines(new)
    groups = SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_grouped_opcodes(_CONTEXT_LINES)
    before = list(zip(map(visible, old_lines), _highlighted(old), strict=True))
    after = list(zip(map(visible, new_lines), _highlighted(new), strict=True))
    return Diff(tuple(tuple(_hunk(group, before, after)) for group in groups))


def style_sheet(selector: str) -> str:
    """Return the CSS rules of the highlighting under `selector`, for light and for dark pages."""
    light, dark = (
        HtmlFormatter(style=style, nobackground=True).get_style_defs(selector) for style in (_LIGHT_STYLE, _DARK_STYLE)
    )
    return f"{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}"


def _hunk(
    group: list[tuple[str, int, int, int, int]], old: Sequence[tuple[str, Markup]], new: Sequence[tuple[str, Markup]]
) -> Iterator[DiffLine]:
    for tag, old_start, old_end, new_start, new_end in group:
        if tag == "equal":
            yield from (DiffLine(" ", number + 1, *new[number]) for number in range(new_start, new_end))
        else:
            yield from (DiffLine("-", number + 1, *old[number]) for number in range(old_start, old_end))
            yield from (DiffLine("+", number + 1, *new[number]) for number in range(new_start, new_end))


def _lines(source: str) -> list[str]:
    """Return the lines that are shown of a source; of an empty one, an empty line."""
    return source_lines(unmarked(source)) or [""]


@lru_cache(maxsize=2)  # every source of a line is the new side of one step and the old side of the next
def _highlighted(source: str) -> tuple[Markup, ...]:
    """Return highlighted HTML for each of `_lines(source)`; the formatter closes its tags at every line's end."""
    lexer = _lexer(language_of_genome(source))
    text = visible("".join(f"{line}\n" for line in _lines(source)))
    page = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return tuple(Markup(line) for line in page.removesuffix("\n").split("\n"))  # noqa: S704 - pygments escapes the code


def _lexer(language: Language) -> Lexer:
    """Return what colours a language; nothing does for some."""
    if language is PYTHON:
        return PythonLexer(stripnl=False)
    try:
        return get_lexer_by_name(language.name, stripnl=False)
    except ClassNotFound:
        return get_lexer_by_name("text", stripnl=False)

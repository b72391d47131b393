"""Text for a terminal and for a pipe: what fits on a screen there, and every word of it here.

On a terminal a line that ends in an idea is cut at the right edge; in a pipe no result is cut, wrapped or coloured.
What goes to stderr while a run is under way keeps to 80 columns in a log file, too, or to COLUMNS.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from evo.text import visible

_GAP = "  "
_LABEL_WIDTH = 14
_LOG_WIDTH = 80
_SPARKS = "▁▂▃▄▅▆▇█"


class _Log(Console):
    """Tells of a run while it is under way; a reader that is gone, as `| head` is, counts as a closed terminal."""

    def on_broken_pipe(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())
        os.close(nowhere)
        signal.raise_signal(signal.SIGHUP)


def stdout_console() -> Console:
    """Return a console for results."""
    return Console(highlight=False)


def stderr_console() -> Console:
    """Return a console for everything that is no result."""
    console = _Log(stderr=True, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _LOG_WIDTH  # instead of that of a terminal which stdin may be
    return console


class Remarks:
    """What every view of work under way has: a console on stderr, and remarks on it."""

    def __init__(self) -> None:
        self._console = stderr_console()

    def note(self, message: str) -> None:
        """Show a remark."""
        self._say(f"[yellow]{literal(message)}[/]")

    def _say(self, markup: str) -> None:
        print_prose(self._console, markup)


def literal(text: str) -> str:
    """Return untrusted text with its invisible characters written out, safe inside rich markup."""
    return escape(visible(text))


def one_line(text: str) -> str:
    """Return untrusted text as one line, safe inside rich markup."""
    return literal(" ".join(text.split()))


def idea_beside(operator: str, idea: str) -> str:
    """Return an idea as one line, without the operator's name in front of it where that is told beside it."""
    return one_line(idea.removeprefix(f"{operator}: "))


def shell_word(path: Path) -> str:
    """Return a path as one copies it into a shell, safe inside rich markup."""
    return literal(shlex.quote(str(path)))


def print_line(console: Console, line: str | Text) -> None:
    """Print one line, text or rich markup, cut at the edge of a terminal."""
    text = Text.from_markup(line) if isinstance(line, str) else line
    if console.is_terminal:
        console.print(text, no_wrap=True, overflow="ellipsis")
    else:
        console.print(text, soft_wrap=True)


def print_cut(console: Console, line: str) -> None:
    """Print one line of rich markup, cut at the width of the console, be it a terminal or a log file."""
    text = Text.from_markup(line)
    text.truncate(console.width, overflow="ellipsis")
    console.print(text, soft_wrap=True)


def print_whole(console: Console, markup: str) -> None:
    """Print rich markup without cutting or wrapping it, so that what is copied from it is whole."""
    console.print(Text.from_markup(markup), soft_wrap=True)


def print_prose(console: Console, markup: str) -> None:
    """Print sentences in rich markup, wrapped between words on a terminal and in a log file, not in piped results."""
    text = Text.from_markup(markup)
    for line in _wrapped(text, console.width) if console.is_terminal or console.stderr else [text]:
        console.print(line, soft_wrap=True)


def print_labelled(console: Console, label: str, markup: str) -> None:
    """Print a fact in rich markup behind its label; on a terminal it is wrapped beside it."""
    text = Text.from_markup(markup)
    lines = _wrapped(text, console.width - _LABEL_WIDTH) if console.is_terminal else [text]
    for number, line in enumerate(lines):
        console.print(Text(f"{'' if number else label:<{_LABEL_WIDTH}}") + line, soft_wrap=True)


def print_block(console: Console, text: str) -> None:
    """Print untrusted lines of text as they are, indented."""
    for line in text.split("\n"):
        console.print(Text(f"  {visible(line)}".rstrip()), soft_wrap=True)


def print_table(console: Console, header: Sequence[str], rows: Iterable[Sequence[str]], left: Collection[str]) -> None:
    """Print aligned columns of rich markup; the last column is cut where the terminal is narrow.

    Numbers stand to the right; the columns named in `left` are aligned to the left.
    """
    names = [Text(name, style="bold") for name in header]
    table = [names, *([Text.from_markup(cell) for cell in row] for row in rows)]
    widths = [max(text.cell_len for text in column) for column in zip(*table, strict=True)]
    for row in table:
        line = Text()
        for name, text, width in zip(header, row, widths, strict=True):
            padding = " " * (width - text.cell_len)
            line.append_text(text + padding if name in left else Text(padding) + text)
            line.append(_GAP)
        line.rstrip()
        print_line(console, line)


def _wrapped(text: Text, width: int) -> list[Text]:
    """Return lines of whole words, of `width` columns where the words allow: a path is not broken."""
    starts, column = [], 0
    for word in re.finditer(r"\S+\s*", text.plain):
        if column and column + cell_len(word[0].rstrip()) > width:
            starts.append(word.start())
            column = 0
        column += cell_len(word[0])
    lines = text.divide(starts)
    for line in lines:
        line.rstrip()
    return list(lines)


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """Return a row of bars for finite values, of which at most `width` are shown, evenly spread."""
    if len(values) > width:
        values = [values[round(place * (len(values) - 1) / (width - 1))] for place in range(width)]
    if not values:
        return ""
    lowest, span = min(values), max(values) - min(values)
    top = len(_SPARKS) - 1
    return "".join(_SPARKS[round((value - lowest) / span * top) if span else 0] for value in values)

"""What the trusted side reads off a genome and the weights that it hands over."""

from __future__ import annotations

import ast
import contextlib
import io
import math
import shutil
import stat
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open

from trainer.evaluation import Status
from trainer.genome import parts_of, python_of
from trainer.ipc.candidate_protocol import GENOME_FILE, WEIGHTS_FILE
from trainer.languages import PYTHON, Language
from trainer.supervisor.watch import Ended

_LINE_LENGTH = 120  # bytes in UTF-8: a character can stand for three bytes of packed code
_NUMBER_BYTES = 4
_HEADER_LIMIT_BYTES = 16 * 2**20


def executed(source: str) -> str:
    """Return a program without what does nothing in it: comments, docstrings and blanks; to be written as UTF-8.

    Candidates run that, since code in any of these can be read and executed, and nothing counts it. Every line keeps
    its number.

    Raises:
        Ended: the source is not a Python program.
    """
    with _crashing():
        data = source.encode()
        tree = ast.parse(data, GENOME_FILE)  # first, since it says best what is wrong
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        lines = list(io.TextIOWrapper(io.BytesIO(data), encoding))
        tokens = list(tokenize.tokenize(io.BytesIO(data).readline))
        within = {number for token in tokens for number in range(token.start[0], token.end[0])}  # a string
        # From the end, so that positions before stay what they are.
        spans = [(*token.start, *token.end, "") for token in tokens if token.type == tokenize.COMMENT]
        for first, start, last, end, instead in sorted([*spans, *_docstrings(tree, lines)], reverse=True):
            rest = lines[last - 1][end:]
            if first < last:
                lines[first:last] = [*["\n"] * (last - 1 - first), rest]
                lines[first - 1] = f"{lines[first - 1][:start]}{instead}\n"
            else:
                lines[first - 1] = lines[first - 1][:start] + instead + rest
        return "".join(line if number in within else _trimmed(line) for number, line in enumerate(lines, 1))


def _trimmed(line: str) -> str:
    """Return a line without blanks at its end, or before the backslash there; of blanks alone without those."""
    text = line.rstrip()
    if text.endswith("\\"):
        text = f"{text[:-1].rstrip()} \\"
    return f"{text}\n" if line.endswith("\n") else text


def code_lines(source: str) -> int:
    """Return the number of lines that carry code or text: neither blank, nor comment, nor docstring.

    A longer line counts as often as 120 bytes (in UTF-8) fit into it, begun ones included.

    Raises:
        Ended: its Python is none.
    """
    others = [part for part in parts_of(source) if part.language is not PYTHON]
    return _python_lines(python_of(source)) + sum(_other_lines(part.text, part.language) for part in others)


def _other_lines(text: str, language: Language) -> int:
    if language.block_comment:
        text = _without_comments(text, *language.block_comment)
    lines = [line.strip() for line in text.split("\n")]
    comment = language.line_comment
    return sum(_length(line) for line in filter(None, lines) if not comment or not line.startswith(comment))


def _without_comments(text: str, opening: str, closing: str) -> str:
    """Return a text without its comments, in one go through it; one that is not closed stays."""
    kept: list[str] = []
    end = 0
    while (begin := text.find(opening, end)) >= 0 and (close := text.find(closing, begin + len(opening))) >= 0:
        kept.append(text[end:begin])
        end = close + len(closing)
    return "".join([*kept, text[end:]])


def _length(line: str) -> int:
    """Return how often a line counts."""
    return math.ceil(len(line.encode()) / _LINE_LENGTH) or 1


def _python_lines(source: str) -> int:
    bare = executed(source)
    lines = bare.split("\n")
    with _crashing():
        # As bytes, which Python reads from the file: a byte-order mark or a declared encoding counts.
        data = bare.encode()
        for first, start, *_ in _docstrings(ast.parse(data, GENOME_FILE), lines):
            lines[first - 1] = lines[first - 1][:start] + lines[first - 1][start + len('""') :]
        tokens = tokenize.tokenize(io.BytesIO(data).readline)
        within = {number for token in tokens for number in range(token.start[0], token.end[0])}  # a string
    return sum(_length(line) for number, line in enumerate(lines, 1) if number in within or line.strip())


def _docstrings(tree: ast.Module, lines: Sequence[str]) -> Iterator[tuple[int, int, int, int, str]]:
    """Yield where docstrings begin and end (line from 1, column, twice), and what stands for them.

    One of several lines whose last goes on with code is none: nothing could stand for it there.
    """
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            text = node.body[0]
            first, last = text.lineno, text.end_lineno or text.lineno
            start = len(lines[first - 1].encode()[: text.col_offset].decode())
            end = len(lines[last - 1].encode()[: text.end_col_offset or 0].decode())
            if first == last or not lines[last - 1][end:].partition("#")[0].strip():
                yield first, start, last, end, '""'


@contextlib.contextmanager
def _crashing() -> Iterator[None]:
    """Raise Ended for what Python would say of a source that is no program."""
    try:
        yield
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        raise Ended(Status.CRASHED, f"{type(error).__name__}: {error}") from error


def take_weights(handed: Path, kept: Path) -> Path:
    """Move a weights file out of reach of the process that wrote it; return `kept`.

    Raises:
        Ended: it is anything but an ordinary file with a single name.
    """
    try:
        found = handed.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            raise Ended(Status.REJECTED, f"handed over {handed.name}, but not as an ordinary file")
        return handed.rename(kept)
    except OSError as error:
        raise Ended(Status.REJECTED, f"handed over no {handed.name}: {error.strerror}") from error


def give_weights(kept: Path, scratch: Path) -> None:
    """Put a copy of a weights file into the folder of a candidate, which may have put anything there.

    Raises:
        Ended: there is no place for it.
    """
    copy = kept.with_suffix(".copy")
    shutil.copyfile(kept, copy)
    try:
        copy.rename(scratch / WEIGHTS_FILE)  # which replaces a link, and follows none
    except OSError as error:
        copy.unlink()
        raise Ended(Status.REJECTED, f"left no place for {WEIGHTS_FILE}: {error.strerror}") from error


def read_parameters(weights: Path) -> int:
    """Return the size of a weights file in numbers of four bytes, its header included (tied tensors are saved once).

    Not the number of its numbers: two weights fit into one, and names and notes in the header could hold all of them.

    Raises:
        Ended: the file is not a safetensors file, or describes itself at an absurd length.
    """
    try:
        with weights.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
        if header_bytes > _HEADER_LIMIT_BYTES:
            raise Ended(Status.REJECTED, f"handed over weights with a header of {header_bytes} bytes")
        with safe_open(weights, framework="numpy"):
            return math.ceil(weights.stat().st_size / _NUMBER_BYTES)
    except (SafetensorError, OSError) as error:
        raise Ended(Status.REJECTED, f"handed over weights that cannot be read: {error}") from error

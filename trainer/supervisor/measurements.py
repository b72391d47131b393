"""What the trusted side reads off a genome and the weights that it hands over."""

from __future__ import annotations

import ast
import io
import math
import re
import stat
import tokenize
from pathlib import Path

from safetensors import SafetensorError, safe_open

from trainer.evaluation import Status
from trainer.genome import parts_of, python_of
from trainer.ipc.candidate_protocol import GENOME_FILE
from trainer.languages import PYTHON, Language
from trainer.supervisor.watch import Ended

_LAYOUT = frozenset(
    (
        *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT),
        *(tokenize.ENCODING, tokenize.ENDMARKER),
    )
)
_HEADER_LIMIT_BYTES = 16 * 2**20


def code_lines(source: str) -> int:
    """Return the number of lines that carry code or text: neither blank, nor comment, nor docstring.

    Raises:
        Ended: its Python is none.
    """
    others = [part for part in parts_of(source) if part.language is not PYTHON]
    return _python_lines(python_of(source)) + sum(_other_lines(part.text, part.language) for part in others)


def _other_lines(text: str, language: Language) -> int:
    for opening, closing in [language.block_comment] if language.block_comment else []:
        text = re.sub(f"{re.escape(opening)}.*?{re.escape(closing)}", "", text, flags=re.DOTALL)
    lines = [line.strip() for line in text.split("\n")]
    return sum(not language.line_comment or not line.startswith(language.line_comment) for line in filter(None, lines))


def _python_lines(source: str) -> int:
    lines: set[int] = set()
    try:
        # As bytes, which Python reads from the file: a byte-order mark or a declared encoding counts.
        data = source.encode()
        docstring_lines = _docstring_lines(ast.parse(data, GENOME_FILE))
        for token in tokenize.tokenize(io.BytesIO(data).readline):
            if token.type not in _LAYOUT:
                lines.update(range(token.start[0], token.end[0] + 1))
    except (SyntaxError, tokenize.TokenError, ValueError, RecursionError, MemoryError) as error:
        raise Ended(Status.CRASHED, f"{type(error).__name__}: {error}") from error
    return len(lines - docstring_lines)


def _docstring_lines(tree: ast.Module) -> set[int]:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


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


def read_parameters(weights: Path) -> int:
    """Return how many numbers a weights file holds (tied tensors are saved once).

    Raises:
        Ended: the file is not a safetensors file, or describes itself at an absurd length.
    """
    try:
        with weights.open("rb") as file:
            header_bytes = int.from_bytes(file.read(8), "little")
        if header_bytes > _HEADER_LIMIT_BYTES:
            raise Ended(Status.REJECTED, f"handed over weights with a header of {header_bytes} bytes")
        with safe_open(weights, framework="numpy") as tensors:
            return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise Ended(Status.REJECTED, f"handed over weights that cannot be read: {error}") from error

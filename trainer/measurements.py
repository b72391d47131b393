"""Objectives that are read off the genome and its weights by the trusted side."""

from __future__ import annotations

import ast
import io
import math
import tokenize
from pathlib import Path

from safetensors import SafetensorError, safe_open

from trainer.evaluation import Status
from trainer.watch import Ended

_LAYOUT = frozenset(
    (
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENCODING,
        tokenize.ENDMARKER,
    )
)


def code_lines(source: str) -> int:
    """Return the number of lines that carry code: neither blank, nor comment, nor docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - _docstring_lines(ast.parse(source)))


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def read_parameters(weights: Path) -> int:
    """Return how many numbers a weights file holds (tied tensors are saved once).

    Raises:
        Ended: the file is not a safetensors file.
    """
    try:
        with safe_open(weights, framework="numpy") as tensors:
            return sum(math.prod(tensors.get_slice(name).get_shape()) for name in tensors.keys())  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise Ended(Status.REJECTED, f"handed over weights that cannot be read: {error}") from error

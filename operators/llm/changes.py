"""What a program changed against another: the whole difference, or a summary where that is too long; never a part."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterator, Sequence

from operators.llm.text import clean_text, fenced, one_line
from trainer.errors import counted
from trainer.source_text import UNREADABLE, parse

_MOST_NAMES = 12
_NAME_CHARACTERS = 60


def changes(before: str, after: str, limit_characters: int) -> str:
    """Return how `after` differs from `before`: a fenced unified diff, or a sentence where that would be too long."""
    lines, other = (clean_text(source).split("\n") for source in (before, after))
    difference = list(difflib.unified_diff(lines, other, n=2, lineterm=""))[2:]
    text = "\n".join(difference)
    return fenced(text, "diff") if len(text) <= limit_characters else _summary(difference, before, after)


def _summary(difference: list[str], before: str, after: str) -> str:
    added, removed = (sum(line.startswith(sign) for line in difference) for sign in "+-")
    old, new = dict(_definitions(before)), dict(_definitions(after))
    names = {
        "new": [name for name in new if name not in old],
        "changed": [name for name in new if name in old and old[name] != new[name]],
        "gone": [name for name in old if name not in new],
    }
    parts = [f"{kind}: {_listed(found)}" for kind, found in names.items() if found]
    changed = "; ".join(parts) or "outside definitions"
    return f"(Too long to show: {counted(added, 'line')} added, {removed} removed; {changed}.)"


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(f"`{one_line(name, _NAME_CHARACTERS)}`" for name in names[:_MOST_NAMES]) + more


def _definitions(source: str) -> Iterator[tuple[str, str]]:
    """Yield the qualified names of functions, methods, classes' other bodies and constants, with their code."""
    try:
        tree = parse(source)
    except UNREADABLE:  # several files in one text, or another language
        return
    lines = source.split("\n")
    for node in tree.body:
        yield from _named("", node, lines)


def _named(prefix: str, node: ast.stmt, lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    # Unparsing would recurse into expressions, which may be deeper than that allows.
    code = "\n".join(lines[node.lineno - 1 : node.end_lineno])
    if isinstance(node, ast.ClassDef):
        for inner in node.body:
            yield from _named(f"{prefix}{node.name}.", inner, lines)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield prefix + node.name, code
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        # Names alone: a string within a subscript may hold any text.
        names = [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        yield prefix + ", ".join(names), code

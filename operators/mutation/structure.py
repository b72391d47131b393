"""Random mutation of structure: one small edit of the syntax that leaves comments and layout elsewhere as they are."""

from __future__ import annotations

from functools import lru_cache
from random import Random

import libcst as cst

from operators.attempts import Draft, Mutation
from operators.mutation.expression_edits import EXPRESSION_EDITS
from operators.mutation.other_edits import TextChange, edits_of
from operators.mutation.statement_edits import STATEMENT_EDITS
from operators.mutation.syntax import Change, Edit, Syntax
from operators.mutation.torch_edits import TORCH_EDITS
from operators.proposal import NoOffspring
from operators.protection import UNPROTECTED, Protection
from populations.diversity import foreign_parts
from trainer.errors import GenomeError
from trainer.genome import Part, parts_of, unmarked
from trainer.languages import PYTHON
from trainer.source_text import UNREADABLE, Splice, spliced

EDITS: dict[str, Edit] = EXPRESSION_EDITS | STATEMENT_EDITS | TORCH_EDITS
"""All edits by name; each is as likely as the others, however many places it fits."""

_SHOWN_CHARACTERS = 80
_MOST_DRAWN = 100
"""Changes of one kind that are tried beside protected code."""
_SHOWN_BEFORE_DIFFERENCE = 30


class StructureMutation(Mutation):
    """Makes one random edit in one place of its parent."""

    name = "structure"

    def mutate(self, source: str, random: Random, protection: Protection = UNPROTECTED) -> Draft:
        """Draw an edit that fits somewhere in `source`, then one of its changes; of several files one changes.

        Raises:
            NoOffspring: no edit fits, or LibCST cannot read the source.
        """
        others = [part for part in foreign_parts(source) if edits_of(part)]
        is_python = any(part.language is PYTHON for part in parts_of(source))
        for part in random.sample(others, len(others)) if others else ():
            if is_python and random.random() < 1 / (1 + len(others)):
                break
            if draft := _text_draft(source, part, random, protection):
                return draft
        if not is_python:
            raise NoOffspring("structure: no edit fits the parent")
        return _python_draft(source, random, protection)


def _python_draft(source: str, random: Random, protection: Protection) -> Draft:
    """Return a source with a change of its Python; raise NoOffspring if nothing fits."""
    try:
        syntax = _syntax(source)
        for name in random.sample(sorted(EDITS), len(EDITS)):
            changes = list(EDITS[name](syntax))
            if changes and (draft := _drawn(changes, syntax, random, protection)):
                return draft
    except (cst.ParserSyntaxError, RecursionError) as error:
        raise NoOffspring(f"structure: LibCST cannot read the parent: {error}") from None
    except GenomeError as error:
        raise NoOffspring(f"structure: the change would have touched the line of a file: {error}") from None
    raise NoOffspring("structure: no edit fits the parent")


def _text_draft(source: str, part: Part, random: Random, protection: Protection) -> Draft | None:
    """Return a source with a change of a file that is not Python; None if nothing fits."""
    edits = edits_of(part)
    fixed = protection.lines(source)
    for name in random.sample(sorted(edits), len(edits)):
        changes = [one for one in edits[name](part) if not _lines_of(one, part) & fixed]
        if changes:
            change = random.choice(changes)
            moved = [Splice(part.start + one.start, part.start + one.end, one.text) for one in change.splices]
            line = min(_lines_of(change, part)) - source.count("\n") + unmarked(source).count("\n")
            return Draft(spliced(source, moved), f"structure: line {line}: {change.phrase}")
    return None


def _lines_of(change: TextChange, part: Part) -> set[int]:
    """Return the lines of the whole source that a change touches."""
    data = part.text.encode()
    return {
        part.line + line
        for one in change.splices
        for line in range(data.count(b"\n", 0, one.start), data.count(b"\n", 0, one.end) + 1)
    }


def _drawn(changes: list[Change], syntax: Syntax, random: Random, protection: Protection) -> Draft | None:
    """Return one of some changes, applied; None if those that were tried change protected code."""
    if not protection:
        return _apply(random.choice(changes), syntax)
    fixed = protection.lines(syntax.source)
    for change in random.sample(changes, min(_MOST_DRAWN, len(changes))):
        source = syntax.replaced(change.old, change.new)
        line = _first_difference(syntax.source.split("\n"), source.split("\n")) + 1
        if line not in fixed and _stands(source, protection):
            return _apply(change, syntax)
    return None


def _stands(source: str, protection: Protection) -> bool:
    try:
        return protection.violation(source) is None
    except UNREADABLE:
        return True  # the gate says so


@lru_cache(maxsize=1)
def _syntax(source: str) -> Syntax:
    """Parse, once for all attempts at one parent."""
    return Syntax(source)


def _apply(change: Change, syntax: Syntax) -> Draft:
    source = syntax.replaced(change.old, change.new)
    line = _first_difference(syntax.source.split("\n"), source.split("\n")) + 1
    texts = _excerpts([syntax.text(node) for node in change.shown or (change.old, change.new)])
    return Draft(source, f"structure: line {line}: {change.phrase.format(*texts)}")


def _first_difference(a: list[str] | str, b: list[str] | str) -> int:
    pairs = zip(a, b, strict=False)
    return next((index for index, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _excerpts(texts: list[str]) -> list[str]:
    """Shorten long texts to the surroundings of their first difference."""
    start = max(0, _first_difference(texts[0], texts[-1]) - _SHOWN_BEFORE_DIFFERENCE) if len(texts) > 1 else 0
    return [_excerpt(text, start) for text in texts]


def _excerpt(text: str, start: int) -> str:
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    end = start + _SHOWN_CHARACTERS
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")

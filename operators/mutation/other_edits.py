"""Edits of sources that are not Python, as splices of their text.

Programs in C, C++, CUDA and Rust: operators, numbers and statements, and the order of nested loops. Prose: sentences,
deleted, swapped and moved to the end, as instruction search does it (GrIPS, Prasad et al. 2022).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from populations.grammar import PROGRAMS, members_of, nodes_of, text_of, tree_of
from trainer.genome import Part
from trainer.source_text import Splice

if TYPE_CHECKING:
    from tree_sitter import Node

_OPERATORS: Mapping[str, Sequence[str]] = {
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "<<": (">>",),
    ">>": ("<<",),
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+=": ("-=", "="),
    "-=": ("+=",),
    "*=": ("/=",),
    "/=": ("*=",),
}
_NUMBERS = frozenset({"number_literal", "integer_literal", "float_literal"})
_DIGITS = re.compile(r"\d+(?!\.)")
_BLOCKS = frozenset({"compound_statement", "block"})
_MOVABLE = frozenset(
    {"expression_statement", "for_statement", "while_statement", "if_statement", "for_expression", "if_expression"}
)
_JUMPS = ("return", "break", "continue")
_LONGEST_SHOWN = 60
_SENTENCE = re.compile(r"\S.*?(?:[.!?:](?=\s|$)|$)")


@dataclass(frozen=True, slots=True)
class TextChange:
    """A change of one part of a genome.

    Attributes:
        splices: with offsets in the part.
        phrase: what was done, in words.
    """

    splices: tuple[Splice, ...]
    phrase: str


TextEdit = Callable[[Part], Iterator[TextChange]]


def swap_operator(part: Part) -> Iterator[TextChange]:
    """Put another operator of its kind in the place of one."""
    for node in _nodes(part):
        if not node.is_named and node.parent is not None and len(node.parent.children) == 3:
            yield from (_replaced(node, other) for other in _OPERATORS.get(text_of(node), ()))


def change_number(part: Part) -> Iterator[TextChange]:
    """Double, halve or step a whole number."""
    for node in _nodes(part):
        match = _DIGITS.fullmatch(text_of(node)) if node.type in _NUMBERS else None
        if match:
            number = int(match[0])
            values = {number + 1, 2 * number, number // 2, max(number - 1, 0)} - {number}
            yield from (_replaced(node, str(value)) for value in sorted(values))


def delete_statement(part: Part) -> Iterator[TextChange]:
    """Leave a statement out."""
    for block in _blocks(part):
        yield from (TextChange((_cut(one),), f"deleted {_quoted(one)}") for one in block if _is_movable(one))


def duplicate_statement(part: Part) -> Iterator[TextChange]:
    """Do an assignment or a call twice."""
    for block in _blocks(part):
        for one in block:
            if one.type == "expression_statement" and _is_movable(one):
                splice = Splice(one.end_byte, one.end_byte, f" {text_of(one)}")
                yield TextChange((splice,), f"duplicated {_quoted(one)}")


def swap_statements(part: Part) -> Iterator[TextChange]:
    """Exchange two neighbouring statements."""
    for block in _blocks(part):
        for first, second in pairwise(block):
            if _is_movable(first) and _is_movable(second):
                yield TextChange(_exchanged(first, second), f"swapped {_quoted(first)} and {_quoted(second)}")


def interchange_loops(part: Part) -> Iterator[TextChange]:
    """Exchange the heads of two loops of which one holds nothing but the other."""
    for outer in _nodes(part):
        body = outer.child_by_field_name("body") if outer.type in ("for_statement", "for_expression") else None
        inner = _only(body) if body is not None else None
        if inner is None or inner.type != outer.type:
            continue
        heads = [_head(loop) for loop in (outer, inner)]
        (start, end, text), (inner_start, inner_end, inner_text) = heads
        splices = (Splice(start, end, inner_text), Splice(inner_start, inner_end, text))
        yield TextChange(splices, f"interchanged the loops `{' '.join(text.split())}` and `{inner_text}`")


def delete_sentence(part: Part) -> Iterator[TextChange]:
    """Leave a sentence out."""
    sentences = _sentences(part)
    for start, end, text in sentences if len(sentences) > 1 else ():
        yield TextChange((Splice(start, _behind(part, end), ""),), f"deleted “{_shown(text)}”")


def swap_sentences(part: Part) -> Iterator[TextChange]:
    """Exchange two neighbouring sentences."""
    for (start, end, text), (other_start, other_end, other) in pairwise(_sentences(part)):
        splices = (Splice(start, end, other), Splice(other_start, other_end, text))
        yield TextChange(splices, f"swapped “{_shown(text)}” and “{_shown(other)}”")


def move_sentence_to_end(part: Part) -> Iterator[TextChange]:
    """Say a sentence last."""
    length = len(part.text.encode())
    for start, end, text in _sentences(part)[:-1]:
        splices = (Splice(start, _behind(part, end), ""), Splice(length, length, f"{text}\n"))
        yield TextChange(splices, f"moved “{_shown(text)}” to the end")


PROGRAM_EDITS: Mapping[str, TextEdit] = {
    "swap an operator": swap_operator,
    "change a number": change_number,
    "delete a statement": delete_statement,
    "duplicate a statement": duplicate_statement,
    "swap two statements": swap_statements,
    "interchange two loops": interchange_loops,
}
PROSE_EDITS: Mapping[str, TextEdit] = {
    "delete a sentence": delete_sentence,
    "swap two sentences": swap_sentences,
    "move a sentence to the end": move_sentence_to_end,
}


def edits_of(part: Part) -> Mapping[str, TextEdit]:
    """Return the edits that fit the language of a part; none for data, whose values constants vary."""
    if part.language.is_prose:
        return PROSE_EDITS
    return PROGRAM_EDITS if part.language.name in PROGRAMS else {}


def _nodes(part: Part) -> Iterator[Node]:
    return nodes_of(tree_of(part.text, part.language))


def _blocks(part: Part) -> Iterator[Sequence[Node]]:
    """Yield the statements of each block."""
    for node in _nodes(part):
        if node.type in _BLOCKS:
            yield members_of(node)


def _is_movable(statement: Node) -> bool:
    return statement.type in _MOVABLE and not statement.has_error and not text_of(statement).startswith(_JUMPS)


def _only(body: Node) -> Node | None:
    """Return the only statement of a loop's body."""
    if body.type not in _BLOCKS:
        return body
    inside = body.named_children
    if len(inside) != 1:
        return None
    return inside[0].named_children[0] if inside[0].type == "expression_statement" else inside[0]


def _head(loop: Node) -> tuple[int, int, str]:
    """Return where the head of a loop stands, up to its body, and its text."""
    body = loop.child_by_field_name("body")
    assert body is not None  # noqa: S101 - it is a loop
    text = (loop.text or b"")[: body.start_byte - loop.start_byte].rstrip()
    return loop.start_byte, loop.start_byte + len(text), text.decode()


def _exchanged(first: Node, second: Node) -> tuple[Splice, ...]:
    return (
        Splice(first.start_byte, first.end_byte, text_of(second)),
        Splice(second.start_byte, second.end_byte, text_of(first)),
    )


def _replaced(node: Node, text: str) -> TextChange:
    around = node.parent if node.parent is not None and len(text_of(node.parent)) <= _LONGEST_SHOWN else node
    return TextChange(
        (Splice(node.start_byte, node.end_byte, text),), f"`{text_of(node)}` → `{text}` in {_quoted(around)}"
    )


def _cut(node: Node) -> Splice:
    return Splice(node.start_byte, node.end_byte, "")


def _quoted(node: Node) -> str:
    return f"`{_shown(text_of(node))}`"


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"


def _sentences(part: Part) -> list[tuple[int, int, str]]:
    """Return the sentences of a prose, each with its offsets in bytes; a line ends one, and lines with marks stay."""
    found: list[tuple[int, int, str]] = []
    start = 0
    for line in part.text.split("\n"):
        for match in _SENTENCE.finditer(line) if "evo:" not in line else ():
            begin = start + len(line[: match.start()].encode())
            found.append((begin, begin + len(match[0].encode()), match[0]))
        start += len(line.encode()) + 1
    return found


def _behind(part: Part, end: int) -> int:
    """Return the offset behind the blank or the line end that follows a sentence."""
    return end + (part.text.encode()[end : end + 1] in (b" ", b"\n"))

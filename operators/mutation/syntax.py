"""A LibCST tree in which single nodes are found by kind and replaced quickly.

LibCST's own `deep_replace` rebuilds the whole tree for every edit. Here one walk remembers where each node hangs, and
a replacement rebuilds only the node's ancestors: 0.2 ms instead of 30 for a program of 600 lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from typing import NamedTuple, TypeVar, cast

import libcst as cst

from trainer.genome import python_of, with_python

Node = TypeVar("Node", bound=cst.CSTNode)

_LAYOUT = (cst.BaseParenthesizableWhitespace, cst.EmptyLine, cst.Comment, cst.Newline, cst.TrailingWhitespace)
_SKIPPED_FIELDS = frozenset(
    {"lpar", "rpar", "lbracket", "rbracket", "comma", "dot", "equal", "semicolon"}
    | {"leading_lines", "lines_after_decorators", "header", "footer"}
    | {"annotation", "returns"}
)
"""Punctuation, layout and type hints: nothing in them is worth an edit."""

_ATOMS = (cst.Name, cst.Attribute, cst.Call, cst.Subscript, cst.BaseNumber, cst.List, cst.Dict, cst.SimpleString)


class Place(NamedTuple):
    """Where a node hangs: in a field of its parent, at `position` if the field is a sequence."""

    parent: cst.CSTNode
    field: str
    position: int | None


class Syntax:
    """The concrete syntax of the Python of a source that Python's own parser accepts.

    LibCST's parser recurses on the machine's stack, so hand it nothing that Python has not refused to nest too deeply.

    Raises:
        libcst.ParserSyntaxError: LibCST does not know this syntax.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.module = cst.parse_module(python_of(source))
        self._places: dict[int, Place] = {}
        self._by_kind: dict[type[cst.CSTNode], list[cst.CSTNode]] = {}
        self._children: dict[int, list[cst.CSTNode]] = {}
        self._index()

    def of_kind(self, kind: type[Node]) -> Sequence[Node]:
        """Return all nodes of exactly this class, in the order of the source."""
        return self._by_kind.get(kind, [])  # type: ignore[return-value]  # the index is keyed by the nodes' own class

    def place(self, node: cst.CSTNode) -> Place | None:
        """Return where `node` hangs; None for the module."""
        return self._places.get(id(node))

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes around `node`, innermost first."""
        place = self.place(node)
        while place is not None:
            yield place.parent
            place = self.place(place.parent)

    def within(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield `node` and all nodes inside it, in the order of the source."""
        stack = [node]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(self._children[id(node)]))

    def text(self, node: cst.CSTNode) -> str:
        """Return the code of `node` on one line, without surrounding blank lines and comments."""
        return " ".join(self.module.code_for_node(node).split())

    def replaced(self, old: cst.CSTNode, new: cst.CSTNode) -> str:
        """Return the source with `new` in the place of `old`, every other byte unchanged."""
        place = self.place(old)
        while place is not None:
            parent, field, position = place
            if position is None:
                new = parent.with_changes(**{field: new})
            else:
                siblings = [*getattr(parent, field)]
                siblings[position] = new
                new = parent.with_changes(**{field: siblings})
            place = self.place(parent)
        python = cast("cst.Module", new).code  # the only node without a place is the module
        return with_python(self.source, python)

    @cached_property
    def imported_modules(self) -> frozenset[str]:
        """Names that top-level `import x` statements bind."""
        statements = (
            small for line in self.module.body if isinstance(line, cst.SimpleStatementLine) for small in line.body
        )
        aliases = (alias for small in statements if isinstance(small, cst.Import) for alias in small.names)
        return frozenset(self.text(alias.asname.name if alias.asname else alias.name) for alias in aliases)

    def _index(self) -> None:
        stack: list[cst.CSTNode] = [self.module]
        while stack:
            node = stack.pop()
            self._by_kind.setdefault(type(node), []).append(node)
            placed = list(_placed_children(node))
            self._places.update((id(child), place) for child, place in placed)
            children = self._children[id(node)] = [child for child, _ in placed]
            stack.extend(reversed(children))


@cache
def _child_fields(kind: type[cst.CSTNode]) -> tuple[str, ...]:
    names = (field.name for field in fields(kind))
    return tuple(name for name in names if name not in _SKIPPED_FIELDS and not name.startswith("whitespace"))


def _placed_children(node: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, Place]]:
    for name in _child_fields(type(node)):
        value = getattr(node, name)
        if isinstance(value, cst.CSTNode):
            if not isinstance(value, _LAYOUT):
                yield value, Place(node, name, None)
        elif isinstance(value, (list, tuple)):
            for position, item in enumerate(value):
                yield item, Place(node, name, position)


@dataclass(frozen=True, slots=True)
class Change:
    """One way to edit a program.

    Attributes:
        phrase: what is done, with a `{}` for the code of each node in `shown`.
        shown: nodes whose code a reader wants to see; `old` and `new` when empty.
    """

    old: cst.CSTNode
    new: cst.CSTNode
    phrase: str = "`{}` → `{}`"
    shown: tuple[cst.CSTNode, ...] = ()


Edit = Callable[[Syntax], Iterator[Change]]
"""Yields every change of one kind that a program allows."""


def parenthesised(node: cst.BaseExpression) -> cst.BaseExpression:
    """Return `node` so that it may stand as an operand anywhere."""
    if node.lpar or isinstance(node, _ATOMS):
        return node
    return node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def in_parentheses_of(old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
    """Return `new` within the parentheses that `old` has, if any, line breaks included."""
    return new.with_changes(lpar=old.lpar, rpar=old.rpar) if old.lpar else new

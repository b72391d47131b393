"""Sources that are not Python: their syntax trees by tree-sitter, and what stands for their sameness.

A language with a grammar is compared by its tokens, without comments; YAML also by its layout, which carries meaning.
Everything else is compared line by line.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from hashlib import blake2b
from importlib import import_module
from typing import TYPE_CHECKING

from trainer.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

PROGRAMS = frozenset({"c", "cpp", "cuda", "rust"})
"""Languages with statements, and with macros, which a grammar alone cannot always read."""
DATA = frozenset({"yaml", "toml", "json"})
_TREES_KEPT = 16
_SHOWN_CHARACTERS = 60


def has_grammar(language: Language) -> bool:
    """Return whether sources in a language are parsed."""
    return language.name in PROGRAMS | DATA


@lru_cache(maxsize=_TREES_KEPT)
def tree_of(text: str, language: Language) -> Tree:
    """Return the syntax tree of a source in a language that has a grammar; it may hold errors."""
    return _parser(language.name).parse(text.encode())


def nodes_of(tree: Tree) -> Iterator[Node]:
    """Yield the nodes of a tree, outer ones first, in the order of the source."""
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))


def text_of(node: Node) -> str:
    """Return the piece of the source that a node stands for."""
    return (node.text or b"").decode()


def members_of(node: Node) -> list[Node]:
    """Return what a node holds, without punctuation and comments."""
    return [one for one in node.named_children if "comment" not in one.type]


def faults_of(text: str, language: Language) -> list[tuple[int, str]]:
    """Return what a grammar cannot read in a source: a line, from 1, and what is wrong there."""
    if not has_grammar(language) or not (tree := tree_of(text, language)).root_node.has_error:
        return []
    return [
        (node.start_point.row + 1, f"expected `{node.type}`" if node.is_missing else f"unexpected {_shown(node)}")
        for node in nodes_of(tree)
        if node.is_error or node.is_missing
    ]


def is_exact(language: Language) -> bool:
    """Return whether a source of a language that its grammar cannot read is none."""
    return language.name in DATA


def digest_of(text: str, language: Language) -> bytes:
    """Return 16 bytes, equal for sources that differ only in layout and comments, as far as a grammar tells them."""
    summed = blake2b(digest_size=16)
    if not has_grammar(language):
        summed.update("\n".join(line.rstrip() for line in text.strip().split("\n")).encode())
        return summed.digest()
    for node in nodes_of(tree_of(text, language)):
        # Inner nodes count, too: indentation is all that tells what belongs to what in YAML.
        if "comment" not in node.type:
            content = b"" if node.children else node.text or b""
            summed.update(f"{node.type} {node.child_count - _comments(node)} {len(content)} ".encode() + content)
    return summed.digest()


def _comments(node: Node) -> int:
    return sum("comment" in child.type for child in node.children)


def _shown(node: Node) -> str:
    text = " ".join((node.text or b"").decode(errors="replace").split())
    return f"`{text[:_SHOWN_CHARACTERS]}`" if text else "end"


@cache
def _parser(name: str) -> Parser:
    from tree_sitter import Language as Grammar
    from tree_sitter import Parser

    return Parser(Grammar(import_module(f"tree_sitter_{name}").language()))

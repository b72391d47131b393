"""The constants of sources that are not Python: what a grammar shows, and what a comment marks.

YAML, TOML, JSON    numbers and booleans by their path, `optimizer.lr`, but for seeds, files, logging and the like;
                    numbers in one list are one constant; texts where a comment lists the choices
C, C++, CUDA, Rust  `#define NAME 16`, and constants and variables of the top level with a number or a boolean
any of them         the last number of a line whose comment says `evo: constant`, `range: … to …` or `one of: …`; it
                    goes by the name before it, `limit = 20`, `Limit: 20`, `limit(20`
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from operators.source.literals import LARGEST_NUMBER, Constant, Notation, Number, Value, located
from operators.source.python_constants import is_tunable
from populations.grammar import DATA, PROGRAMS, has_grammar, members_of, nodes_of, text_of, tree_of
from trainer.genome import Part
from trainer.languages import Language

if TYPE_CHECKING:
    from tree_sitter import Node

_C = Notation("true", "false", ("{", "}"), "'", r"[fFlLuU]+")
_RUST = Notation("true", "false", ("[", "]"), "_", r"_?(?:[iuf](?:8|16|32|64|128)|[iu]size)")
_DATA = Notation("true", "false", ("[", "]"), "")
_NOTATIONS = {
    **dict.fromkeys(("c", "cpp", "cuda"), _C),
    "rust": _RUST,
    "yaml": Notation("true", "false", ("[", "]"), "", point_in_exponents=True),
    "toml": Notation("true", "false", ("[", "]"), "_"),
}
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][\d_']*)?(?:\.\d[\d_']*|\.)?(?:[eE][-+]?\d+)?")
_WRITTEN = re.compile(r"(?<![\w.])[-+]?(?:\d[\d_']*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?P<suffix>[a-zA-Z_]\w*)?(?![\w.]*\w)")
_COMMENT = re.compile(r"(?:#|//|--|;|%|/\*|<!--)\s*(?P<text>(?:evo:|range:|one of\b).*)")
_NAME = re.compile(r"([^\W\d][\w.-]*)[^\w\n]*$")
_PAIRS = frozenset({"block_mapping_pair", "flow_pair", "pair"})
_SEQUENCES = frozenset({"flow_sequence", "array"})
_TEXTS = frozenset({"string_scalar", "single_quote_scalar", "double_quote_scalar", "string"})
_TOP = frozenset(
    (
        *("translation_unit", "source_file", "declaration_list", "namespace_definition", "linkage_specification"),
        *("preproc_ifdef", "preproc_if", "preproc_else", "declaration", "mod_item"),
    )
)
"""What the constants of a program may stand in; not the bodies of functions."""


def other_constants(part: Part, *, qualified: bool) -> dict[str, Constant]:
    """Return the constants of a file, by name, in their order; a name that stands for two values stands for none.

    Args:
        part: a file of a genome that is not Python.
        qualified: whether names begin with that of the file.
    """
    notation = _NOTATIONS.get(part.language.name, _DATA)
    found: dict[int, Constant] = {}
    for name, node in _named(part.text, part.language):
        if constant := _of_node(name, node, part, notation):
            found[constant.start] = constant
    for constant in _marked(part, notation):
        found.setdefault(constant.start, constant)
    named: dict[str, list[Constant]] = {}
    for _, constant in sorted(found.items()):
        named.setdefault(constant.name, []).append(constant)
    lone = [several[0] for several in named.values() if len(several) == 1]
    prefix = f"{part.name}:" if qualified else ""
    return {f"{prefix}{one.name}": replace(one, name=f"{prefix}{one.name}") for one in lone}


def _of_node(name: str, node: Node, part: Part, notation: Notation) -> Constant | None:
    text = text_of(node)
    elements: tuple[str, ...] = ()
    value: Value | None
    if node.type in _SEQUENCES:
        elements = tuple(text_of(one) for one in members_of(node))
        numbers = [number for one in elements if (number := _number(one, notation)) is not None]
        value = tuple(numbers) if elements and len(numbers) == len(elements) else None
    else:
        text = text.partition("//")[0].partition("/*")[0].rstrip() if node.type == "preproc_arg" else text
        value = _value(text, notation)
    if value is None and node.type in _TEXTS:
        value = text.strip("'\"")
    if value is None:
        return None
    line = part.text.encode()[node.start_byte + len(text.encode()) :].partition(b"\n")[0].decode()
    row = part.line + node.start_point.row
    constant = located(name, value, text, row, part.start + node.start_byte, _remark(line), elements, notation)
    return constant if constant.choices or not isinstance(value, str) else None


def _value(text: str, notation: Notation) -> Value | None:
    if text in (notation.true, notation.false):
        return text == notation.true
    return _number(text, notation)


def _number(text: str, notation: Notation) -> Number | None:
    """Return the number that a literal stands for; None for other bases, and for what is no number."""
    digits = re.sub(f"(?:{notation.suffix})$", "", text) if notation.suffix else text
    if not any(map(str.isdigit, digits)) or not _NUMBER.fullmatch(digits):
        return None
    plain = digits.replace("_", "").replace("'", "")
    is_whole = plain.lstrip("+-").isdigit() and not re.search("[fF]", text[len(digits) :])
    number = int(plain) if is_whole else float(plain)
    return number if abs(number) <= LARGEST_NUMBER else None


def _named(text: str, language: Language) -> Iterator[tuple[str, Node]]:
    if has_grammar(language):
        yield from _FINDERS[language.name](text, language)


def _data(text: str, language: Language) -> Iterator[tuple[str, Node]]:
    """Yield the values of YAML, TOML or JSON, each with its path."""
    starts: dict[int, list[int]] = {}
    for node in nodes_of(tree_of(text, language)):
        if node.type in _PAIRS and len(members_of(node)) > 1:
            keys = list(_path(node, starts))
            value = _scalar(members_of(node)[-1])
            if value is not None and all(keys) and all(map(is_tunable, ".".join(keys).split("."))):
                yield ".".join(keys), value


def _path(node: Node, starts: dict[int, list[int]]) -> Iterator[str]:
    """Yield the keys and places that lead to a pair, the outermost first.

    Args:
        starts: where the members of sequences begin, by the ids of these; what is missing is added.
    """
    around: list[str] = []
    inner: Node | None = node
    while inner is not None:
        if inner.type in _PAIRS or inner.type == "table":
            around.append(_key(members_of(inner)[0]))
        elif inner.type in _SEQUENCES or inner.type == "block_sequence":
            if inner.id not in starts:
                starts[inner.id] = [one.start_byte for one in members_of(inner)]
            around.append(str(bisect_right(starts[inner.id], node.start_byte) - 1))
        inner = inner.parent
    yield from reversed(around)


def _key(node: Node) -> str:
    return text_of(node).strip("'\"")


def _scalar(node: Node) -> Node | None:
    """Return the literal or the list that a value is, None where it is more."""
    while node.type in ("flow_node", "plain_scalar") and node.named_child_count == 1:
        node = node.named_children[0]
    is_literal = not node.named_child_count or node.type in _SEQUENCES | _TEXTS
    return node if is_literal else None


def _program(text: str, language: Language) -> Iterator[tuple[str, Node]]:
    """Yield the constants at the top level of C and its kin, and of Rust."""
    for node in nodes_of(tree_of(text, language)):
        name = node.child_by_field_name("name") or node.child_by_field_name("declarator")
        value = node.child_by_field_name("value")
        is_definition = node.type in ("preproc_def", "init_declarator", "const_item", "static_item", "enumerator")
        if not is_definition or name is None or value is None or not _is_at_top(node):
            continue
        yield text_of(name), value


def _is_at_top(node: Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.type not in _TOP and node.type != "enumerator":
            return False
        parent = parent.parent
    return True


_FINDERS: Mapping[str, Callable[[str, Language], Iterator[tuple[str, Node]]]] = {
    **dict.fromkeys(DATA, _data),
    **dict.fromkeys(PROGRAMS, _program),
}


def _marked(part: Part, notation: Notation) -> Iterator[Constant]:
    """Yield the numbers that a comment marks."""
    start = part.start
    for row, line in enumerate(part.text.split("\n"), part.line):
        comment = _COMMENT.search(line)
        before = line[: comment.start()] if comment else ""
        numbers = [one for one in _WRITTEN.finditer(before) if _number(one[0], notation) is not None]
        if numbers and (name := _NAME.search(before[: numbers[-1].start()])):
            literal = numbers[-1]
            value = _number(literal[0], notation)
            assert value is not None  # noqa: S101 - as above
            offset = start + len(line[: literal.start()].encode())
            yield located(name[1], value, literal[0], row, offset, _remark(line[literal.end() :]), (), notation)
        start += len(line.encode()) + 1


def _remark(behind: str) -> str:
    """Return the comment of a line as Python writes it."""
    comment = _COMMENT.search(behind)
    return "# " + re.sub(r"\s*(?:\*/|-->)\s*$", "", comment["text"]) if comment else ""

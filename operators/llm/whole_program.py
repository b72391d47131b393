"""Tells a whole program in a reply from a snippet of one."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from operators.llm.answer import hypothesis
from operators.llm.blocks import UnusableReply, fences, is_fence, require_closed, unnumbered
from trainer.genome import marked_lines
from trainer.languages import PYTHON, Language
from trainer.source_text import UNREADABLE, parse

SHELL = frozenset({"bash", "sh", "shell", "console", "text", "txt", "json", "yaml", "toml", "diff", "patch", "output"})
# A model that goes on and on makes lines of any length: nothing here tries the same characters in several ways.
_WRAPPING = re.compile(r"\s*+(?:<[^<>]*+>|<!\[CDATA\[|\]\]>)*+\s*+$")
_DOTS = r"(?:(?<!\.)\.{3,}+|…)"
_ELIDED = re.compile(
    rf"\s*+{_DOTS}\s*+$|\s*+(?:#++|//++|--++|;++|%++|/\*++|<!--)\s*+(?:\[?{_DOTS}.*|.*{_DOTS}\s*+\]?"
    r"|\(?(?:the )?(?:rest|remainder) (?:\w+ ){0,2}(?:unchanged|omitted|same)\b.*|\(?(?:the )?(?:rest|remainder) of "
    r"(?:the |this |your )?(?:code|file|program|script|function|class|body|method|implementation)\b.*"
    r"|\(?(?:everything else|(?:existing|remaining|previous|other|same) (?:code|imports|functions|definitions))\b.*"
    r"|[(\[]?(?:(?:[\w.]+\(\) )?unchanged(?: (?:above|below|here))?"
    r"|(?:same )?as (?:the )?(?:original|before|above|previous)"
    r"|(?:the )?original (?:code|implementation|body|logic)(?: here)?)[)\]]?\.?)\s*+(?:\*/|-->)?\s*+$",
    re.IGNORECASE,
)


def whole_program(source: str, reply: str, language: Language = PYTHON) -> str:
    """Return the one complete program that a reply without blocks holds.

    Args:
        source: the program that the reply was to change.
        reply: in code fences, or nothing but the program.

    Raises:
        UnusableReply: there is none, or more than one, or only a part of one.
    """
    own = {language.name, *(suffix.removeprefix(".") for suffix in language.suffixes)}
    outermost = _outermost(reply, language)
    if outermost and not _what_is_missing(source, outermost, language):
        return "\n".join(outermost).rstrip() + "\n"
    require_closed(fences(reply))
    found = [fence for fence in fences(reply) if fence.language not in SHELL - own]
    programs = [list(lines) for lines in dict.fromkeys(unnumbered(fence.lines) for fence in found)]
    whole = [program for program in programs if not _what_is_missing(source, program, language)]
    if len(whole) == 1:
        return "\n".join(whole[0]).rstrip() + "\n"
    if len(programs) == 1:
        raise UnusableReply(
            f"The code block of the reply is not the whole program: {_what_is_missing(source, programs[0], language)}. "
            "Send the change as SEARCH/REPLACE blocks."
        )
    held = f"{len(programs)} code blocks, and it is unclear which one is meant" if programs else "no change"
    raise UnusableReply(
        f"The reply holds {held}. Expected: one line `Hypothesis: …` and then one or more SEARCH/REPLACE blocks."
    )


def _outermost(reply: str, language: Language) -> list[str]:
    """Return what all of a reply holds, or its first and its last fence, if that is Python; else nothing.

    A program may have fences of its own, in its strings.
    """
    lines = reply.split("\n")
    marks = [number for number, line in enumerate(lines) if is_fence(line)]
    spans = [lines, _unwrapped(lines), lines[marks[0] + 1 : marks[-1]] if len(marks) > 1 else []]
    spans += [list(unnumbered(tuple(span))) for span in spans[1:]]
    is_python = language is PYTHON
    return next((span for span in spans if is_python and any(span) and _parsed("\n".join(span)) is not None), [])


def _unwrapped(lines: list[str]) -> list[str]:
    """Return lines without the hypothesis before them and the tags around them."""
    kept = [number for number, line in enumerate(lines) if not hypothesis(line) and not _WRAPPING.match(line)]
    return lines[kept[0] : kept[-1] + 1] if kept else []


def elided(lines: Iterable[str], source: Iterable[str]) -> str:
    """Return the first line that stands for code left out, and is no line of the source; empty when there is none."""
    known = {line.strip() for line in source}
    return next((line.strip() for line in lines if _ELIDED.match(line) and line.strip() not in known), "")


def _what_is_missing(source: str, program: Sequence[str], language: Language) -> str:
    """Return what shows that lines are a part of a program only; empty when nothing does."""
    lines = source.split("\n")
    if line := elided(program, lines):
        return f"`{line}` stands for code that is left out"
    if len(marked_lines("\n".join(program))) != len(marked_lines(source)):
        return "it has not each file under its line"
    after = _parsed("\n".join(program)) if language is PYTHON else None
    bound = _names_of(source) if after is not None else None
    if after is None or bound is None:  # the gate tells why it cannot be read
        return "" if 2 * len(program) >= len(lines) else f"it has {len(program)} lines of {len(lines)}"
    kept = _names(after)
    lost = sorted((bound - kept) & _used(after))
    if lost:
        return f"it uses `{lost[0]}`, which it does not define"
    if bound and 2 * len(bound & kept) < len(bound):
        return f"it lacks {len(bound - kept)} of the {len(bound)} names that the program defines"
    if not bound and 2 * len(program) < len(lines):
        return f"it has {len(program)} lines of {len(lines)}"
    return ""


def _parsed(source: str) -> ast.Module | None:
    try:
        return parse(source)
    except UNREADABLE:
        return None


@lru_cache(maxsize=1)
def _names_of(source: str) -> frozenset[str] | None:
    """Return the names that a source binds at its top level, which many blocks of a reply may be compared with."""
    module = _parsed(source)
    return None if module is None else frozenset(_names(module))


def _names(module: ast.Module) -> set[str]:
    """Return the names that a module binds at its top level."""
    names: set[str] = set()
    for statement in module.body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(statement.name)
            case ast.Import() | ast.ImportFrom():
                names |= {(alias.asname or alias.name).split(".")[0] for alias in statement.names}
            case _:
                names |= {
                    node.id
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
                }
    return names


def _used(module: ast.Module) -> set[str]:
    """Return the names that a module reads and binds nowhere."""
    names = [node for node in ast.walk(module) if isinstance(node, ast.Name)]
    bound = {node.id for node in names if not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in ast.walk(module) if isinstance(node, ast.arg)}
    return {node.id for node in names} - bound - set(dir(builtins))

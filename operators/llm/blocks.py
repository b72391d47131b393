"""The parts of a reply: prose, code fences, and SEARCH/REPLACE blocks in the spellings that models use.

    <<<<<<< SEARCH
    lines of the source
    =======
    lines that take their place
    >>>>>>> REPLACE

A marker may have another word or none, as in a conflict of git, be followed by a file's name or a colon, be bold, or
written with other signs (`------- SEARCH` and `+++++++ REPLACE`); a part may stand in a code fence of its own.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass


class UnusableReply(Exception):  # noqa: N818 - a verdict that is sent back to the model, not an error of the product
    """A reply that cannot be turned into a source; the message says why, in words that the model can act on."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines to find in a source and the lines that take their place.

    Attributes:
        line: where the edit begins in the reply.
        place: the line of the source, from 0, that the edit names for itself; None where it names none.
        heading: the beginning of a line of the source that stands somewhere above; empty where the edit names none.
    """

    search: tuple[str, ...]
    replace: tuple[str, ...]
    line: int
    place: int | None = None
    heading: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a reply that belongs to no SEARCH/REPLACE block; `number` counts from 0."""

    number: int
    text: str
    in_fence: bool


_SEARCH = re.compile(r"(?:<{5,9}(?:\s*[A-Za-z].{0,200})?|-{5,9} ?SEARCH\b.{0,200})$")
_DIVIDER = re.compile(r"={5,}(?:\s*(?:REPLACE|WITH))?$")
_REPLACE = re.compile(r"(?:>{5,9}(?:\s*[A-Za-z].{0,200})?|\+{5,9} ?REPLACE\b.{0,200})$")
_WIDE = str.maketrans("＜＞＝═━", "<>===")
_BASE = re.compile(r"\|{5,9}(?:\s.*)?$")
_NO_REPLACEMENT = re.compile(r"[<-]{5,9}\s*(?:insert|append|prepend|add|delete|remove)\b(?![-/])", re.IGNORECASE)
_STATED_PLACE = re.compile(r"\s*:start_line: ?(\d+)")
_RULE = re.compile(r"\s*-{5,}\s*$")
_FENCE = re.compile(r"\s*+(`{3,}+|~{3,}+)\s*+([^`]*+)$")
_NUMBERED = re.compile(r"\s*+L?\d++(?: ?[|:→] ?|\t)")
_QUOTED_SEARCH = re.compile(r"> ?<{5,9}\s*SEARCH\b", re.IGNORECASE)
_ESCAPED_SEARCH = re.compile(r"(?:&lt;){5,9}\s*SEARCH\b", re.IGNORECASE)
_HTML = re.compile(r"</?(?:pre|code)\b[^<>]*>", re.IGNORECASE)
_BACKSLASHED_SEARCH = re.compile(r"(?:\\<){5,9}\s*SEARCH\b", re.IGNORECASE)


def plain(reply: str) -> str:
    """Return a reply whose blocks were quoted as in a mail, or escaped as in HTML or Markdown, as it was meant."""
    lines = reply.split("\n")
    if any(_SEARCH.match(_marker(line)) for line in lines):
        return reply
    if any(_QUOTED_SEARCH.match(line) for line in lines):
        return "\n".join(re.sub(r"^> ?", "", line) for line in lines)
    if _ESCAPED_SEARCH.search(reply):
        return html.unescape(_HTML.sub("\n", reply))
    if _BACKSLASHED_SEARCH.search(reply):
        return re.sub(r"\\(?=[<>])", "", reply)
    return reply


def parse_blocks(reply: str) -> list[Edit]:
    """Return the SEARCH/REPLACE blocks of a reply in order, each once; none when it has no marker of a block.

    Raises:
        UnusableReply: a block is incomplete, nested, or has an empty SEARCH part.
    """
    lines = reply.split("\n")
    edits: dict[tuple[tuple[str, ...], tuple[str, ...]], Edit] = {}
    index = 0
    while index < len(lines):
        marker = _marker(lines[index])
        if _SEARCH.match(marker):
            edit, index = _parse_block(lines, index)
            edits.setdefault((edit.search, edit.replace), edit)
        elif _REPLACE.match(marker):
            raise UnusableReply(f"Line {index + 1} of the reply ends a block that was never begun with <<<<<<< SEARCH.")
        else:
            index += 1
    return list(edits.values())


def outside_blocks(reply: str) -> tuple[list[Line], list[int]]:
    """Return the lines of a reply outside of its SEARCH/REPLACE blocks, and where each of these begins, from 0.

    The marks of fences belong to neither.
    """
    lines: list[Line] = []
    starts: list[int] = []
    fence, in_block = "", False
    for number, line in enumerate(reply.split("\n")):
        match, marker = _FENCE.match(line), _marker(line)
        if in_block:
            in_block = not _REPLACE.match(marker)
        elif _SEARCH.match(marker):
            in_block = True
            starts.append(number)
        elif match and not fence:
            fence = match[1]
        elif match and match[1].startswith(fence) and not match[2]:
            fence = ""
        else:
            lines.append(Line(number, line, bool(fence)))
    return lines, starts


@dataclass(frozen=True, slots=True)
class Fence:
    """A code fence: what stands behind its opening mark, its lines, and where it begins in the reply, from 0."""

    info: str
    lines: tuple[str, ...]
    line: int
    is_closed: bool = True

    @property
    def language(self) -> str:
        """The first word behind its opening mark, in lower case."""
        return self.info.lower().partition(" ")[0]


DIFFS = frozenset({"diff", "patch", "udiff"})
"""What is said behind the mark of a fence with a diff; its lines of context begin with a blank, marks of fences too."""


def fences(reply: str) -> list[Fence]:
    """Return the code fences of a reply; see `require_closed`."""
    found: list[Fence] = []
    mark, info, start = "", "", 0
    content: list[str] = []
    for number, line in enumerate(reply.split("\n")):
        match = _FENCE.match(line)
        if match and not mark:
            mark, info, content, start = match[1], match[2].strip(), [], number
        elif match and match[1].startswith(mark) and not match[2] and not (info in DIFFS and line[0].isspace()):
            found.append(Fence(info, tuple(content), start))
            mark = ""
        else:
            content.append(line)
    return [*found, Fence(info, tuple(content), start, is_closed=False)] if mark else found


def require_closed(found: Sequence[Fence]) -> None:
    """Raise UnusableReply if the last of some fences is never closed."""
    if found and not found[-1].is_closed:
        raise UnusableReply(
            f"The code block at line {found[-1].line + 1} of the reply is not closed; it seems cut off."
        )


def unfenced(lines: tuple[str, ...], *, may_have_fences: bool) -> tuple[str, ...]:
    """Return lines without the fence around all of them.

    Args:
        may_have_fences: whether the program may have some of its own: then only one that is complete and names a
            language is taken off, else also one of whose marks one is missing.
    """
    filled = [index for index, line in enumerate(lines) if line.strip()]
    if len(filled) < 2:
        return lines
    first, last = filled[0], filled[-1]
    opening, closing = _FENCE.match(lines[first]), _FENCE.match(lines[last])
    if opening and opening[2] and closing and closing[1].startswith(opening[1]) and not closing[2]:
        return lines[first + 1 : last]
    if may_have_fences or sum(map(is_fence, lines[first + 1 : last])) % 2:
        return lines
    return lines[first + 1 if opening else 0 : last if closing else len(lines)]


def is_fence(line: str) -> bool:
    """Return whether a line opens or closes a code fence."""
    return _FENCE.match(line) is not None


def _marker(line: str) -> str:
    """Return a line without what may stand around a marker."""
    return line.strip().strip("*`").strip().translate(_WIDE)


def _parse_block(lines: Sequence[str], start: int) -> tuple[Edit, int]:
    """Return the block that begins at `lines[start]` and the index after it."""
    dividers: list[int] = []
    for index in range(start + 1, len(lines)):
        marker = _marker(lines[index])
        if _SEARCH.match(marker):
            break
        if _DIVIDER.match(marker):
            dividers.append(index)
        elif _REPLACE.match(marker):
            return _block(lines, start, _divider(lines, start, dividers), index), index + 1
    raise UnusableReply(
        f"The block at line {start + 1} of the reply is incomplete: it needs <<<<<<< SEARCH, =======, and "
        ">>>>>>> REPLACE, each on a line of its own."
    )


def _divider(lines: Sequence[str], start: int, candidates: Sequence[int]) -> int:
    """Return the line that parts a block: the only one of seven signs, else of about as many, else of any number."""
    for is_likely in (lambda length: length == 7, lambda length: length <= 9, lambda _: True):
        likely = [index for index in candidates if is_likely(len(_marker(lines[index])))]
        if len(likely) == 1:
            return likely[0]
        if likely:
            break
    raise UnusableReply(
        f"The block at line {start + 1} of the reply needs exactly one ======= line between its parts, "
        f"but it has {len(candidates)}. Choose SEARCH and REPLACE lines that contain no such line."
    )


def _block(lines: Sequence[str], start: int, divider: int, end: int) -> Edit:
    if _NO_REPLACEMENT.match(_marker(lines[start])):
        raise UnusableReply(
            f"The block at line {start + 1} of the reply does not begin with <<<<<<< SEARCH. To insert lines, search "
            "for the line beside them and repeat it in the REPLACE part; to delete some, leave that part empty."
        )
    # As merges in the style diff3 show it, the common ancestor stands between the parts.
    base = next((number for number in range(start + 1, divider) if _BASE.match(_marker(lines[number]))), divider)
    search, replace = tuple(lines[start + 1 : base]), tuple(lines[divider + 1 : end])
    stated = _STATED_PLACE.match(search[0]) if search else None
    if stated:
        rule = next((number for number, line in enumerate(search) if _RULE.match(line)), 0)
        search = search[rule + 1 :]
    require_search(search, start + 1)
    return Edit(search, replace, start + 1, place=int(stated[1]) - 1 if stated else None)


def unnumbered(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Return lines without the numbers that stand before all of them."""
    numbers = [_NUMBERED.match(line) for line in lines]
    if any(line.strip() and not number for line, number in zip(lines, numbers, strict=True)):
        return lines
    return tuple(line[number.end() if number else 0 :] for line, number in zip(lines, numbers, strict=True))


def require_search(search: Sequence[str], line: int) -> None:
    """Raise UnusableReply if the SEARCH part of the block at a line of the reply shows nothing of the program."""
    if not any(one.strip() for one in search):
        raise UnusableReply(
            f"The block at line {line} of the reply has an empty SEARCH part. To insert lines, search for the "
            "line beside them and repeat it in the REPLACE part."
        )

"""Text that crosses the border between this program and a language model, made safe in both directions."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_ANSI_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_UNUSUAL = re.compile(r"[^\t\n -~]")
_LIBRARY = re.compile(r'\bFile "/[^"\n]*/(?=(?:site-packages|lib/python3\.\d+|trainer)/)')
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
_TOKENS = re.compile(r"<[|｜]|[|｜]>|\[/?(?=INST|SYS)|<(?=/?(?:s|bos|eos|<SYS|start_of_turn|end_of_turn)>)")
_BRACKETS = str.maketrans({"<": "‹", ">": "›", "|": "¦", "｜": "¦", "[": "("})
_MOST_LEVELS = 64
_BACKTICKS = re.compile(r"`{3,}")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def clean_text(text: str) -> str:
    r"""Return `text` with `\n` line ends and without characters that hide or reorder what a reader sees.

    Removed: NUL and other control characters except newline and tab, terminal escapes, byte-order marks, zero-width and
    bidirectional controls (Boucher & Anderson, "Trojan Source", 2021), variation selectors and fillers, which can spell
    a hidden text. Two surrogates that belong together, as of a stream that was cut between them, become the character
    that they stand for; a lone one, which no encoder accepts, becomes U+FFFD.
    """
    text = _HALVES.sub(_joined, text.replace("\r\n", "\n").replace("\r", "\n"))
    text = _ANSI_ESCAPE.sub("", text)
    return _UNUSUAL.sub(_clean_character, text)


def without_comments(text: str) -> str:
    """Return Markdown without its HTML comments, which are notes to those who edit it, and without the space around."""
    return _COMMENT.sub("", text).strip()


def _joined(found: re.Match[str]) -> str:
    return found[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _clean_character(found: re.Match[str]) -> str:
    category = unicodedata.category(found[0])
    if category == "Cs":
        return REPLACEMENT
    return "" if category in {"Cc", "Cf"} or _INVISIBLE.match(found[0]) else found[0]


def one_line(text: str, limit_characters: int) -> str:
    """Return `text` cleaned, on one line, cut to `limit_characters` with an ellipsis."""
    line = " ".join(clean_text(text).split())
    return line if len(line) <= limit_characters else line[: limit_characters - 1].rstrip() + "…"


def without_tokens(text: str) -> str:
    """Return `text` without special tokens of chat templates, which many servers obey wherever they stand."""
    return _TOKENS.sub(lambda found: found[0].translate(_BRACKETS), text)


def tail(text: str, limit_characters: int) -> str:
    """Return the end of `text`, cleaned, from a line on where it had to be cut, without the folders of libraries."""
    text = _LIBRARY.sub('File "', without_tokens(clean_text(text)).strip())
    if len(text) <= limit_characters:
        return text
    kept = text[-limit_characters:]
    _, newline, rest = kept.partition("\n")
    return "[…]\n" + (rest if newline and rest else kept)


def shallow_json(text: str) -> object:
    """Return the value of JSON from outside, which whatever reads it can go through by recursion.

    Raises:
        ValueError: it is none.
        RecursionError: too much of it stands in one another.
    """
    value: object = json.loads(text)
    level = [value]
    for _ in range(_MOST_LEVELS):
        inner = (one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list))
        level = [item for items in inner for item in items]
        if not level:
            return value
    raise RecursionError(f"more than {_MOST_LEVELS} levels")


def fenced(text: str, language: str = "") -> str:
    """Return `text` in a code fence longer than any run of backticks in it, so that it cannot close the fence."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def numbered(lines: Iterable[str], first: int) -> str:
    """Return the lines with their numbers, counted from `first`."""
    return "\n".join(f"{number:>5} | {line}" for number, line in enumerate(lines, first))

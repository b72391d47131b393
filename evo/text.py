"""Untrusted text and numbers, made fit for a page; the hash of a text.

Ideas, reasons and sources come from language models and candidate code. jinja escapes HTML; this module replaces
characters that are invisible, reorder the visible text, or cannot be encoded in UTF-8.
"""

from __future__ import annotations

import hashlib
import html
import re
import textwrap
from collections.abc import Sequence
from datetime import timedelta

# Control characters but tab and newline, zero-width and bidirectional controls, line separators, lone surrogates, tags.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)

_FEW_TIMES = 2
_HOVER_WIDTH = 64
_HOVER_LINES = 5


def visible(text: str) -> str:
    r"""Return `text` with invisible characters written out, for example as `\u202e`."""
    return _INVISIBLE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 2**16 else f"\\U{code:08x}"


def hover(title: str, *facts: str, idea: str = "") -> str:
    """Return the text of a chart's hover label, in which plotly would interpret tags and entities.

    The idea is wrapped and cut to a few lines.
    """
    lines = textwrap.wrap(visible(idea), _HOVER_WIDTH, max_lines=_HOVER_LINES, placeholder=" …")
    first, *rest = (html.escape(line) for line in (*map(visible, (title, *facts)), *lines) if line)
    return "<br>".join([f"<b>{first}</b>", *rest])


def sha256(text: str) -> str:
    """Return the hexadecimal SHA-256 of a text in UTF-8; raise UnicodeEncodeError for lone surrogates."""
    return hashlib.sha256(text.encode()).hexdigest()


def relative(value: float, base: float) -> str:
    """Return how far a value is from another of the same sign: `2.1%`, from twice or half on `20,000-fold`.

    Empty where neither says anything: for another sign, and beside 0.
    """
    if not value * base > 0:
        return ""
    times = max(value / base, base / value)
    return f"{abs(value / base - 1):.1%}" if times < _FEW_TIMES else f"{float(f'{times:.2g}'):,.12g}-fold"


def duration(seconds: float) -> str:
    """Return a duration as a person says it: `48 s`, `12 min 5 s`, `9 h 3 min`, `2 d 4 h`."""
    whole = timedelta(seconds=round(seconds))
    hours, rest = divmod(whole.seconds, 3600)
    parts = [(whole.days, "d"), (hours, "h"), (rest // 60, "min"), (rest % 60, "s")]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count) or "0 s"


def listed(names: Sequence[str], most: int = 6) -> str:
    """Return names for a message, the first ones where there are many: `a, b and 3 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def tokens(fresh: int, cache_read: int, cache_write: int, output: int) -> str:
    """Return the tokens of calls of a language model; each kind has a price of its own."""
    kinds = [(fresh, "tokens in"), (cache_read, "read from cache"), (cache_write, "written to cache"), (output, "out")]
    return ", ".join(f"{count:,} {kind}" for count, kind in kinds if count or "cache" not in kind)


def price(usd: float, calls: int, unpriced: int, *, digits: int = 2) -> str:
    """Return what calls cost of which some have an unknown price: `for $0.12`, `of unknown price`, or both."""
    if unpriced and unpriced >= calls and not usd:
        return "of unknown price"
    of_them = min(unpriced, calls)  # calls that were given up are not among those counted
    return f"for ${usd:,.{digits}f}" + (f", {of_them} of them of unknown price" if of_them else "")


def money(usd: float | None) -> str:
    """Return a sum in dollars, or `unknown`, which is not nothing."""
    return "unknown" if usd is None else f"${usd:,.2f}"

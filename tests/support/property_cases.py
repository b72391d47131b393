"""How many cases a property is tried with."""

from __future__ import annotations

from hypothesis import settings

_USUAL = 100


def cases(count: int) -> settings:
    """Draw so many cases, or as many as a profile asks for that asks for more than usual."""
    asked = settings().max_examples
    return settings(max_examples=asked if asked > _USUAL else count)

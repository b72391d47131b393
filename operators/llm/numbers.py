"""Numbers in a prompt: as many digits as mean something."""

from __future__ import annotations

import math

_LARGEST = 1e9
"""From which on digits tell less than the power of ten does."""


def format_value(value: float, sigma: float) -> str:
    """Return `value` with decimals enough for differences well below `sigma`; with six digits where that is unknown."""
    if abs(value) >= _LARGEST:  # such as the loss of a training that diverged
        return f"{value:.3g}"
    scale = sigma / 10 if sigma > 0 else abs(value) / 1e5
    decimals = min(8, max(0, math.ceil(-math.log10(scale)))) if scale > 0 else 0
    return f"{value:.{decimals}f}"

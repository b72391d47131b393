"""Numbers in a prompt: as many digits as mean something."""

from __future__ import annotations

import math


def format_value(value: float, sigma: float) -> str:
    """Return `value` with decimals enough for differences well below `sigma`; with six digits where that is unknown."""
    scale = sigma / 10 if sigma > 0 else abs(value) / 1e5
    decimals = min(8, max(0, math.ceil(-math.log10(scale)))) if scale > 0 else 0
    return f"{value:.{decimals}f}"

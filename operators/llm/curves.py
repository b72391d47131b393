"""Training curves in a prompt: means over eighths of the training, since single points show noise more than trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from trainer.evaluation import CurvePoint

EIGHTHS = 8


def eighths(curve: Sequence[CurvePoint], bytes_per_token: float | None) -> list[float | None]:
    """Return the mean loss over each eighth of the time up to the curve's last point; None where no point lies.

    Args:
        curve: of one evaluation.
        bytes_per_token: of the training text, to convert nats per token to bits per byte; None to leave losses as they
            were logged.
    """
    points = [CurvePoint(*point) for point in curve]
    if not points:
        return []
    scale = 1.0 if bytes_per_token is None else 1 / (math.log(2) * bytes_per_token)
    end = points[-1].seconds
    parts: list[list[float]] = [[] for _ in range(EIGHTHS)]
    for point in points:
        index = min(EIGHTHS - 1, int(EIGHTHS * point.seconds / end)) if end > 0 else EIGHTHS - 1
        parts[index].append(point.loss * scale)
    return [fmean(part) if part else None for part in parts]


def in_line(means: Sequence[float | None]) -> str:
    """Return the means in one line, with a dash for an eighth without any."""
    return "  ".join("–" if mean is None else f"{mean:.4g}" for mean in means)

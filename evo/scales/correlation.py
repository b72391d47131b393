"""How far the ranks of two scales agree: Spearman's correlation over the individuals that were measured at both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evo.standings.rungs import spearman

_FEWEST_PAIRS = 4
"""Below, no interval exists, and a correlation says nothing."""
_QUANTILE = 1.96


@dataclass(frozen=True, slots=True)
class Agreement:
    """The rank correlation of two scales.

    Attributes:
        correlation: Spearman's; None before four pairs.
        low: of the 95% interval by Fisher's transformation, with the variance of Bonett and Wright (2000).
        high: likewise.
        pairs: individuals that were measured at both.
    """

    correlation: float | None
    low: float | None
    high: float | None
    pairs: int

    @classmethod
    def of(cls, pairs: Sequence[tuple[float, float]]) -> Agreement:
        """Return that of the values at two scales, of which the same side is better."""
        if len(pairs) < _FEWEST_PAIRS:
            return cls(None, None, None, len(pairs))
        found = spearman(pairs)
        count = len(pairs)
        # Where all ranks agree, the transformation would take few pairs for certain: half a step of these ranks less.
        most = 1 - 6 / (count * (count**2 - 1))
        centre = math.atanh(max(-most, min(most, found)))
        half = _QUANTILE * math.sqrt((1 + found**2 / 2) / (count - 3))
        return cls(found, math.tanh(centre - half), math.tanh(centre + half), count)

    @property
    def transfer(self) -> float:
        """How far winners can be expected to win at the other scale, 0 to 1; 1 while it is not known."""
        return 1.0 if self.correlation is None else max(0.0, self.correlation)

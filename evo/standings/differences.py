"""How much better the mean of one individual is than that of another, and whether that is more than noise."""

from __future__ import annotations

import math
from dataclasses import dataclass

from populations.dominance import TIE_ERRORS


def standard_error(sigma: float | None, replicates: int) -> float | None:
    """Return the standard error of a mean.

    Args:
        sigma: standard deviation of one evaluation; None while it is unknown.
        replicates: evaluations of the mean; none gives no error.
    """
    return sigma / math.sqrt(replicates) if sigma is not None and replicates else None


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better one mean is than another, in the objective's unit; positive is better.

    Attributes:
        base: the mean that it is better than.
        standard_error: of `value`; None while the noise is unknown.
    """

    value: float
    base: float
    standard_error: float | None

    @classmethod
    def of(cls, better: float, base: float, sigma: float | None, replicates: int, base_replicates: int) -> Difference:
        """Return the difference of two means.

        Args:
            better: the difference, with the sign that makes an improvement positive.
            base: the mean that is compared with.
            sigma: standard deviation of one evaluation; None while it is unknown.
            replicates: evaluations of the mean that is compared.
            base_replicates: evaluations of the mean that it is compared with.
        """
        error = None if sigma is None else sigma * math.sqrt(1 / replicates + 1 / base_replicates)
        return cls(better, base, error)

    @property
    def is_real(self) -> bool | None:
        """Whether it is an improvement by more than a tie; None while the noise is unknown."""
        return None if self.standard_error is None else self.value > TIE_ERRORS * self.standard_error

    @property
    def is_tie(self) -> bool:
        """Whether neither mean is better beyond the noise, as far as the noise is known."""
        return self.standard_error is not None and abs(self.value) <= TIE_ERRORS * self.standard_error

    @property
    def is_improvement(self) -> bool:
        """Whether it is an improvement by more than a tie, or by anything while the noise is unknown."""
        return self.value > TIE_ERRORS * (self.standard_error or 0.0)

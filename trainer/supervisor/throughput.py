"""Ends a training that is far slower than its parent's, by the tokens that it reports.

The count is the genome's own, since a training step cannot be observed from outside. So it decides about nothing but an
early end, and a count that is too high only avoids that.
"""

from __future__ import annotations

from trainer.evaluation import Status
from trainer.supervisor.watch import Ended

# By then caches are filled, and what is compiled late is compiled.
_JUDGED_AFTER_SHARE = 0.25


class Throughput:
    """Measures one training from its first report of tokens on, which leaves out what came before the first step.

    Args:
        floor: tokens per second below which the training is ended, once, a quarter of the budget after that report;
            0.0 for never.
    """

    def __init__(self, floor: float, train_seconds: float) -> None:
        self._floor = floor
        self._judged_after = _JUDGED_AFTER_SHARE * train_seconds
        self._first: tuple[float, int] | None = None
        self._last: tuple[float, int] | None = None
        self._is_judged = False

    @property
    def tokens_per_second(self) -> float | None:
        """Mean over the training so far; None before two reports."""
        if self._first is None or self._last is None or self._last[0] <= self._first[0]:
            return None
        return max(0, self._last[1] - self._first[1]) / (self._last[0] - self._first[0])

    def tell(self, seconds: float, tokens: int) -> None:
        """Take in the tokens used after some seconds on the budget's clock; raise Ended when that is far too slow."""
        self._first = self._first or (seconds, tokens)
        self._last = (seconds, tokens)
        if self._is_judged or seconds - self._first[0] < self._judged_after:
            return
        self._is_judged = True
        measured = self.tokens_per_second
        if measured is not None and measured < self._floor:
            raise Ended(
                Status.TOO_SLOW,
                f"trained on {measured:.4g} tokens/s in its first {seconds:.1f} s, below the {self._floor:.4g} "
                "tokens/s at which it is given up as far slower than its parent",
            )

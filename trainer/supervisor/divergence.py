"""Ends a training whose reported loss is not finite or has exploded.

Learning-rate schedules end with the budget, so an ordinary bad loss on the way is no reason to end a training. A loss
ten times that of a guess at random is: no training recovers from it within a budget.
"""

from __future__ import annotations

import math

from trainer.evaluation import Status
from trainer.supervisor.watch import Ended

_HOPELESS = 10.0


class Divergence:
    """Follows the losses of one training.

    A genome may sum its loss where others take the mean, so its first report counts as well as the vocabulary, and one
    bad batch is forgiven: the report after it must be as bad.
    """

    def __init__(self, vocab_size: int) -> None:
        self._limit = _HOPELESS * math.log(vocab_size)
        self._is_first = True
        self._is_beyond = False

    def tell(self, step: int, loss: float) -> None:
        """Take in a report (NaN for a loss that is no number); raise Ended when the training has diverged."""
        if not math.isfinite(loss):
            raise Ended(Status.DIVERGED, f"the training loss was not a finite number at step {step}")
        if self._is_first:
            self._is_first = False
            self._limit = max(self._limit, _HOPELESS * loss)
        was_beyond, self._is_beyond = self._is_beyond, loss > self._limit
        if was_beyond and self._is_beyond:
            raise Ended(
                Status.DIVERGED,
                f"the training loss was {loss:.4g} at step {step}, beyond {self._limit:.4g}: ten times that of a guess "
                "at random, and ten times the first that was reported",
            )

"""When the search explores: a population that has found nothing better for long has nothing new to combine.

While a search explores, part of its offspring come from elsewhere (`search/breeding`): their parents are elites of the
archive, far apart in their code, and operators are asked to be bold. The rest go on as before, so that little is lost
where the stall was only bad luck. It ends with the next best individual, or after a while, and then starts counting
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from trainer.errors import counted

_SHARE = 2
"""It lasts for one in so many of the results that a stall takes."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One exploration.

    Attributes:
        began: number of the result after which it did.
        patience: results without a better individual before that.
        ended: number of the result after which it did; None as long as it lasts.
        found: whether a better individual ended it.
    """

    began: int
    patience: int
    ended: int | None = None
    found: bool = False

    def __str__(self) -> str:
        if self.ended is None:
            waited = counted(self.patience, "result")
            return f"Nothing better in {waited}: from result {self.began} on the search explores."
        outcome = "something better was found" if self.found else "nothing better was found"
        return f"The search explored from result {self.began} to result {self.ended}: {outcome}."


class Exploration:
    """Decides when a search explores: a function of the results alone.

    Args:
        after: results without a better individual after which it begins; 0 for never.
    """

    def __init__(self, after: int) -> None:
        self._after = after
        self._phases: list[Phase] = []

    @property
    def phases(self) -> Sequence[Phase]:
        """Every exploration so far, oldest first."""
        return tuple(self._phases)

    @property
    def is_active(self) -> bool:
        """Whether the search explores now."""
        return bool(self._phases) and self._phases[-1].ended is None

    def tell(self, result_number: int, led_since: int) -> None:
        """Take in one result of the search proper.

        Args:
            led_since: number of the result that made the best individual the best.
        """
        if not self._after:
            return
        if self.is_active:
            phase = self._phases[-1]
            found = led_since > phase.began
            if found or result_number - phase.began >= max(1, self._after // _SHARE):
                self._phases[-1] = replace(phase, ended=result_number, found=found)
            return
        rested_since = self._phases[-1].ended or 0 if self._phases else 0
        waited = result_number - max(led_since, rested_since)
        if waited >= self._after:
            self._phases.append(Phase(result_number, self._after))

    def remark(self, result_number: int) -> str:
        """Return what result `told` changed, in a sentence; empty if nothing."""
        changed = bool(self._phases) and result_number in (self._phases[-1].began, self._phases[-1].ended)
        return str(self._phases[-1]) if changed else ""

"""What to do about evaluations that the infrastructure lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import Enum, auto

from trainer.errors import MachineError

MOST_LOSSES = 3
"""An evaluation that one driver has lost so often is given up: its candidate may be what ends its workers."""

MOST_GIVEN_UP = 3
"""So many evaluations given up with no other result in between are the fault of the machine, not of the candidates."""


class Loss(Enum):
    """What a lost evaluation means."""

    RUN_AGAIN = auto()
    GIVE_UP = auto()
    MACHINE_FAILS = auto()


class Losses:
    """Tells a candidate that ends its workers from a machine that evaluates nothing.

    Only losses under the driver of today count: an evaluation that was under way when earlier ones were killed is no
    more suspect for that.
    """

    def __init__(self) -> None:
        self._losses: Counter[int] = Counter()
        self._given_up_in_a_row = 0

    def evaluated(self, evaluation: int) -> None:
        """Take in that an evaluation came to a verdict."""
        self._given_up_in_a_row = 0
        del self._losses[evaluation]

    def forgive(self, evaluations: Iterable[int]) -> None:
        """Take back one loss of each: a worker that is out of service now was to blame."""
        self._losses.subtract(evaluations)
        self._losses = +self._losses

    def lost(self, evaluation: int, *, any_measured: bool) -> Loss:
        """Take in that an evaluation was lost.

        Args:
            evaluation: its number.
            any_measured: whether the run has ever measured anything; before that no candidate is to blame.
        """
        self._losses[evaluation] += 1
        if self._losses[evaluation] < MOST_LOSSES:
            return Loss.RUN_AGAIN
        self._given_up_in_a_row += 1
        if any_measured and self._given_up_in_a_row < MOST_GIVEN_UP:
            return Loss.GIVE_UP
        return Loss.MACHINE_FAILS


def machine_failure(reason: str) -> MachineError:
    """Return the error that ends a search whose evaluations are lost; `reason` is the last loss's."""
    return MachineError(
        f"Evaluations are lost {MOST_LOSSES} times in a row; the last reason: {reason.rstrip('.')}. "
        "Check the device and the memory, then continue with `evo resume`."
    )

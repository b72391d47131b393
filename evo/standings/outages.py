"""For how long the service behind operators was away while others stood in for it."""

from __future__ import annotations

from dataclasses import dataclass

from evo.store import StoreView
from evo.text import duration

GONE = "service_gone"
BACK = "service_back"
LOCAL = "drawn_locally"
"""The kinds of events: an outage begins, it ends, and a proposal is drawn among operators that need no service."""


@dataclass(frozen=True, slots=True)
class Outages:
    """All of a run.

    Attributes:
        seconds: how long they took together, as far as they ended; driven time only.
        reason: of the last one.
        is_open: whether the last one has not ended, or its driver was killed.
    """

    count: int = 0
    seconds: float = 0.0
    reason: str = ""
    is_open: bool = False

    def __str__(self) -> str:
        """Return one sentence or two; empty where there was none."""
        if not self.count:
            return ""
        times = "once" if self.count == 1 else f"{self.count} times"
        away = "is away now" if self.is_open else "was away"
        lasted = f", {duration(self.seconds)} in all" if self.seconds else ""
        return f"The language model {away} ({times}{lasted}) and other operators stood in. The last time: {self.reason}"


def read_outages(store: StoreView) -> Outages:
    """Return the outages that a store has recorded."""
    gone, back = list(store.events(GONE)), list(store.events(BACK))
    if not gone:
        return Outages()
    seconds = sum(event.payload["seconds"] for event in back)
    return Outages(len(gone), seconds, str(gone[-1].payload["reason"]), not back or back[-1].id < gone[-1].id)


def drawn_locally(store: StoreView) -> frozenset[int]:
    """Return the proposals that were drawn among operators that need no service."""
    return frozenset(event.payload["proposal"] for event in store.events(LOCAL))

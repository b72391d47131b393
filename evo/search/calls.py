"""Proposals that call a service: how many at a time, and what happens while it cannot be used."""

from __future__ import annotations

import time
from collections.abc import Callable

from evo.search.observer import Deferred
from evo.standings.outages import BACK, GONE, LOCAL
from evo.store import Store
from evo.text import duration
from operators.choice import OperatorChoice

HARD_CAP = 64
_SPARE_CALLS = 8


class Calls:
    """Bounds the calls in flight and keeps account of outages.

    While the service is away, proposals are drawn among the other operators; that this was so is recorded with each,
    for a replay could not know.

    Args:
        news: told when the service goes and comes back.
        slots: evaluations at a time.
        parallel: calls in flight at most; None for twice as many as slots and some, which covers replies that take as
            long as evaluations. Fewer are made where the measured latencies need fewer (`evo.search.pace.Lookahead`)
            or where the service refuses more.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        operators: OperatorChoice,
        store: Store,
        news: Deferred,
        slots: int,
        parallel: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._operators = operators
        self._store = store
        self._news = news
        self._most = parallel or min(HARD_CAP, 2 * slots + _SPARE_CALLS)
        self._clock = clock
        self._away_since: float | None = None

    @property
    def have_stand_ins(self) -> bool:
        """Whether a proposal can be made without the service."""
        return self._operators.has_local

    @property
    def must_be_local(self) -> bool:
        """Whether the next proposal must do without the service."""
        return self._operators.has_local and self._operators.is_away

    def may_begin(self, in_flight: int) -> bool:
        """Return whether one more proposal may begin besides so many calls in flight."""
        return self.must_be_local or in_flight < min(self._most, self._operators.most_calls)

    def begun_locally(self, proposal: int) -> None:
        """Record that a proposal was drawn among the other operators only."""
        self._store.record_event(LOCAL, {"proposal": proposal})

    def failed(self, reason: str) -> None:
        """Take in that the service cannot be used."""
        if self._away_since is None:
            self._away_since = self._clock()
            self._store.record_event(GONE, {"reason": reason})
            self._news.note(f"Other operators make the offspring until the language model can be used again: {reason}")

    def answered(self) -> None:
        """Take in that the service can be used, or that nothing more is asked of it."""
        if self._away_since is not None:
            seconds = self._clock() - self._away_since
            self._away_since = None
            self._store.record_event(BACK, {"seconds": seconds})
            self._news.note(f"The language model answers again; it was away for {duration(seconds)}.")

    def ended(self) -> None:
        """Take in that the run ends."""
        if self._away_since is not None:
            self._store.record_event(BACK, {"seconds": self._clock() - self._away_since})
            self._away_since = None

"""How fast and how far a search proposes: the look-ahead, and where the search proper ends. Kept with the run."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from evo.lookahead import Lookahead, blend
from evo.standings.plan import Plan
from evo.store import Store

_KEY = "pace"


class Pace:
    """What decides when a proposal begins, apart from the results; a resumed run goes on with it as it was.

    Args:
        plan: of the run.
        slots: evaluations at a time.
        clock: seconds since whenever, never set back.

    Attributes:
        lookahead: how many offspring to have ready.
        search_end: evaluations after which the search proper is over and the finalists are confirmed.
    """

    def __init__(self, plan: Plan, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.lookahead = Lookahead(slots)
        self.search_end: float = plan.search_end
        self._interval_seconds = 0.0
        self._interval_share = 0.0
        self._driven_before = 0.0
        self._clock = clock
        self._started = self._newest = clock()
        self._plan = plan
        self._kept = ""

    @property
    def driven_seconds(self) -> float:
        """Wall seconds that the run was driven so far, by this driver and by those before it."""
        return self._driven_before + self._clock() - self._started

    @property
    def result_seconds(self) -> float:
        """Wall seconds in which the workers together get through one evaluation of the whole budget, lately."""
        return self._interval_seconds / self._interval_share if self._interval_share else 0.0

    def result_came(self, share: float) -> None:
        """Take in that an evaluation was accepted that trained with a share of the budget."""
        now = self._clock()
        self._interval_seconds = blend(self._interval_seconds, now - self._newest)
        self._interval_share = blend(self._interval_share, share)
        self._newest = now

    def keep(self, store: Store) -> None:
        """Write it to the store, if it has changed."""
        state = json.dumps(
            {
                "search_end": self.search_end,
                "driven_seconds": self.driven_seconds,
                "interval_seconds": self._interval_seconds,
                "interval_share": self._interval_share,
                **self.lookahead.state(),
            }
        )
        if state != self._kept:
            store.set_meta(_KEY, state)
            self._kept = state

    def restore(self, store: Store) -> None:
        """Read it back; the budget may be another one by now."""
        kept = store.meta(_KEY)
        if kept is not None:
            state = json.loads(kept)
            self._driven_before = state.get("driven_seconds", 0.0)
            self._interval_seconds = state.get("interval_seconds", 0.0)
            self._interval_share = state.get("interval_share", 0.0)
            self.search_end = max(self._plan.search_end, min(state["search_end"], self._plan.evaluations))
            self.lookahead.restore(state)

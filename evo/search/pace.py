"""How fast and how far a search proposes: the look-ahead, and where the search proper ends. Kept with the run."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping

from evo.standings.plan import Plan
from evo.store import Store

# Weight of the newest measurement in the running means: about the last ten count.
_NEWEST_SHARE = 0.2
_RESERVE = 20
"""Finished offspring in reserve for each one under way: a proposal of a twentieth of an evaluation fills every slot's.

What is in reserve was proposed without the newest results, so whatever is made quickly is made when it is needed.
"""


class Lookahead:
    """Sizes the look-ahead from the measured latencies of proposals and evaluations.

    A slot needs a new offspring every `evaluation_seconds`; an offspring takes `proposal_seconds` of proposing, those
    proposals included that came to nothing. Little's law asks for slots × proposal / evaluation proposals under way.
    Finished ones keep the slots busy when several become free at once: half as many as there are slots where proposals
    are slow, one or two where all slots could be served in time. More would make proposals stale and fill little
    (`experiments/freshness.py`). Before a result, there is one for each slot: they end at about the same time.

    The measurements are kept with the run (`state`), for the look-ahead decides when a proposal begins and so what it
    may know: a resumed run that measured again would decide otherwise. They are differences of a monotonic clock, so
    neither a clock that is set nor the time between a kill and the resumption enters them.

    Attributes:
        slots: how many evaluations run at a time.
    """

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._unrewarded_seconds = 0.0
        self._proposal_seconds = 0.0
        self._evaluation_seconds = 0.0

    def proposal_took(self, seconds: float) -> None:
        """Take in the latency of one proposal, whatever came of it."""
        self._unrewarded_seconds += seconds

    def proposal_admitted(self) -> None:
        """Take in that the newest proposal became something to evaluate."""
        self._proposal_seconds = blend(self._proposal_seconds, self._unrewarded_seconds)
        self._unrewarded_seconds = 0.0

    def evaluation_took(self, seconds: float) -> None:
        """Take in the wall seconds of one evaluation."""
        self._evaluation_seconds = blend(self._evaluation_seconds, seconds)

    def target(self) -> int:
        """Return how many offspring should be waiting or being made."""
        if self._evaluation_seconds == 0.0:
            return self.slots
        under_way = self.slots * self._proposal_seconds / self._evaluation_seconds
        return min(math.ceil(self.slots / 2), 1 + math.ceil(_RESERVE * under_way)) + math.ceil(under_way)

    def state(self) -> dict[str, float]:
        """Return the measurements in a JSON-serialisable form that `restore` takes back."""
        return {
            "unrewarded_seconds": self._unrewarded_seconds,
            "proposal_seconds": self._proposal_seconds,
            "evaluation_seconds": self._evaluation_seconds,
        }

    def restore(self, state: Mapping[str, float]) -> None:
        """Replace the measurements by the output of `state`."""
        self._unrewarded_seconds = state["unrewarded_seconds"]
        self._proposal_seconds = state["proposal_seconds"]
        self._evaluation_seconds = state["evaluation_seconds"]


def blend(mean: float, newest: float) -> float:
    """Return a running mean with its newest value; 0.0 is a mean of nothing yet."""
    return newest if mean == 0.0 else mean + _NEWEST_SHARE * (newest - mean)


_KEY = "pace"


class Pace:
    """What decides when a proposal begins, apart from the results; a resumed run goes on with it as it was.

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
        self._paused_since: float | None = None

    @property
    def driven_seconds(self) -> float:
        """Wall seconds that the run was driven so far, by this driver and those before it, without its pauses."""
        now = self._clock() if self._paused_since is None else self._paused_since
        return self._driven_before + now - self._started

    @property
    def result_seconds(self) -> float:
        """Wall seconds in which the workers together get through one evaluation of the whole budget, lately."""
        return self._interval_seconds / self._interval_share if self._interval_share else 0.0

    def result_came(self, budget_fraction: float) -> None:
        """Take in that an evaluation was accepted that trained with a share of the budget."""
        now = self._clock()
        self._interval_seconds = blend(self._interval_seconds, now - self._newest)
        self._interval_share = blend(self._interval_share, budget_fraction)
        self._newest = now

    def pause(self, is_paused: bool) -> None:
        """Stop the clock of the run, or let it go on; the same twice is fine."""
        now = self._clock()
        if is_paused and self._paused_since is None:
            self._paused_since = now
        elif not is_paused and self._paused_since is not None:
            self._started += now - self._paused_since
            self._newest = max(self._newest, now)
            self._paused_since = None

    def extend(self, plan: Plan) -> None:
        """Go on with another budget."""
        self.search_end = _search_end(plan, self.search_end, self._plan.evaluations)
        self._plan = plan

    def keep(self, store: Store) -> None:
        """Write it to the store, if it has changed."""
        state = json.dumps(
            {
                "search_end": self.search_end,
                "evaluations": self._plan.evaluations,
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
            self.search_end = _search_end(self._plan, state["search_end"], state.get("evaluations"))
            self.lookahead.restore(state)


def _search_end(plan: Plan, before: float, evaluations: int | None) -> float:
    """Return where the search proper ends.

    Args:
        plan: of the budget by now.
        before: where it ended before: beyond the plan where finalists left something of the budget.
        evaluations: the budget by then; of a larger one nothing is taken over.
    """
    if evaluations is not None and evaluations > plan.evaluations:
        return plan.search_end
    return max(plan.search_end, min(before, plan.evaluations))

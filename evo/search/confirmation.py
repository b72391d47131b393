"""What keeps luck out of a search's answer: replicates of generation 0, and the confirmation of the finalists.

Both train with several seeds, and score a split that selection never sees.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Set
from typing import NamedTuple

from evo.search.evaluations import Evaluations
from evo.search.jobs import COMPARED_SPLITS
from evo.search.pace import Pace
from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.steering.journal import SteeringJournal
from evo.store import EvaluationRequest, Purpose, StoreView


def replicate_requests(plan: Plan) -> list[EvaluationRequest]:
    """Return the evaluations of generation 0 that begin a run; scored so that confirmations compare with them."""
    seeds = [plan.training_seed(index) for index in range(plan.baseline)]
    return [EvaluationRequest(seed, COMPARED_SPLITS, Purpose.BASELINE) for seed in seeds]


class Lacking(NamedTuple):
    """What the confirmation lacks.

    Attributes:
        requests: pairs of an individual and its evaluation, to be queued now, the most urgent first.
        later: evaluations that it takes after these, as the finalists rank now.
    """

    requests: list[tuple[int, EvaluationRequest]]
    later: int


class Confirmation:
    """The end of a search: confirms the finalists with what the plan reserves for it."""

    def __init__(
        self,
        standings: Standings,
        store: StoreView,
        pace: Pace,
        evaluations: Evaluations,
        steering: SteeringJournal,
    ) -> None:
        self._standings = standings
        self._store = store
        self._pace = pace
        self._evaluations = evaluations
        self._steering = steering

    @property
    def _plan(self) -> Plan:
        return self._standings.plan

    def start(self, proposing: int, *, is_stopped: bool, is_open: bool) -> bool:
        """Queue what is to be confirmed now; return whether the search goes on with what the finalists leave.

        Args:
            proposing: proposals under way.
            is_stopped: whether a rule has ended the search proper.
            is_open: whether the search proper has budget left.
        """
        under_way = self._evaluations.under_way
        if proposing or any(record.purpose is not Purpose.CONFIRM for record in under_way):
            if not is_open:
                self._start_certain(proposing)
            return False
        # Where a rule has ended the search early, this takes no more of the budget than it would have had at the end.
        end = min(self._plan.evaluations, self._pace.search_end + self._plan.confirmations)
        left = end - self._standings.spent - len(under_way)
        requests, later = self._lacking(left)
        reserved = len(requests) + later
        if not is_stopped and left - reserved >= 1:
            self._pace.search_end = self._plan.evaluations - reserved
            return True
        # Each result may change which finalists go on, so nothing is queued before a worker is free.
        idle = max(0, self._evaluations.placement.free(Purpose.CONFIRM) - len(self._evaluations.queue))
        self._evaluations.enqueue(requests[:idle])
        return False

    def _start_certain(self, proposing: int) -> None:
        """Give idle workers what the confirmation takes of generation 0 in any case."""
        idle = self._evaluations.placement.free(Purpose.CONFIRM) - proposing
        if self._evaluations.queue or idle <= 0:
            return
        left = self._plan.evaluations - self._pace.search_end
        requests = self._lacking(left).requests
        certain = [(individual, wanted) for individual, wanted in requests if individual == 0][:idle]
        self._evaluations.enqueue(certain)
        self._pace.search_end += len(certain)

    def _lacking(self, left: float) -> Lacking:
        return lacking(self._plan, self._standings, self._store, left, self._steering.course.pinned)


def lacking(plan: Plan, standings: Standings, store: StoreView, left: float, pinned: Set[int] = frozenset()) -> Lacking:
    """Return what the confirmation lacks as its finalists rank now, as far as there is room.

    Finalists are the best in the one objective of selection, or the members of the front where there are several
    (`Standings.finalists`). They race: after the first round only the better half goes on to more seeds, and so on
    (successive halving). Once all were measured, the race is asynchronous (Li et al., 2020): the leading ones go on
    while others still run, so that workers hardly wait. Generation 0 runs with the same seeds, so that every difference
    is one between pairs. What exists already, from replicates or from the confirmation of a smaller budget, is not
    repeated.

    Args:
        standings: which are the finalists, and how they rank.
        store: what exists or is under way.
        left: evaluations of the budget, beyond what is under way.
        pinned: further finalists, of which as many as the plan has places take those of the last ones.
    """
    nothing = Lacking([], 0)
    if not plan.rounds or standings.replication.repeats_exactly:  # another seed would show what the first one did
        return nothing
    finalists = _with_pinned(plan, standings, pinned)
    rounds = plan.rounds_of(len(finalists))
    known = store.seeds_of((0, *finalists))

    def fresh(seeds: int) -> list[int]:
        # Seed 0 is what selection has seen; the others are new to every finalist.
        return [plan.training_seed(index + 1) for index in range(seeds)]

    def missing(individuals: Iterable[int], seeds: int) -> list[tuple[int, EvaluationRequest]]:
        return [
            (individual, EvaluationRequest(seed, COMPARED_SPLITS, Purpose.CONFIRM))
            for seed in fresh(seeds)
            for individual in (0, *individuals)
            if (individual, seed) not in known
        ]

    while finalists and len(first := missing(finalists, rounds[0].seeds)) > left:
        finalists.pop()
    if not finalists:
        return nothing
    ended = {one for one in (0, *finalists) if any(known.get((one, seed)) for seed in fresh(rounds[0].seeds))}
    may_go_on = not first and ended.issuperset(finalists)
    ranked = standings.confirmations.ranked(finalists, only_measured=may_go_on)
    coming = [one for each in rounds[1:] for one in missing(ranked[: each.finalists], each.seeds)]
    in_first = set(first)
    everything = list(dict.fromkeys([*first, *coming]))[: math.floor(left)]
    # Before all of them were seen, only generation 0 is certain to go on.
    now = everything if may_go_on or not coming else [one for one in everything if one in in_first or one[0] == 0]
    return Lacking(now, len(everything) - len(now))


def _with_pinned(plan: Plan, standings: Standings, pinned: Set[int]) -> list[int]:
    """Return the finalists, the most important first: behind the first one those that a user has pinned."""
    first, *others = [individual.id for individual in standings.finalists()] or [0]
    measured = sorted(one for one in pinned if one and one in standings.measured)
    chosen = [one for one in dict.fromkeys([first, *measured, *others]) if one]
    return chosen[: max(plan.finalists, 1 + len(others))]

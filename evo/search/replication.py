"""Replicates: an individual that leads by one lucky evaluation is evaluated again before the search builds on it.

The best of many single measurements is mostly the luckiest one. So the leaders get more seeds, the same ones for all of
them, and are ranked by their means; one that falls makes room for the next, which is replicated in turn. Where
selection looks at several objectives, every member of their front leads: it fills with lucky ones just as the top does.

Operators may ask for a replicate of any individual (`operators.proposal.MeasureAgain`); it counts as a leader's does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose
from trainer.evaluation import Split

_MOST_REPLICATES = 50
"""Of one individual, that operators may ask for: by then its mean is known to a seventh of the noise."""


def missing_replicates(
    plan: Plan, standings: Standings, under_way: Iterable[EvaluationRecord]
) -> list[tuple[int, EvaluationRequest]]:
    """Return the replicates that the leaders lack: pairs of an individual and its evaluation.

    `under_way` are the evaluations that are queued or running.
    """
    if not plan.leaders or standings.replication.repeats_exactly:
        return []
    pending = Counter(record.individual for record in under_way if record.purpose is Purpose.REPLICATE)
    # Failed ones count too: an individual that fails with one seed would be replicated forever.
    return [
        (leader.id, _replicate(plan, index))
        for leader in standings.leaders()
        for index in range(standings.replication.results[leader.id] + pending[leader.id], plan.leader_seeds - 1)
    ]


def repeatable(plan: Plan, standings: Standings, under_way: Set[int]) -> Set[int]:
    """Return the individuals that an operator may ask to replicate; none where replicates are of no use.

    One that has failed with a seed is left alone: operators learn nothing from failures and would ask for more of them.

    `under_way` are the individuals with an evaluation that has not come in.
    """
    if not plan.leaders or standings.replication.repeats_exactly:
        return frozenset()
    results, failures = standings.replication.results, standings.replication.failures
    idle = [one for one in standings.measured if one not in under_way]
    return {one for one in idle if results[one] < _MOST_REPLICATES and not failures[one]}


def next_replicate(plan: Plan, standings: Standings, individual: int) -> EvaluationRequest:
    """Return another replicate of an individual that has no evaluation under way."""
    return _replicate(plan, standings.replication.results[individual])


def more_replicates(
    standings: Standings, under_way: Iterable[EvaluationRecord], individual: int, seeds: int
) -> list[EvaluationRequest]:
    """Return further replicates of an individual, beside those that it had and has under way."""
    pending = sum(one.individual == individual and one.purpose is Purpose.REPLICATE for one in under_way)
    first = standings.replication.results[individual] + pending
    return [_replicate(standings.plan, index) for index in range(first, first + seeds)]


def _replicate(plan: Plan, index: int) -> EvaluationRequest:
    return EvaluationRequest(plan.second_seed(index), (Split.SELECTION,), Purpose.REPLICATE)

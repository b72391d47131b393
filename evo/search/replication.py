"""Second looks: whoever leads by one lucky evaluation is evaluated again before the search builds on it.

The best of many single measurements is mostly the luckiest one. So the leaders get more seeds, the same ones for all of
them, and are ranked by their means; a fall makes room for the next, who is looked at again in turn. Where selection
looks at several objectives, everybody on their front leads: a front fills with the lucky just as the top does.

Operators may ask for further looks at anybody (`operators.proposal.MeasureAgain`); those count as the leaders' do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Set

from evo.standings.plan import Plan
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose
from trainer.evaluation import Split

_MOST_LOOKS = 50
"""Of one individual, that operators may ask for: by then its mean is known to a seventh of the noise."""


def second_looks(
    plan: Plan, standings: Standings, under_way: Iterable[EvaluationRecord]
) -> list[tuple[int, EvaluationRequest]]:
    """Return the evaluations that the leaders lack: pairs of an individual and what to ask of it.

    Args:
        plan: of the run.
        standings: who leads, and how often each was evaluated.
        under_way: evaluations that are queued or running.
    """
    if not plan.leaders or standings.replication.repeats_exactly:
        return []
    pending = Counter(record.individual for record in under_way if record.purpose is Purpose.REPLICATE)
    # Failed ones count too: whoever fails with one seed would be asked forever.
    return [
        (leader.id, _look(plan, index))
        for leader in standings.leaders()
        for index in range(standings.replication.results[leader.id] + pending[leader.id], plan.leader_seeds - 1)
    ]


def repeatable(plan: Plan, standings: Standings, under_way: Set[int]) -> Set[int]:
    """Return who may be evaluated with another seed because an operator asks for it; nobody where looks are no use.

    Whoever has failed with one is left alone: operators learn nothing from failures and would ask for more of them.

    Args:
        plan: of the run.
        standings: who was measured, and how often.
        under_way: individuals with an evaluation that has not come in.
    """
    if not plan.leaders or standings.replication.repeats_exactly:
        return frozenset()
    looks, failed = standings.replication.results, standings.replication.failures
    return {one for one in standings.measured if one not in under_way and looks[one] < _MOST_LOOKS and not failed[one]}


def further_look(plan: Plan, standings: Standings, individual: int) -> EvaluationRequest:
    """Return what to ask of an individual of whom no evaluation is under way, so that it is looked at once more."""
    return _look(plan, standings.replication.results[individual])


def _look(plan: Plan, index: int) -> EvaluationRequest:
    return EvaluationRequest(plan.second_seed(index), (Split.SELECTION,), Purpose.REPLICATE)

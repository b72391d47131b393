"""Second looks: whoever leads by one lucky evaluation is evaluated again before the search builds on it.

The best of many single measurements is mostly the luckiest one. So the leaders get more seeds, the same ones for all of
them, and are ranked by their means; a fall makes room for the next, who is looked at again in turn. Where selection
looks at several objectives, everybody on their front leads: a front fills with the lucky just as the top does.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable

from evo.plan import Plan
from evo.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose
from trainer.evaluation import Split


def second_looks(
    plan: Plan, standings: Standings, under_way: Iterable[EvaluationRecord]
) -> list[tuple[int, EvaluationRequest]]:
    """Return the evaluations that the leaders lack: pairs of an individual and what to ask of it.

    Args:
        plan: of the run.
        standings: who leads, and how often each was evaluated.
        under_way: evaluations that are queued or running.
    """
    if not plan.leaders or standings.repeats_exactly:
        return []
    pending = Counter(record.individual for record in under_way)
    wanted = []
    for leader in standings.leaders():
        # Failed ones count too: whoever fails with one seed would be asked forever.
        for index in range(standings.second_looks[leader.id] + pending[leader.id], plan.leader_seeds - 1):
            request = EvaluationRequest(plan.second_seed(index), (Split.SELECTION,), Purpose.REPLICATE)
            wanted.append((leader.id, request))
    return wanted


def in_order(queue: Iterable[EvaluationRecord]) -> deque[EvaluationRecord]:
    """Return evaluations in the order in which they are to be launched: second looks go first."""
    return deque(sorted(queue, key=lambda record: record.purpose is not Purpose.REPLICATE))

"""What keeps luck out of a search's answer: replicates of generation 0, the gate, the confirmation of the finalists.

All of them score a split that selection never sees; the first and the last train with several seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from evo.plan import CONFIRMED_OBJECTIVE, Plan, Round
from evo.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose, StoreView
from trainer.evaluation import Job, Split

_COMPARED_SPLITS = (Split.SELECTION, Split.GATE)


def replicate_requests(plan: Plan) -> list[EvaluationRequest]:
    """Return the evaluations of generation 0 that begin a run; scored so that confirmations compare with them."""
    seeds = [plan.training_seed(index) for index in range(plan.baseline)]
    return [EvaluationRequest(seed, _COMPARED_SPLITS, Purpose.BASELINE) for seed in seeds]


def gated_job(record: EvaluationRecord, source: str, standings: Standings) -> Job:
    """Return what a worker is asked for an evaluation: an offspring that leads is scored on the gate split as well."""
    job = Job(source, record.seed, record.splits)
    if record.purpose is not Purpose.SEARCH or not standings.has_gate:
        return job
    if standings.champion is None:
        return replace(job, splits=_COMPARED_SPLITS)
    return replace(job, gate_below=standings.champion.means()[CONFIRMED_OBJECTIVE])


def confirmation_requests(
    plan: Plan, standings: Standings, store: StoreView, left: float
) -> list[tuple[int, EvaluationRequest]]:
    """Return the evaluations that the confirmation lacks as its finalists rank now, the most urgent first.

    Finalists are the best in the one objective of selection, or the members of the front where there are several
    (`Standings.finalists`). They race: after the first round only the better half goes on to more seeds, and so on
    (successive halving; asynchronous as in Li et al., 2020: whoever is ahead goes on while others still run, so that no
    worker waits). Generation 0 runs with the same seeds, so that every difference is one between pairs. What exists
    already, from replicates or from the confirmation of a smaller budget, is not repeated.

    Args:
        plan: of the run.
        standings: who the finalists are, and how they rank.
        store: what exists or is under way.
        left: evaluations of the budget, beyond what is under way.

    Returns:
        Pairs of an individual and what to ask of it, as many as there is room for; none when that is not even the first
        round of one finalist.
    """
    if not plan.rounds:
        return []
    finalists = [individual.id for individual in standings.finalists()]
    rounds = plan.rounds_of(len(finalists))
    if standings.repeats_exactly:
        # Then another seed shows what the first one did.
        rounds = tuple(Round(one.finalists, 1) for one in rounds[:1])
    known = {(one, record.seed) for one in (0, *finalists) for record in store.evaluations_of(one)}

    def missing(individuals: Iterable[int], seeds: int) -> list[tuple[int, EvaluationRequest]]:
        # Seed 0 is what selection has seen; the others are new to every finalist.
        wanted = [plan.training_seed(index + 1) for index in range(seeds)]
        return [
            (individual, EvaluationRequest(seed, _COMPARED_SPLITS, Purpose.CONFIRM))
            for individual in (0, *individuals)
            for seed in wanted
            if (individual, seed) not in known
        ]

    while finalists and len(missing(finalists, rounds[0].seeds)) > left:
        finalists.pop()
    if not finalists:
        return []
    ranked = standings.ranked(finalists)
    requests = missing(ranked, rounds[0].seeds)
    for each in rounds[1:]:
        requests += missing(ranked[: each.finalists], each.seeds)
    return list(dict.fromkeys(requests))[: math.floor(left)]


def certain_requests(plan: Plan, standings: Standings, store: StoreView, left: float) -> list[EvaluationRequest]:
    """Return what the confirmation takes of generation 0 even if the finalists change; arguments as above."""
    seeds = {plan.training_seed(index + 1) for index in range(plan.confirmation_seeds)}
    requests = confirmation_requests(plan, standings, store, left)
    return [wanted for individual, wanted in requests if individual == 0 and wanted.seed in seeds]

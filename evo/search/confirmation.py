"""What keeps luck out of a search's answer: replicates of generation 0, the gate, the confirmation of the finalists.

All of them score a split that selection never sees; the first and the last train with several seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from evo.search.jobs import COMPARED_SPLITS
from evo.standings.plan import Plan, Round
from evo.standings.standings import Standings
from evo.store import EvaluationRequest, EvaluationState, Purpose, StoreView


def replicate_requests(plan: Plan) -> list[EvaluationRequest]:
    """Return the evaluations of generation 0 that begin a run; scored so that confirmations compare with them."""
    seeds = [plan.training_seed(index) for index in range(plan.baseline)]
    return [EvaluationRequest(seed, COMPARED_SPLITS, Purpose.BASELINE) for seed in seeds]


class Confirmation(NamedTuple):
    """What the confirmation lacks.

    Attributes:
        requests: pairs of an individual and what to ask of it now, the most urgent first.
        later: evaluations that it takes after these, as the finalists rank now.
    """

    requests: list[tuple[int, EvaluationRequest]]
    later: int


def confirmation(plan: Plan, standings: Standings, store: StoreView, left: float) -> Confirmation:
    """Return what the confirmation lacks as its finalists rank now, as far as there is room.

    Finalists are the best in the one objective of selection, or the members of the front where there are several
    (`Standings.finalists`). They race: after the first round only the better half goes on to more seeds, and so on
    (successive halving). Once everybody was seen, the race is asynchronous (Li et al., 2020): whoever is ahead goes on
    while others still run, so that workers hardly wait. Generation 0 runs with the same seeds, so that every difference
    is one between pairs. What exists already, from replicates or from the confirmation of a smaller budget, is not
    repeated.

    Args:
        plan: of the run.
        standings: who the finalists are, and how they rank.
        store: what exists or is under way.
        left: evaluations of the budget, beyond what is under way.
    """
    nothing = Confirmation([], 0)
    if not plan.rounds:
        return nothing
    finalists = [individual.id for individual in standings.finalists()]
    rounds = plan.rounds_of(len(finalists))
    if standings.replication.repeats_exactly:
        # Then another seed shows what the first one did.
        rounds = tuple(Round(one.finalists, 1) for one in rounds[:1])
    records = {one: store.evaluations_of(one) for one in (0, *finalists)}
    known = {(one, record.seed) for one, own in records.items() for record in own}

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
    ended = {
        one
        for one, own in records.items()
        if any(its.state is EvaluationState.DONE and its.seed in fresh(rounds[0].seeds) for its in own)
    }
    may_go_on = not first and ended.issuperset(finalists)
    ranked = standings.confirmations.ranked(finalists, only_measured=may_go_on)
    coming = [one for each in rounds[1:] for one in missing(ranked[: each.finalists], each.seeds)]
    everything = list(dict.fromkeys([*first, *coming]))[: math.floor(left)]
    # Before all of them were seen, only generation 0 is certain to go on.
    now = everything if may_go_on or not coming else [one for one in everything if one in first or one[0] == 0]
    return Confirmation(now, len(everything) - len(now))


def certain_requests(plan: Plan, standings: Standings, store: StoreView, left: float) -> list[EvaluationRequest]:
    """Return what the confirmation takes of generation 0 even if the finalists change; arguments as above."""
    return [wanted for individual, wanted in confirmation(plan, standings, store, left).requests if individual == 0]

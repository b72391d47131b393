"""What surrounds a search: replicates of generation 0 before it, the confirmation of the finalists after it.

Both are trained with several seeds and scored on a split that selection never sees.
"""

from __future__ import annotations

from evo.plan import Plan
from evo.standings import Standings
from evo.store import EvaluationRequest, Purpose, StoreView
from trainer.evaluation import Split

_COMPARED_SPLITS = (Split.SELECTION, Split.GATE)


def replicate_requests(plan: Plan) -> list[EvaluationRequest]:
    """Return the evaluations of generation 0 that begin a run; scored so that confirmations compare with them."""
    seeds = [plan.training_seed(index) for index in range(plan.baseline)]
    return [EvaluationRequest(seed, _COMPARED_SPLITS, Purpose.BASELINE) for seed in seeds]


def confirmation_requests(plan: Plan, standings: Standings, store: StoreView) -> list[tuple[int, EvaluationRequest]]:
    """Return the evaluations that confirm as many finalists as the rest of the budget has room for.

    Generation 0 runs with the same seeds, so that every difference is one between pairs. What exists already, from
    replicates or from the confirmation of a smaller budget, is not repeated.

    Returns:
        Pairs of an individual and what to ask of it; none when there is no room for even one finalist.
    """
    finalists = [individual.id for individual in standings.finalists()]
    known = {(one, outcome.seed) for one in (0, *finalists) for outcome in store.outcomes_of(one)}
    for count in range(len(finalists), 0, -1):
        requests = [
            (individual, EvaluationRequest(seed, _COMPARED_SPLITS, Purpose.CONFIRM))
            for individual in (0, *finalists[:count])
            for seed in _confirmation_seeds(plan)
            if (individual, seed) not in known
        ]
        if len(requests) <= plan.evaluations - standings.told:
            return requests
    return []


def _confirmation_seeds(plan: Plan) -> list[int]:
    # Seed 0 is what selection has seen; the others are new to every finalist.
    return [plan.training_seed(index + 1) for index in range(plan.confirmation_seeds)]

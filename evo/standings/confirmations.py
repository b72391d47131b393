"""The confirmation of the finalists and their race: what was measured where selection did not look."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from evo.standings.gains import ConfirmedMember, Gain, confirmed_members, paired_gains
from evo.standings.plan import CONFIRMED_OBJECTIVE, Plan
from evo.store import Outcome, Purpose
from populations.individual import Individual
from trainer.evaluation import Split
from trainer.objectives import Constraint, Objective


class Confirmations:
    """What is confirmed of a run.

    Attributes:
        individuals: those that were confirmed, generation 0 among them.
        racing: the finalists, from the first result of their confirmation until the search goes on.
    """

    def __init__(self, plan: Plan, objectives: Sequence[Objective], constraints: Sequence[Constraint]) -> None:
        self.constraints = tuple(constraints)
        self.individuals: dict[int, Individual] = {}
        self.racing: list[Individual] = []
        self._plan = plan
        self._objectives = tuple(objectives)
        self._fresh: dict[int, dict[int, Mapping[str, float]]] = {}  # by individual, by seed
        self._gains: list[Gain] | None = None  # of `_fresh` as it is

    def tell(self, individual: Individual, outcome: Outcome) -> None:
        """Take in an OK evaluation; one that an individual was chosen by cannot confirm it."""
        holdout_bpb = outcome.split_bpb.get(Split.HOLDOUT)
        is_fresh = outcome.purpose in (Purpose.BASELINE, Purpose.CONFIRM)
        if is_fresh and (holdout_bpb is not None or not self._plan.has_holdout):
            held_out = {} if holdout_bpb is None else {CONFIRMED_OBJECTIVE: holdout_bpb}
            self._fresh.setdefault(individual.id, {})[outcome.seed] = {**outcome.objectives, **held_out}
            self.individuals[individual.id] = individual
            self._gains = None

    def gains(self) -> list[Gain]:
        """Return the gain of every confirmed individual, best first; those eliminated in the race come last."""
        if self._gains is None:
            self._gains = paired_gains(self._fresh, self._objectives[0])
        return [*self._gains]

    def front(self) -> list[ConfirmedMember]:
        """Return the confirmed members of the front of selection; none where selection looks at one objective."""
        return confirmed_members(self._fresh, self._objectives, self.constraints) if self._plan.several else []

    def best(self) -> Individual | None:
        """Return the best by confirmed mean of those that keep the constraints best; None before any is confirmed.

        Generation 0 is the best if that one gained nothing on it, or breaks the constraints more.
        """
        remaining = [gain for gain in self.gains() if not gain.is_behind]
        if not remaining:
            return None
        best = min(remaining, key=lambda gain: self.individuals[gain.individual].fitness.violation)
        found, zero = self.individuals[best.individual], self.individuals[0]
        return found if (-found.fitness.violation, best.value) > (-zero.fitness.violation, 0.0) else zero

    def finalists(self, candidates: Iterable[Individual]) -> list[Individual]:
        """Return the individuals to confirm: the first candidates, and the best by an earlier confirmation."""
        chosen = [one for one in dict.fromkeys(candidates) if one.id != 0][: self._plan.finalists]
        best = self.best()
        return [*chosen, best] if best and best.id and best not in chosen else chosen

    def ranked(self, finalists: Sequence[int], *, only_measured: bool = False) -> list[int]:
        """Return finalists by what was confirmed of them so far, best first; behind them the others as they came.

        `only_measured` leaves out those others.
        """
        weight = self._objectives[0].weight
        place = {
            gain.individual: (-self.individuals[gain.individual].fitness.violation, weight * gain.own)
            for gain in self.gains()
        }
        behind = (-math.inf, 0.0)
        ranked = sorted(finalists, key=lambda one: place.get(one, behind), reverse=True)
        return [one for one in ranked if one in place or not only_measured]

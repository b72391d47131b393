"""Which requests a run refuses: the command line before it sends one, the driver when it takes one up."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from evo.standings.rungs import SuccessiveHalving
from evo.standings.standings import Standings
from evo.steering.actions import Action, Verb
from evo.store import StoreView
from operators.registry import needs_llm
from trainer.errors import counted


def objection(action: Action, store: StoreView, standings: Standings, operators: Iterable[str]) -> str:
    """Return why a run whose configuration names `operators` cannot do what is asked; empty where it can."""
    if action.individual is not None and not store.has_individual(action.individual):
        return f"there is no individual {action.individual}"
    if action.verb is Verb.BAN and action.individual == 0:
        return "generation 0 cannot be banned: it is the parent wherever no other individual may be"
    if action.verb is Verb.AGAIN and standings.replication.repeats_exactly:
        return "every seed gives the same run, so another one would measure nothing"
    if action.verb is Verb.WEIGHTS and action.weights:
        names = list(operators)
        if unknown := sorted(action.weights.keys() - set(names)):
            return f"this run has no operator {', '.join(unknown)}; it has {', '.join(names)}"
        if not any(action.weights.get(name, 1.0) for name in names):
            return "no operator would be left"
    if action.verb is Verb.EXTEND:
        return _small_budget(action, store, standings)
    return ""


def remark(action: Action, operators: Iterable[str]) -> str:
    """Return why something has no effect in a run whose configuration names `operators`; empty where it has one."""
    names = list(operators)
    if action.verb is not Verb.HINT or not action.text or any(map(needs_llm, names)):
        return ""
    return f"no operator of this run is told hints: it has {', '.join(names)}, and no language model"


@dataclass(frozen=True, slots=True)
class Committed:
    """What a run has spent of its budget, and what is under way beyond, in evaluations of the whole training budget."""

    spent: float
    under_way: float

    @classmethod
    def of(cls, store: StoreView, halving: SuccessiveHalving) -> Self:
        """Return it for a run; what is on one of its rungs may climb the others."""
        evaluations = sum(halving.cost_from(record.budget_fraction) for record in (*store.queued(), *store.running()))
        return cls(store.spent(), evaluations + len(store.open_proposals()))

    @property
    def evaluations(self) -> float:
        """The smallest budget that holds both."""
        return self.spent + self.under_way

    def generations(self, pop: int) -> int:
        """Return how many generations of `pop` evaluations that takes."""
        return math.ceil(self.evaluations / pop)

    def __str__(self) -> str:
        more = f" and has up to {self.under_way:g} more under way" if self.under_way else ""
        return f"this run has spent {self.spent:g}{more}"


def _small_budget(action: Action, store: StoreView, standings: Standings) -> str:
    """Return why another budget would not hold what a run has spent and has under way; empty where it would."""
    if action.until and action.until <= time.time():
        return "that time is over"
    pop, committed = standings.plan.mu, Committed.of(store, standings.halving)
    if action.gens is not None and action.gens * pop < committed.evaluations:
        enough = counted(committed.generations(pop), "generation")
        return f"{action.gens * pop} evaluations are too few: {committed}, so give {enough} or more"
    return ""

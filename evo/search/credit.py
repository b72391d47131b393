"""Credit for operators: which offspring improve on their parents beyond noise, and at what cost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

from evo.config.resolved import StoredConfig
from evo.standings.stand_ins import Answering
from evo.standings.standings import Standings
from evo.standings.usage import SECONDS_AN_HOUR
from evo.store import IndividualRecord, Outcome, Purpose, Store, StoreView
from operators.choice import AdaptiveChoice, OperatorChoice
from operators.naming import LLMName

_KEY = "operator_arms"


class Credit:
    """Tells the choice of operators what came of their offspring.

    Args:
        choice: learns from it.
        standings: what is known; they take in a result before this does.
        store: knows what proposals cost.
        evaluation_seconds: what an evaluation costs, worker seconds; the same for all.
        dollars_per_hour: what an hour of a worker is worth.
    """

    def __init__(
        self,
        choice: OperatorChoice,
        standings: Standings,
        store: Store,
        evaluation_seconds: float,
        dollars_per_hour: float,
    ) -> None:
        self._choice = choice
        self._standings = standings
        self._store = store
        self._answering = Answering(store)
        self._seconds = evaluation_seconds
        self._dollars_per_hour = dollars_per_hour

    @classmethod
    def of(cls, config: StoredConfig, choice: OperatorChoice, standings: Standings, store: Store) -> Credit:
        """Return the credit of a run."""
        return cls(choice, standings, store, config.budget.train_seconds, config.operators.dollars_per_hour)

    def tell(self, individual: IndividualRecord, outcome: Outcome) -> None:
        """Take in a result; only what decides over an offspring teaches anything: its first whole one, or the last.

        What a language model made in the place of another one counts for its own arm. A replicate gives no credit,
        whether the search or an operator asked for it: it is about what exists.
        """
        is_last_rung = outcome.purpose is Purpose.SCREEN and self._standings.halving.promotion(individual.id) is None
        if outcome.purpose is not Purpose.SEARCH and not is_last_rung:
            return
        seconds = self._store.cost_of(individual.id) * SECONDS_AN_HOUR / self._dollars_per_hour
        trained = sum(
            one.budget_fraction
            for one in self._store.outcomes_of(individual.id)
            if one.result_number <= outcome.result_number
        )
        improved = outcome.purpose is Purpose.SEARCH and self._standings.improves(individual.id)
        operator = individual.operator
        if model := self._answering.of(individual.id):
            operator = str(LLMName.of(operator)._replace(model=model))
        self._choice.tell(operator, improved=improved, cost=trained * self._seconds + seconds)

    def keep(self) -> None:
        """Write what the choice has learnt to the store, for views; a resumed run learns it again from the results."""
        if isinstance(self._choice, AdaptiveChoice):
            self._store.set_meta(_KEY, json.dumps({name: asdict(arm) for name, arm in self._choice.arms.items()}))


def read_arms(store: StoreView) -> Mapping[str, Mapping[str, float]]:
    """Return what an adaptive choice has learnt, by operator (`operators.choice.Arm`); empty without one."""
    arms: Mapping[str, Mapping[str, float]] = json.loads(store.meta(_KEY) or "{}")
    return arms

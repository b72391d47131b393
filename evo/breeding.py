"""The asking side of the search: select parents, choose an operator, let it vary them."""

from __future__ import annotations

import functools
import random
from dataclasses import dataclass

from evo.standings import Standings
from evo.store import ProposalRecord, Store
from evo.surroundings import look_around, parent_of
from operators.choice import OperatorChoice
from operators.gate import SourceGate
from operators.proposal import Operator, Proposal, Request
from populations.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal that was begun: who varies whom, and what the population had seen."""

    number: int
    operator: Operator
    parents: tuple[int, ...]
    told: int


class Breeder:
    """Begins proposals and carries them out.

    Every random choice depends on (seed, proposal number) only, so a resumed run takes the same next decision.
    """

    def __init__(
        self,
        seed: int,
        toolbox: Toolbox,
        operators: OperatorChoice,
        gate: SourceGate,
        store: Store,
        standings: Standings,
    ) -> None:
        self._seed = seed
        self._toolbox = toolbox
        self._operators = operators
        self._gate = gate
        self._store = store
        self._standings = standings

    def begin(self, number: int) -> Draft:
        """Choose operator and parents, and journal the choice before anything is spent on it."""
        rng = random.Random(f"{self._seed}:{number}:select")  # noqa: S311 - no secret depends on it
        population = self._standings.population
        operator = self._operators.pick(rng, max(1, len(population)))
        if population:
            parents = tuple(parent.id for parent in self._toolbox.select(population, operator.arity, rng))
        else:
            parents = (0,)  # generation 0 is still being measured, and there is nobody else
        draft = Draft(number, operator, parents, self._standings.told)
        self._store.begin_proposal(number, operator.name, parents, draft.told)
        return draft

    async def close(self) -> None:
        """Close what the operators hold open."""
        await self._operators.close()

    def reopen(self, record: ProposalRecord) -> Draft:
        """Return the draft of a proposal that was journaled before a kill."""
        return Draft(record.number, self._operators.named(record.operator), record.parents, record.told)

    async def propose(self, draft: Draft) -> Proposal:
        """Let the operator work; raises what `Operator.propose` raises."""
        request = Request(
            number=draft.number,
            parents=tuple(parent_of(self._store, parent, draft.told) for parent in draft.parents),
            look_around=functools.cache(lambda: look_around(self._store, self._standings, draft.parents, draft.told)),
            random=random.Random(f"{self._seed}:{draft.number}:vary"),  # noqa: S311 - no secret depends on it
            journal=self._store.journal(draft.number),
            gate=self._gate,
        )
        return await draft.operator.propose(request)

"""The asking side of the search: select parents, choose an operator, let it vary them."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from evo.standings import Standings
from evo.store import ProposalRecord, Store
from evo.surroundings import look_around, parent_of, unrelated
from evo.variants import Variants
from operators.choice import OperatorChoice
from operators.gate import SourceGate
from operators.proposal import Operator, Proposal, Request, Surroundings, Variant
from populations.toolbox import Toolbox


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal that was begun: who varies whom, and what the population had seen.

    Attributes:
        told: results that the population had seen.
        look_around: gathers what was known then.
        find_variants: gathers what was measured of the first parent's structure then.
    """

    number: int
    operator: Operator
    parents: tuple[int, ...]
    told: int
    look_around: Callable[[], Surroundings]
    find_variants: Callable[[], Sequence[Variant]]


class Breeder:
    """Begins proposals and carries them out.

    Every random choice depends on (seed, proposal number) only, so a resumed run takes the same next decision.

    Args:
        independent: whether everybody descends from generation 0 directly, and operators are told of nobody else.
    """

    def __init__(
        self,
        seed: int,
        toolbox: Toolbox,
        operators: OperatorChoice,
        gate: SourceGate,
        store: Store,
        standings: Standings,
        *,
        independent: bool = False,
    ) -> None:
        self._seed = seed
        self._toolbox = toolbox
        self._operators = operators
        self._gate = gate
        self._store = store
        self._standings = standings
        self._independent = independent
        self._variants = Variants(store)

    def begin(self, number: int) -> Draft:
        """Choose operator and parents, and journal the choice before anything is spent on it."""
        rng = random.Random(f"{self._seed}:{number}:select")  # noqa: S311 - no secret depends on it
        population = [] if self._independent else self._standings.population
        operator = self._operators.pick(rng, max(1, len(population)))
        if population:
            chosen = self._toolbox.select(population, operator.arity, rng, noise=self._standings.noise())
            parents = tuple(parent.id for parent in chosen)
        else:
            parents = (0,)  # there is nobody else as long as generation 0 is being measured
        told = self._standings.told
        self._store.begin_proposal(number, operator.name, parents, told)
        # The operator starts before the next result is told, and asks first thing, if at all.
        around = functools.cache(lambda: self._look_around(parents, told))
        variants = functools.cache(lambda: self._variants.of(parents[0], told))
        return Draft(number, operator, parents, told, around, variants)

    async def close(self) -> None:
        """Close what the operators hold open."""
        await self._operators.close()

    def reopen(self, record: ProposalRecord) -> Draft:
        """Return the draft of a proposal that was begun before a kill, when just what it had seen has been told.

        Raises:
            ConfigError: its operator is none of this run's any more.
        """
        operator = self._operators.named(record.operator)
        around = self._look_around(record.parents, record.told)
        variants = self._variants.of(record.parents[0], record.told)
        return Draft(record.number, operator, record.parents, record.told, lambda: around, lambda: variants)

    async def propose(self, draft: Draft) -> Proposal:
        """Let the operator work; raises what `Operator.propose` raises."""
        request = Request(
            number=draft.number,
            parents=tuple(parent_of(self._store, parent, draft.told) for parent in draft.parents),
            look_around=draft.look_around,
            random=random.Random(f"{self._seed}:{draft.number}:vary"),  # noqa: S311 - no secret depends on it
            journal=self._store.journal(draft.number),
            gate=self._gate.knowing(functools.partial(self._store.known, proposal=draft.number)),
            find_variants=draft.find_variants,
        )
        return await draft.operator.propose(request)

    def _look_around(self, parents: tuple[int, ...], told: int) -> Surroundings:
        if self._independent:
            return unrelated(self._standings)
        return look_around(self._store, self._standings, parents, told)

"""How an offspring comes about: select parents, choose an operator, let it vary them, pass the gate."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from evo.search.context import Variants, gather_context, parent_of, unrelated
from evo.search.mating import Mating, Pairing
from evo.search.memory import Memories
from evo.search.repairs import Repairs
from evo.search.replication import repeatable
from evo.search.smoke import SmokeRuns
from evo.standings.lessons import LessonsBook, lesson_lines
from evo.standings.standings import Standings
from evo.standings.texts import INSTRUCTIONS, TextBook
from evo.store import ProposalRecord, Store
from operators.gate import SourceGate
from operators.proposal import Context, Crash, Known, Memory, Operator, Proposal, Request, Teacher
from operators.repeats import Repeats
from populations.dominance import TIE_ERRORS


@dataclass(frozen=True, slots=True)
class Draft:
    """A proposal that was begun: operator, parents, and what the population had seen.

    Attributes:
        result_number: of the newest result that the population had seen.
        is_bold: whether it explores.
        crash: what it is to mend; None where it makes something new.
        known: what was known then.
    """

    number: int
    operator: Operator
    parents: tuple[int, ...]
    result_number: int
    is_bold: bool
    crash: Crash | None
    known: Known


class Breeder:
    """Begins proposals and carries them out.

    Every random choice depends on (seed, proposal number) only, so a resumed run takes the same next decision.

    Args:
        mating: chooses the operator and the parents of each proposal.
        gate: judges what the operators make.
        similarity: share of common code from which an offspring repeats a relative that came out worse than the parent;
            0 for never.
        smoke: tries every offspring for a moment; None for none of that.
        repairs: knows what crashed and may be mended; None for none of that.

    Attributes:
        steering: what users have asked.
    """

    def __init__(
        self,
        mating: Mating,
        gate: SourceGate,
        store: Store,
        standings: Standings,
        *,
        similarity: float = 0.0,
        smoke: SmokeRuns | None = None,
        repairs: Repairs | None = None,
    ) -> None:
        self.operators = mating.operators
        self.steering = mating.steering
        self._mating = mating
        self._gate = gate
        self._store = store
        self._standings = standings
        self._independent = mating.independent
        self._similarity = similarity
        self.smoke = smoke
        self._repairs = None if self._independent else repairs
        self._variants = Variants(store)
        self._memories = Memories(store, standings)
        self.lessons = LessonsBook(store)
        self.instructions = TextBook(store, INSTRUCTIONS)

    def begin(self, number: int, *, is_local: bool = False) -> Draft:
        """Choose operator, one without a service if it `is_local`, and parents; journal the choice before its costs.

        What crashed and is due for a repair goes before what is new.
        """
        result_number, is_bold = self._standings.result_number, self._mating.is_bold(number)
        repair = None if is_local else self._due_repair(number, result_number)
        crash, pairing = repair or (None, self._mating.pair(number, is_local=is_local))
        operator, parents = pairing.operator, pairing.parents
        self._store.begin_proposal(number, operator.name, parents, result_number, crash.individual if crash else None)
        return self._draft(number, operator, parents, result_number, is_bold=is_bold, crash=crash)

    def _due_repair(self, number: int, result_number: int) -> tuple[Crash, Pairing] | None:
        """Return the first crash that proposal `number` may mend, with its operator and its parents."""
        if self._repairs is None:
            return None
        for individual in self._repairs.due(number, result_number):
            crash = self._repairs.crash_of(individual)
            pairing = self._mating.again(number, self._store.individual(individual))
            if crash is not None and pairing is not None:
                return crash, pairing
        return None

    @property
    def teacher(self) -> Teacher | None:
        """What can say what the run has taught; None where none may, or nothing was to be told."""
        return None if self._independent else self.operators.teacher

    def settled(self, result_number: int) -> tuple[Memory, dict[str, float]]:
        """Return every idea of the run up to a result, and the noise of the objectives."""
        return self._memories.up_to(result_number), dict(self._standings.noise())

    async def close(self) -> None:
        """Close what the operators hold open."""
        await self.operators.close()

    def reopen(self, record: ProposalRecord) -> Draft:
        """Return the draft of a proposal that was begun before a kill, when just what it had seen has been told.

        Raises:
            ConfigError: its operator is none of this run's any more.
        """
        operator, is_bold = self.operators.named(record.operator), self._mating.is_bold(record.number)
        crash = self._repairs.crash_for(record.number) if self._repairs else None
        draft = self._draft(record.number, operator, record.parents, record.result_number, is_bold=is_bold, crash=crash)
        draft.known.gather()  # further results are told before the operator starts
        return draft

    def admissible(self, source: str) -> None:
        """Raise Refused unless a program that no operator made may become an individual."""
        self._gate.check(source)

    async def propose(self, draft: Draft) -> Proposal:
        """Let the operator work, and try what it has made; raises what `Operator.propose` raises, and Refused."""
        request = Request(
            number=draft.number,
            parents=tuple(parent_of(self._store, parent, draft.result_number) for parent in draft.parents),
            random=self._mating.chance(draft.number, "vary"),
            journal=self._store.journal(draft.number),
            gate=self._gate.knowing(functools.partial(self._store.known, proposal=draft.number), self._repeated(draft)),
            known=draft.known,
            is_bold=draft.is_bold,
            protection=self._gate.protection,
            hints=self.steering.at(draft.number).hints,
            instructions=self.instructions.text_at(draft.number),
            lessons=() if self._independent else lesson_lines(self.lessons.text_at(draft.number)),
            crash=draft.crash,
        )
        if self.smoke is None:
            return await draft.operator.propose(request)
        try_out = functools.partial(self.smoke.check, draft.number)
        proposal = await draft.operator.propose(dataclasses.replace(request, try_out=try_out))
        await try_out(proposal.source)  # at once where the operator did it
        return proposal

    def _draft(
        self,
        number: int,
        operator: Operator,
        parents: tuple[int, ...],
        result_number: int,
        *,
        is_bold: bool,
        crash: Crash | None,
    ) -> Draft:
        """Return a draft that gathers what is known now when it is first asked, before the next result is told."""
        known = Known(
            lambda: self._gather_context(parents, result_number),
            lambda: self._recall(number, result_number),
            lambda: self._variants.of(parents[0], result_number),
            lambda: self._repeatable(number),
        )
        return Draft(number, operator, parents, result_number, is_bold, crash, known)

    def _gather_context(self, parents: tuple[int, ...], result_number: int) -> Context:
        if self._independent:
            return unrelated(self._standings)
        return gather_context(self._store, self._standings, parents, result_number)

    def _recall(self, number: int, result_number: int) -> Memory:
        return Memory() if self._independent else self._memories.of(number, result_number)

    def _repeatable(self, number: int) -> Set[int]:
        return repeatable(self._standings.plan, self._standings, self._store.evaluated_meanwhile(number))

    def _repeated(self, draft: Draft) -> Callable[[str], int | None]:
        """Return what finds the child of the same parents, worse than the first, that a source nearly repeats."""
        if not self._similarity:
            return lambda _: None
        around = draft.known.context
        parent = parent_of(self._store, draft.parents[0], draft.result_number).objectives
        worse = {
            one.id: self._store.source(one.id)
            for one in around.relatives
            if set(one.parents) & set(draft.parents) and self._is_worse(one.objectives, parent, around.noise)
        }
        return Repeats(worse, self._similarity).of

    def _is_worse(self, child: Mapping[str, float], parent: Mapping[str, float], noise: Mapping[str, float]) -> bool:
        """Return whether a child is worse than the parent by more than 2σ in the first objective; no failure is."""
        objective = self._standings.objectives[0]
        if objective.name not in child or objective.name not in parent:
            return False
        loss = objective.weight * (parent[objective.name] - child[objective.name])
        return loss > TIE_ERRORS * noise.get(objective.name, 0.0)

"""The asking side of a search: proposals begin, are made, and become individuals or are refused."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from evo.lineage.writer import LineageWriter
from evo.search.breeding import Breeder, Draft
from evo.search.calls import Calls
from evo.search.evaluations import Evaluations
from evo.search.observer import Deferred
from evo.search.pace import Pace
from evo.search.replication import next_replicate
from evo.search.stopping import StopReason
from evo.standings.plan import Plan
from evo.standings.rungs import WHOLE
from evo.standings.standings import Standings
from evo.steering.actions import INJECTED, Action
from evo.store import (
    MEASURED_AGAIN,
    UNAVAILABLE,
    EvaluationRecord,
    EvaluationRequest,
    ProposalRecord,
    Purpose,
    Store,
)
from operators.errors import CostLimitReached, OperatorUnavailable
from operators.proposal import MeasureAgain, NoOffspring, Proposal, Refused
from populations.diversity import normal_form
from trainer.errors import ConfigError
from trainer.evaluation import Split

_MOST_REFUSALS_IN_A_ROW = 50
_SPENT_MEANWHILE = "the budget was spent before the language model could be used again"


class Proposals:
    """The proposals of a search that are under way.

    Args:
        breeder: draws and makes them.
        evaluations: takes the first evaluation of each individual that comes of them.
        calls: says how many may ask a service at a time.
        pace: says how many are made ahead; told how long they take.
        lineage_writer: told of new individuals.
        news: told what becomes of proposals.
        stop: ends the search proper, for a reason.
        fail: takes an error that ends the search.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        standings: Standings,
        breeder: Breeder,
        evaluations: Evaluations,
        calls: Calls,
        pace: Pace,
        lineage_writer: LineageWriter,
        news: Deferred,
        stop: Callable[[StopReason, str], None],
        fail: Callable[[BaseException], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._standings = standings
        self._breeder = breeder
        self._evaluations = evaluations
        self._calls = calls
        self._pace = pace
        self._lineage_writer = lineage_writer
        self._news = news
        self._stop = stop
        self._fail = fail
        self._clock = clock
        self._reopened: deque[Draft] = deque()
        self._making: dict[asyncio.Task[Proposal], Draft] = {}
        self._latencies: dict[int, float] = {}
        self._next_number = 1
        self._refused_in_a_row = 0

    @property
    def tasks(self) -> list[asyncio.Task[Proposal]]:
        """Those that are being made, as tasks."""
        return [*self._making]

    def room(self) -> float:
        """Return how many evaluations the search proper has left, beyond those that are under way or proposed.

        An individual on a rung counts with all that it may still climb, so that the budget suffices for it.
        """
        halving = self._standings.halving
        under_way = sum(halving.cost_from(record.budget_fraction) for record in self._evaluations.under_way)
        return round(self._pace.search_end - self._standings.spent - under_way - len(self._making), 6)

    def has_room(self) -> bool:
        """Return whether the search proper has budget for one more evaluation."""
        return self.room() >= 1

    def reopen(self, record: ProposalRecord) -> None:
        """Take up what a driver before this one had begun; call it once everything is told that was told then."""
        try:
            self._reopened.append(self._breeder.reopen(record))
        except ConfigError:
            self._store.refuse(record.number, "operator_gone", f"the run goes on without {record.operator}")

    def restore(self) -> None:
        """Go on with the numbers of the store."""
        self._next_number = (self._store.last_proposal_number() or 0) + 1

    def start(self) -> None:
        """Begin what may begin, as far as the look-ahead and the services allow."""
        reopened, self._reopened = self._reopened, deque()
        for draft in reopened:
            if self._may_go_on(draft):
                self._make(draft)
            else:
                self._reopened.append(draft)
        while self._may_begin():
            is_local = self._calls.must_be_local
            draft = self._breeder.begin(self._next_number, is_local=is_local)
            if is_local:
                self._calls.begun_locally(self._next_number)
            self._next_number += 1
            self._make(draft)

    def take_in(self) -> None:
        """Admit or refuse what operators have made."""
        for task in [task for task in self._making if task.done()]:
            self._made(task)

    def inject(self, action: Action) -> int:
        """Make a program of a user's an individual, and return its number; raise Refused where the gate does."""
        self._breeder.admissible(action.text)
        number, parents = self._next_number, (action.individual or 0,)
        self._next_number += 1
        self._store.begin_proposal(number, INJECTED, parents, self._standings.result_number)
        proposal = Proposal(action.text, INJECTED, action.idea or f"Written by {action.who}")
        self._record(number, parents, proposal, normal_form(action.text))
        return number

    def allow(self, *, chances: int | None) -> None:
        """Let operators that had nothing left to propose try again: so often at least, or as at the begin of a run.

        Every result is such a chance, one and no more.
        """
        most = _MOST_REFUSALS_IN_A_ROW - chances if chances is not None else 0
        self._refused_in_a_row = min(self._refused_in_a_row, most)

    def cancel(self) -> None:
        """End what is being made; it stays open for a resumed run."""
        for task in self._making:
            task.cancel()

    def refuse_reopened(self) -> None:
        """Give up what waited for a service when the budget was spent."""
        for draft in self._reopened:
            self._store.refuse(draft.number, UNAVAILABLE, _SPENT_MEANWHILE)

    def _may_go_on(self, draft: Draft) -> bool:
        """Return whether a proposal that was begun before can be made now."""
        if self._breeder.operators.is_connected(draft.operator) and (draft.operator.is_away or not self._may_call()):
            return False
        return self.has_room()

    def _may_call(self) -> bool:
        return self._calls.may_begin(sum(map(self._is_call, self._making.values())))

    def _is_call(self, draft: Draft) -> bool:
        return self._breeder.operators.is_connected(draft.operator)

    def _may_begin(self) -> bool:
        if not self.has_room() or self._refused_in_a_row >= _MOST_REFUSALS_IN_A_ROW or not self._may_call():
            return False
        plan, standings, queue = self._standings.plan, self._standings, self._evaluations.queue
        replicates = sum(record.purpose is Purpose.REPLICATE for record in queue)
        waiting = sum(map(_is_of_offspring, queue)) + len(self._making)
        if plan.generational:
            if replicates >= self._evaluations.pool.size:
                return False
            running = sum(map(_is_of_offspring, self._evaluations.running))
            generation_end = (standings.searched // plan.mu + 1) * plan.mu
            return standings.searched + running + waiting < generation_end
        if self._evaluations.placement.is_mixed:
            replicates = 0  # they wait for the reference, while others have nothing to do
        return waiting + replicates < self._pace.lookahead.target()

    def _make(self, draft: Draft) -> None:
        self._making[asyncio.create_task(self._timed(draft))] = draft

    async def _timed(self, draft: Draft) -> Proposal:
        """Let the operator work, and keep how long that takes without what this process does before and after it.

        Else the look-ahead would take its own queue for latency, and grow with it until the budget is proposed.
        """
        started = self._clock()
        try:
            return await self._breeder.propose(draft)
        finally:
            self._latencies[draft.number] = self._clock() - started

    def _made(self, task: asyncio.Task[Proposal]) -> None:
        draft = self._making.pop(task)
        seconds = self._latencies.pop(draft.number, 0.0)
        if task.cancelled():  # it stays open, and a resumed run repeats it
            return
        if isinstance(task.exception(), OperatorUnavailable) and self._calls.have_stand_ins:
            self._put_off(draft, str(task.exception()))
            return
        if self._is_call(draft) and not self._breeder.operators.is_away:
            self._calls.answered()
        # Waiting for a worker is no latency: more proposals ahead would only wait as long.
        waited = self._breeder.smoke.waited_seconds(draft.number) if self._breeder.smoke else 0.0
        self._pace.lookahead.proposal_took(max(0.0, seconds - waited))
        match task.exception():
            case None:
                self._admit(draft, task.result())
            case Refused() as refusal:
                self._refuse(draft, refusal.kind, str(refusal), refusal.source)
            case MeasureAgain() as wish:
                self._measure_again(draft, wish)
            case NoOffspring() as nothing:
                self._refuse(draft, nothing.kind, str(nothing), nothing.source)
            case CostLimitReached() as limit:
                self._stop(StopReason.COST_LIMIT, str(limit))
            case OperatorUnavailable() as outage:
                # Nothing stands in. Calls in flight end by themselves, within their deadlines: they are paid for.
                self._stop(StopReason.OPERATOR_UNAVAILABLE, str(outage))
            case error:
                self._fail(error)

    def _put_off(self, draft: Draft, reason: str) -> None:
        """Give up a proposal whose service is away, or keep it open until that is back: its calls so far were paid."""
        self._calls.failed(reason)
        if draft.crash is not None or self._store.exchanges(draft.number):
            self._reopened.append(draft)
        else:
            self._store.refuse(draft.number, UNAVAILABLE, reason)

    def _admit(self, draft: Draft, proposal: Proposal) -> None:
        form = normal_form(proposal.source)
        twin = self._store.known(form)
        if twin is not None:
            reason = f"individual {twin}, admitted meanwhile, is the same program"
            self._refuse(draft, "duplicate", reason, proposal.source)
            return
        self._record(draft.number, draft.parents, proposal, form)
        self._pace.lookahead.proposal_admitted()
        self._refused_in_a_row = 0

    def _record(self, number: int, parents: tuple[int, ...], proposal: Proposal, form: str) -> None:
        """Make a program an individual, and queue its first evaluation."""
        request = request_on(self._standings.plan, self._first_budget_fraction(number))
        (evaluation,) = self._store.admit(
            number, source=proposal.source, normal_form=form, idea=proposal.idea, evaluations=[request]
        )
        self._lineage_writer.admitted(number)
        self._evaluations.queue.append(self._store.evaluation(evaluation))
        self._news.proposed(number, parents, proposal.operator, proposal.idea)

    def _first_budget_fraction(self, individual: int) -> float:
        """Return the part of the budget that a new individual trains with, with room for all rungs above."""
        halving = self._standings.halving
        budget_fraction = halving.first(individual)
        return budget_fraction if halving.cost_from(budget_fraction) <= self.room() else WHOLE

    def _measure_again(self, draft: Draft, wish: MeasureAgain) -> None:
        """Evaluate an individual with another seed, which takes the place of an offspring."""
        if any(record.individual == wish.individual for record in self._evaluations.under_way):
            self._refuse(draft, "duplicate", f"individual {wish.individual} is being evaluated once more already")
            return
        self._store.refuse(draft.number, MEASURED_AGAIN, str(wish))
        replicate = next_replicate(self._standings.plan, self._standings, wish.individual)
        self._evaluations.enqueue_replicates([(wish.individual, replicate)])
        self._pace.lookahead.proposal_admitted()
        self._refused_in_a_row = 0

    def _refuse(self, draft: Draft, kind: str, reason: str, source: str | None = None) -> None:
        self._store.refuse(draft.number, kind, reason, source)
        self._news.refused(draft.number, draft.operator.name, kind, reason)
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= _MOST_REFUSALS_IN_A_ROW and not self._evaluations.under_way:
            self._stop(
                StopReason.NO_OFFSPRING,
                f"{_MOST_REFUSALS_IN_A_ROW} proposals in a row gave nothing to evaluate; the last: {reason}",
            )


def request_on(plan: Plan, budget_fraction: float = WHOLE) -> EvaluationRequest:
    """Return the evaluation of an offspring on a rung."""
    purpose = Purpose.SEARCH if budget_fraction == WHOLE else Purpose.SCREEN
    return EvaluationRequest(plan.training_seed(0), (Split.SELECTION,), purpose, budget_fraction)


def _is_of_offspring(record: EvaluationRecord) -> bool:
    return record.purpose in (Purpose.SCREEN, Purpose.SEARCH)

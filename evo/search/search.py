"""The journey of a candidate, top to bottom.

    ask:   select parents → vary → gate → smoke run → record → commit   `_start_proposals`, `_proposed`, `_admit`
    work:  a free worker trains and scores it                           `evo.search.evaluations`
    tell:  record → fitness → survive → archives                        `_accept`

One coroutine takes every decision; proposals and evaluations are tasks beside it that only work. Whatever it decides is
in the store before anything acts on it, so a search that is killed anywhere continues from the store alone (`restore`).

What a resumed run decides is what the killed one would have decided: parents, operators and their chances depend on the
run's seed, the proposal's number and the results told before, and the look-ahead on latencies that the store keeps. So
the same results, in the same order, lead to the same offspring. That order is measured time: with several workers, or
an operator whose latency varies, two runs of one seed part ways, as two uninterrupted ones do.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from evo.lineage.writer import FamilyTree, LineageWriter
from evo.search.breeding import Breeder, Draft
from evo.search.calls import Calls
from evo.search.confirmation import Confirmation, replicate_requests
from evo.search.controls import Controls, Extension
from evo.search.credit import Credit
from evo.search.evaluations import Evaluations
from evo.search.instructions import InstructionsKeeper
from evo.search.jobs import Jobs
from evo.search.lessons import LessonKeeper
from evo.search.observer import Deferred, Observer
from evo.search.pace import Pace
from evo.search.replication import missing_replicates, next_replicate
from evo.search.stopping import Progress, Stopped, StoppingRules, StopReason, failed_generation_zero
from evo.standings.plan import Plan
from evo.standings.rungs import WHOLE, Switch
from evo.standings.sentinels import Drift
from evo.standings.standings import Standings
from evo.steering.actions import INJECTED, Action
from evo.steering.inbox import Inbox
from evo.store import (
    MEASURED_AGAIN,
    UNAVAILABLE,
    EvaluationRecord,
    EvaluationRequest,
    IndividualRecord,
    Outcome,
    ProposalRecord,
    Purpose,
    Store,
)
from evo.workers import ElasticEvaluator, Evaluator
from operators.errors import CostLimitReached, OperatorUnavailable
from operators.proposal import MeasureAgain, NoOffspring, Proposal, Refused
from populations.diversity import normal_form
from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Split

__all__ = ["Search", "StopReason", "Stopped"]

SEED = "seed"
"""In the place of an operator: the user starts a run from this program."""
_MOST_REFUSALS_IN_A_ROW = 50
_SPENT_MEANWHILE = "the budget was spent before the language model could be used again"
_LISTENING_SECONDS = 0.25
"""Seconds between two looks for steering requests."""
_EVERY_SEED_ALIKE = (
    "Every seed gives the same run, so the noise is unknown: no evaluation is spent on replicates, and no gain counts "
    "as beyond noise. Take the seed from EVO_SEED or name where it stands in `task.seed`; if the program is "
    'deterministic by nature, set `task.noise = "none"`.'
)


class Search:
    """An evolutionary search over one run folder, from wherever its store stands to the end of its budget.

    Attributes:
        breeder: the asking side.
        standings: what is known so far.
    """

    def __init__(
        self,
        store: Store,
        lineage: FamilyTree,
        evaluator: Evaluator,
        breeder: Breeder,
        standings: Standings,
        observer: Observer,
        rules: StoppingRules | None = None,
        credit: Credit | None = None,
        jobs: Jobs | None = None,
        inbox: Inbox | None = None,
        operators: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
        parallel: int | None = None,
        lessons_every: int = 0,
        lessons_file: Path | None = None,
        reference_device: str = "",
        extension: Extension | None = None,
        program_file: Path | None = None,
    ) -> None:
        self._store = store
        self._lineage_writer = LineageWriter(lineage, store, standings)
        self._evaluator = evaluator
        self.breeder = breeder
        self.standings = standings
        self._observer = observer
        self._news = Deferred(observer)
        self._rules = rules or StoppingRules()
        self._credit = credit
        self._clock = clock
        self._extension = extension
        self._pace = Pace(standings.plan, len(evaluator.workers), clock)
        jobs = jobs or Jobs(store, standings)
        self._evaluations = Evaluations(
            store, standings, evaluator, jobs, self._pace, self._news, self._fail, reference_device
        )
        self._calls = Calls(breeder.operators, store, self._news, len(evaluator.workers), parallel, clock)
        self._lessons = LessonKeeper(
            store,
            breeder.lessons,
            breeder.teacher,
            breeder.settled,
            lessons_every,
            lessons_file,
            self._news,
            self._calls.failed if self._calls.have_stand_ins else lambda _: None,
        )
        self._instructions = InstructionsKeeper(store, breeder.instructions, program_file, self._news)
        self._smoke = breeder.smoke
        if self._smoke is not None:
            self._smoke.serve(evaluator, self._evaluations.pool, standings, self._news, self._fail)
        self._controls = Controls(store, standings, breeder.steering, inbox, self._evaluations, operators, self._news)
        self._confirmation = Confirmation(standings, store, self._pace, self._evaluations, breeder.steering)
        self._reopened: deque[Draft] = deque()
        self._proposing: dict[asyncio.Task[Proposal], Draft] = {}
        self._latencies: dict[int, float] = {}
        self._next_number = 1
        self._refused_in_a_row = 0
        self._is_ahead_of_store = False  # by a step that was not committed: then nothing here may be told or kept
        self._failure: BaseException | None = None
        self._interrupted = asyncio.Event()
        self._stopped: Stopped | None = None

    @property
    def _plan(self) -> Plan:
        return self.standings.plan

    @property
    def under_way(self) -> tuple[int, int]:
        """How many proposals are being made and how many evaluations run, between two steps."""
        return len(self._proposing), len(self._evaluations.tasks)

    def begin(self, source: str, others: Sequence[str] = ()) -> None:
        """Record the programs that a new run starts from, and queue their evaluations.

        Args:
            source: of generation 0, which is evaluated with several seeds.
            others: further ones, each evaluated as an offspring of generation 0 would be, with the whole budget.
        """
        self._store.begin_proposal(0, SEED, (), 0)
        form, replicates = normal_form(source), replicate_requests(self._plan)
        self._store.admit(0, source=source, normal_form=form, idea="Generation 0", evaluations=replicates)
        for number, other in enumerate(others, start=1):
            form, idea = normal_form(other), f"Seed genome {number + 1}"
            self._store.begin_proposal(number, SEED, (0,), 0)
            self._store.admit(number, source=other, normal_form=form, idea=idea, evaluations=[self._request(WHOLE)])

    def restore(self) -> None:
        """Rebuild everything from the store; what was under way when it was written starts again."""
        begun = deque(self._store.open_proposals())
        for outcome in self._store.outcomes():
            while begun and begun[0].result_number < outcome.result_number:
                self._reopen(begun.popleft())
            self.recall(outcome)
        while begun:
            self._reopen(begun.popleft())
        self._evaluations.restore()
        if self._controls.course.is_paused:
            self._observer.note("The run is paused; `evo continue` ends the pause.")
        self._lineage_writer.restore()
        self._next_number = (self._store.last_proposal_number() or 0) + 1
        self._pace.restore(self._store)

    def recall(self, outcome: Outcome) -> None:
        """Take in the next result that the store holds, as it was taken in when it came."""
        self._tell(self._store.individual(outcome.individual), outcome)

    def interrupt(self) -> None:
        """Stop soon: abandon what is under way, keep what is finished. Safe in a signal handler of the event loop."""
        self._interrupted.set()
        self._observer.stopping()

    async def run(self) -> Stopped:
        """Search until the budget is spent or something stops it, and leave nothing running.

        Raises:
            GenomeError: generation 0 failed every evaluation, so there is nothing to compare with.
            MachineError: the store, a disk or a worker failed.
        """
        events: dict[asyncio.Task[Any], Callable[[], Coroutine[Any, Any, Any]]] = {}
        try:
            self._step()
            events = {asyncio.create_task(one()): one for one in self._listeners()}
            while not self._interrupted.is_set():
                working = [*self._proposing, *self._working]
                if not working and not self._is_held and not self._evaluations.wait_for_workers:
                    break
                await asyncio.wait([*working, *self._lessons.tasks, *events], return_when=asyncio.FIRST_COMPLETED)
                for heard in [event for event in events if event.done()]:
                    listen = events.pop(heard)
                    events[asyncio.create_task(listen())] = listen
                self._step()
        finally:
            for event in events:
                event.cancel()
            await self._wind_up()
        return self._verdict()

    @property
    def _working(self) -> list[asyncio.Task[Evaluation]]:
        """What the workers do."""
        return [*self._evaluations.tasks, *(self._smoke.tasks if self._smoke else ())]

    @property
    def _is_held(self) -> bool:
        """Whether nothing runs because a user has paused the search."""
        return self._controls.course.is_paused and not self.standings.budget_is_spent

    def _listeners(self) -> Iterator[Callable[[], Coroutine[Any, Any, Any]]]:
        """Yield what waits for something beside the work itself, each again after it has happened."""
        yield self._interrupted.wait
        if self._controls.is_reachable:
            yield self._listen
        if self._smoke is not None:
            yield self._smoke.asked
        if isinstance(self._evaluator, ElasticEvaluator):
            yield partial(self._follow, self._evaluator)

    async def _follow(self, evaluator: ElasticEvaluator) -> None:
        """Return once workers have joined or left."""
        try:
            for line in await evaluator.workers_changed():
                self._news.note(line)
        except MachineError as error:
            self._fail(error)

    async def _listen(self) -> None:
        """Return once a steering request has arrived."""
        has_mail = False
        while not has_mail:
            await asyncio.sleep(_LISTENING_SECONDS)
            has_mail = self._controls.has_mail

    def _step(self) -> None:
        """Take in what has finished and start what may start: one durable commit, made before anything acts on it.

        Results come first, so that the next parents are chosen with all that is known.
        """
        self._is_ahead_of_store = True
        with self._store.transaction():
            self._take_in()
            self._controls.take_up(self._inject, self._extend, self._room)
            self._pace.pause(self._controls.course.is_paused)
            self._lessons.take_in()
            self._instructions.take_in()
            if self._may_start():
                self._start()
            self._pace.keep(self._store)
            if self._credit is not None:
                self._credit.keep()
        self._is_ahead_of_store = False
        self._controls.committed()
        if self._extension is not None:
            self._extension.committed()
        self._lessons.committed()
        if self._smoke is not None:
            self._smoke.committed()
        self._report()
        if self._controls.wants_stop and not self._interrupted.is_set():
            self.interrupt()
        if self._failure is not None:
            raise self._failure

    def _take_in(self) -> None:
        for record, result in self._evaluations.finished():
            self._accept(record, result)
        if self._smoke is not None:
            self._smoke.take_in()
        self._evaluations.retire_unfit_workers()
        for proposal in [task for task in self._proposing if task.done()]:
            self._proposed(proposal)
        if self._failure is None and self.standings.generation_zero is None and not self._baseline_is_open():
            baseline = [one for one in self._store.evaluations_of(0) if one.purpose is Purpose.BASELINE]
            self._fail(failed_generation_zero(baseline))
        self._apply_rules()

    def _may_start(self) -> bool:
        is_ending = self._failure is not None or self._interrupted.is_set() or self._controls.wants_stop
        return not is_ending and not self._controls.course.is_paused

    def _start(self) -> None:
        if self._smoke is not None:
            # The baseline goes before, for every result is compared with it.
            self._smoke.start(offspring=all(one.purpose is not Purpose.BASELINE for one in self._evaluations.queue))
        self._start_calibrations()
        self._start_replicates()
        self._evaluations.start_sentinels(self._has_room)
        self._evaluations.start()
        if self._stopped is None:
            if self._has_room():
                self._lessons.start(self.standings.result_number)
            self._start_proposals()
        if self._stopped is None or self._stopped.stop_reason.is_by_rule:
            self._start_confirmations()
            self._evaluations.start()

    # Ask

    def _start_proposals(self) -> None:
        reopened, self._reopened = self._reopened, deque()
        for draft in reopened:
            if self._may_go_on(draft):
                self._propose(draft)
            else:
                self._reopened.append(draft)
        while self._may_propose():
            is_local = self._calls.must_be_local
            draft = self.breeder.begin(self._next_number, is_local=is_local)
            if is_local:
                self._calls.begun_locally(self._next_number)
            self._next_number += 1
            self._propose(draft)

    def _may_go_on(self, draft: Draft) -> bool:
        """Return whether a proposal that was begun before can be made now."""
        if self.breeder.operators.is_connected(draft.operator) and (draft.operator.is_away or not self._may_call()):
            return False
        return self._has_room()

    def _may_call(self) -> bool:
        return self._calls.may_begin(sum(map(self._is_call, self._proposing.values())))

    def _is_call(self, draft: Draft) -> bool:
        return self.breeder.operators.is_connected(draft.operator)

    def _may_propose(self) -> bool:
        if not self._has_room() or self._refused_in_a_row >= _MOST_REFUSALS_IN_A_ROW or not self._may_call():
            return False
        queue, slots = self._evaluations.queue, self._evaluations.pool.size
        replicates = sum(record.purpose is Purpose.REPLICATE for record in queue)
        waiting = sum(map(_is_of_offspring, queue)) + len(self._proposing)
        if self._plan.generational:
            if replicates >= slots:
                return False
            running = sum(map(_is_of_offspring, self._evaluations.running))
            generation_end = (self.standings.searched // self._plan.mu + 1) * self._plan.mu
            return self.standings.searched + running + waiting < generation_end
        if self._evaluations.placement.is_mixed:
            replicates = 0  # they wait for the reference, while others have nothing to do
        return waiting + replicates < self._pace.lookahead.target()

    def _propose(self, draft: Draft) -> None:
        self._proposing[asyncio.create_task(self._timed(draft))] = draft

    async def _timed(self, draft: Draft) -> Proposal:
        """Let the operator work, and keep how long that takes without what this process does before and after it.

        Else the look-ahead would take its own queue for latency, and grow with it until the budget is proposed.
        """
        started = self._clock()
        try:
            return await self.breeder.propose(draft)
        finally:
            self._latencies[draft.number] = self._clock() - started

    def _proposed(self, task: asyncio.Task[Proposal]) -> None:
        draft = self._proposing.pop(task)
        seconds = self._latencies.pop(draft.number, 0.0)
        if task.cancelled():  # it stays open, and a resumed run repeats it
            return
        if isinstance(task.exception(), OperatorUnavailable) and self._calls.have_stand_ins:
            self._put_off(draft, str(task.exception()))
            return
        if self._is_call(draft) and not self.breeder.operators.is_away:
            self._calls.answered()
        # Waiting for a worker is no latency: more proposals ahead would only wait as long.
        waited = self._smoke.waited_seconds(draft.number) if self._smoke else 0.0
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
        request = self._request(self._first_budget_fraction(number))
        (evaluation,) = self._store.admit(
            number, source=proposal.source, normal_form=form, idea=proposal.idea, evaluations=[request]
        )
        self._lineage_writer.admitted(number)
        self._evaluations.queue.append(self._store.evaluation(evaluation))
        self._news.proposed(number, parents, proposal.operator, proposal.idea)

    def _inject(self, action: Action) -> int:
        """Make a program of a user's an individual, and return its number; raise Refused where the gate does."""
        self.breeder.admissible(action.text)
        number, parents = self._next_number, (action.individual or 0,)
        self._next_number += 1
        self._store.begin_proposal(number, INJECTED, parents, self.standings.result_number)
        proposal = Proposal(action.text, INJECTED, action.idea or f"Written by {action.who}")
        self._record(number, parents, proposal, normal_form(action.text))
        return number

    def _extend(self, action: Action) -> None:
        """Go on with the budget that a user asks for, as a resumed run would; a rule that ended it may do so again."""
        assert self._extension is not None  # noqa: S101 - a search with an inbox has one
        standings, self._rules = self._extension.apply(action, self._pace.driven_seconds)
        self.standings.become(standings)
        self._pace.extend(standings.plan)
        self._stopped, self._refused_in_a_row = None, 0
        self._news.extended(standings.plan)

    def _first_budget_fraction(self, individual: int) -> float:
        """Return the part of the budget that a new individual trains with, with room for all rungs above."""
        halving = self.standings.halving
        budget_fraction = halving.first(individual)
        return budget_fraction if halving.cost_from(budget_fraction) <= self._room() else WHOLE

    def _request(self, budget_fraction: float) -> EvaluationRequest:
        """Return the evaluation of an offspring on a rung."""
        purpose = Purpose.SEARCH if budget_fraction == WHOLE else Purpose.SCREEN
        return EvaluationRequest(self._plan.training_seed(0), (Split.SELECTION,), purpose, budget_fraction)

    def _measure_again(self, draft: Draft, wish: MeasureAgain) -> None:
        """Evaluate an individual with another seed, which takes the place of an offspring."""
        if any(record.individual == wish.individual for record in self._evaluations.under_way):
            self._refuse(draft, "duplicate", f"individual {wish.individual} is being evaluated once more already")
            return
        self._store.refuse(draft.number, MEASURED_AGAIN, str(wish))
        replicate = next_replicate(self._plan, self.standings, wish.individual)
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

    def _reopen(self, record: ProposalRecord) -> None:
        try:
            self._reopened.append(self.breeder.reopen(record))
        except ConfigError:
            self._store.refuse(record.number, "operator_gone", f"the run goes on without {record.operator}")

    # Tell

    def _accept(self, record: EvaluationRecord, result: Evaluation) -> None:
        # Every result is another chance for operators that had nothing left to propose, one and no more.
        self._refused_in_a_row = min(self._refused_in_a_row, _MOST_REFUSALS_IN_A_ROW - 1)
        individual, outcome = self._store.individual(record.individual), self._store.outcome(record.id)
        could_replicate = not self.standings.replication.repeats_exactly
        self._tell(individual, outcome)
        if could_replicate and self.standings.replication.repeats_exactly:
            self._store.record_event("noise_unknown", {"told": outcome.result_number})
            self._news.note(_EVERY_SEED_ALIKE)
        promotion = self.standings.halving.promotion(record.individual)
        if promotion and outcome.purpose is Purpose.SCREEN:
            self._evaluations.enqueue([(record.individual, self._request(promotion))])
        self._pace.result_came(outcome.budget_fraction)
        self._news.finished(individual, outcome, self.standings, result.reason)
        if remark := self.standings.exploration.remark(outcome.result_number):
            self._store.record_event("exploration", {"told": outcome.result_number, "remark": remark})
            self._news.note(remark)
        changes: tuple[Drift | Switch, ...] = (*self.standings.sentinels.drifts, *self.standings.halving.switches)
        for change in changes:
            if change.result_number == outcome.result_number:
                self._news.note(f"{change}.")

    def _tell(self, individual: IndividualRecord, outcome: Outcome) -> None:
        self.standings.tell(individual, outcome, self._store.source)
        if self._credit is not None:
            self._credit.tell(individual, outcome)

    def _baseline_is_open(self) -> bool:
        return any(record.purpose is Purpose.BASELINE for record in self._evaluations.under_way)

    # Replicate and confirm

    def _room(self) -> float:
        """Return how many evaluations the search proper has left, beyond those that are under way or proposed.

        An individual on a rung counts with all that it may still climb, so that the budget suffices for it.
        """
        halving = self.standings.halving
        under_way = sum(halving.cost_from(record.budget_fraction) for record in self._evaluations.under_way)
        return round(self._pace.search_end - self.standings.spent - under_way - len(self._proposing), 6)

    def _has_room(self) -> bool:
        return self._room() >= 1

    def _start_calibrations(self) -> None:
        """Queue generation 0 for classes of devices that it has not run on; without budget for it they get no work."""
        under_way = self._evaluations.under_way
        wanted = self._evaluations.placement.look(under_way)
        if not wanted or self.standings.budget_is_spent:
            return
        left = self._plan.evaluations - self.standings.spent - len(under_way) - len(self._proposing)
        names = dict.fromkeys(request.device_class or "" for request in wanted)
        if len(wanted) < left:
            self._evaluations.enqueue((0, request) for request in wanted)
            reference = self._evaluations.placement.reference
            self._news.note(f"Generation 0 runs on {'; '.join(names)} too: all values are on the scale of {reference}.")
            return
        for name in names:
            reason = f"the budget leaves no room to measure generation 0 on {name}; extend it with --gens"
            self._evaluations.retire_class(name, reason)

    def _start_replicates(self) -> None:
        """Queue what the leaders lack, before anything else, as long as the search proper has budget."""
        room = max(0, math.floor(self._room()))
        wanted = missing_replicates(self._plan, self.standings, self._evaluations.under_way)[:room]
        if wanted:
            self._evaluations.enqueue_replicates(wanted)

    def _start_confirmations(self) -> None:
        """Confirm the finalists once the search proper is over, and search on with what they leave of the budget."""
        is_stopped, proposing = self._stopped is not None, len(self._proposing)
        if self._confirmation.start(proposing, is_stopped=is_stopped, is_open=not is_stopped and self._has_room()):
            self._start_proposals()

    # End

    def _apply_rules(self) -> None:
        """End the search proper when a rule says so; its finalists are still to be confirmed."""
        is_over = self.standings.spent > self._pace.search_end - 1
        if self._stopped is None and not is_over:
            under_way = len(self._evaluations.under_way) + len(self._proposing)
            progress = Progress(self._pace.driven_seconds, self._pace.result_seconds, under_way)
            stopped = self._rules.verdict(self._plan, self.standings, self._store, progress)
            if stopped is not None:
                self._stop(stopped.stop_reason, stopped.reason)

    def _stop(self, stop_reason: StopReason, reason: str) -> None:
        """Propose nothing more; what has been proposed is still evaluated."""
        if self._stopped is None:
            self._stopped = Stopped(stop_reason, reason)
            if stop_reason.is_by_rule:
                # The search proper is over: nothing but the confirmation may begin, no replicate either.
                self._pace.search_end -= max(0.0, self._room())
            self._news.note(f"Nothing more is proposed: {reason}")

    def _fail(self, error: BaseException) -> None:
        """End the search with `error` once this step is committed; of several the first counts."""
        self._failure = self._failure or error

    async def _wind_up(self) -> None:
        """Leave nothing running: what is unfinished goes back to where a resumed run finds it."""
        for task in self._proposing:
            task.cancel()
        self._lessons.cancel()
        await self._evaluator.close()
        await asyncio.gather(*self._proposing, *self._working, *self._lessons.tasks, return_exceptions=True)
        await self.breeder.close()
        if not self._is_ahead_of_store:
            with self._store.transaction():
                self._calls.ended()
                for record, result in self._evaluations.settle():
                    self._accept(record, result)
                if self.standings.budget_is_spent:
                    for draft in self._reopened:
                        self._store.refuse(draft.number, UNAVAILABLE, _SPENT_MEANWHILE)
            self._report()
        self._lineage_writer.close()

    def _report(self) -> None:
        """Tell the observer and git what the store holds now."""
        self._news.report()
        self._lineage_writer.update()

    def _verdict(self) -> Stopped:
        if self.standings.budget_is_spent:
            return Stopped(StopReason.COMPLETE, "the budget is spent")
        # Nothing else ends the loop short of the budget.
        return self._stopped or Stopped(StopReason.INTERRUPTED, "the run was interrupted")


def _is_of_offspring(record: EvaluationRecord) -> bool:
    return record.purpose in (Purpose.SCREEN, Purpose.SEARCH)

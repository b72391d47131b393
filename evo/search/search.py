"""The journey of a candidate, top to bottom.

    ask:   select parents → vary → gate → record → commit       `_start_proposals`, `_proposed`
    work:  a free worker trains and scores it                   `_start_evaluations`, `_evaluated`
    tell:  record → fitness → survive → archives                `_accept`

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
from collections.abc import Callable
from functools import partial

from evo.lineage.writer import FamilyTree, LineageWriter
from evo.search.breeding import Breeder, Draft
from evo.search.confirmation import certain_requests, confirmation, replicate_requests
from evo.search.credit import Credit
from evo.search.jobs import Jobs, in_order
from evo.search.observer import Observer
from evo.search.pace import Pace
from evo.search.replication import further_look, second_looks
from evo.search.stopping import Progress, Stopped, StoppingRules, StopReason, failed_generation_zero
from evo.standings.plan import Plan
from evo.standings.rungs import WHOLE, Switch
from evo.standings.sentinels import Drift, device_of
from evo.standings.standings import Standings
from evo.store import (
    MEASURED_AGAIN,
    EvaluationRecord,
    EvaluationRequest,
    IndividualRecord,
    Outcome,
    ProposalRecord,
    Purpose,
    Store,
)
from evo.workers import Evaluator, Slot
from evo.workers.pool import Loss, LostEvaluations, WorkerPool, machine_failure
from operators.errors import CostLimitReached, OperatorUnavailable
from operators.proposal import MeasureAgain, NoOffspring, Proposal, Refused
from populations.diversity import normal_form
from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Split, Status

__all__ = ["Search", "StopReason", "Stopped"]

_MOST_REFUSALS_IN_A_ROW = 50


class Search:
    """An evolutionary search over one run folder, from wherever its store stands to the end of its budget."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        lineage: FamilyTree,
        evaluator: Evaluator,
        breeder: Breeder,
        standings: Standings,
        observer: Observer,
        rules: StoppingRules | None = None,
        credit: Credit | None = None,
        jobs: Jobs | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plan = plan
        self._store = store
        self._lineage_writer = LineageWriter(lineage, store, standings)
        self._evaluator = evaluator
        self._breeder = breeder
        self._standings = standings
        self._observer = observer
        self._jobs = jobs or Jobs(store, standings)
        self._rules = rules or StoppingRules()
        self._credit = credit
        self._clock = clock
        self._pool = WorkerPool(evaluator.workers)
        self._pace = Pace(plan, self._pool.size, clock)
        self._losses = LostEvaluations()
        self._queue: deque[EvaluationRecord] = deque()
        self._reopened: deque[Draft] = deque()
        self._proposing: dict[asyncio.Task[Proposal], tuple[Draft, float]] = {}
        self._evaluating: dict[asyncio.Task[Evaluation], tuple[EvaluationRecord, int, Slot]] = {}
        self._next_number = 1
        self._refused_in_a_row = 0
        self._news: list[Callable[[], None]] = []
        self._is_ahead_of_store = False  # by a step that was not committed: then nothing here may be told or kept
        self._failure: BaseException | None = None
        self._interrupted = asyncio.Event()
        self._stopped: Stopped | None = None

    @property
    def standings(self) -> Standings:
        """What is known so far."""
        return self._standings

    @property
    def breeder(self) -> Breeder:
        """The asking side."""
        return self._breeder

    @property
    def under_way(self) -> tuple[int, int]:
        """How many proposals are being made and how many evaluations run, between two steps."""
        return len(self._proposing), len(self._evaluating)

    def begin(self, source: str) -> None:
        """Record generation 0 and queue its replicates: the first acts of a new run."""
        self._store.begin_proposal(0, "seed", (), 0)
        form, replicates = normal_form(source), replicate_requests(self._plan)
        self._store.admit(0, source=source, normal_form=form, idea="Generation 0", evaluations=replicates)

    def restore(self) -> None:
        """Rebuild everything from the store; what was under way when it was written starts again."""
        begun = deque(self._store.open_proposals())
        for outcome in self._store.outcomes():
            while begun and begun[0].result_number < outcome.result_number:
                self._reopen(begun.popleft())
            self.recall(outcome)
        while begun:
            self._reopen(begun.popleft())
        self._store.release_all_running("the driver ended")
        self._lineage_writer.restore()
        self._queue = in_order(self._store.queued())
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
        interruption = asyncio.create_task(self._interrupted.wait())
        try:
            self._step()
            while (working := [*self._proposing, *self._evaluating]) and not self._interrupted.is_set():
                await asyncio.wait([*working, interruption], return_when=asyncio.FIRST_COMPLETED)
                self._step()
        finally:
            interruption.cancel()
            await self._wind_up()
        return self._verdict()

    def _step(self) -> None:
        """Take in what has finished and start what may start: one durable commit, made before anything acts on it.

        Results come first, so that the next parents are chosen with all that is known.
        """
        self._is_ahead_of_store = True
        with self._store.transaction():
            self._take_in()
            if self._failure is None and not self._interrupted.is_set():
                self._start()
            self._pace.keep(self._store)
            if self._credit is not None:
                self._credit.keep()
        self._is_ahead_of_store = False
        self._show()
        if self._failure is not None:
            raise self._failure

    def _take_in(self) -> None:
        for evaluation in [task for task in self._evaluating if task.done()]:
            self._evaluated(evaluation)
        self._retire_unfit_workers()
        for proposal in [task for task in self._proposing if task.done()]:
            self._proposed(proposal)
        if self._failure is None and self._standings.generation_zero is None and not self._baseline_is_open():
            self._fail(failed_generation_zero(self._store.evaluations_of(0)))
        self._apply_rules()

    def _apply_rules(self) -> None:
        """End the search proper when a rule says so; its finalists are still to be confirmed."""
        if self._stopped is None and not self._search_is_over():
            pace = self._pace
            under_way = len(self._queue) + len(self._evaluating) + len(self._proposing)
            progress = Progress(pace.driven_seconds, pace.result_seconds, under_way)
            stopped = self._rules.verdict(self._plan, self._standings, self._store, progress)
            if stopped is not None:
                self._stop(stopped.ending, stopped.reason)

    def _start(self) -> None:
        self._start_second_looks()
        self._start_sentinels()
        self._start_evaluations()
        if self._stopped is None:
            self._start_proposals()
        if self._stopped is None or self._stopped.ending.is_by_rule:
            self._start_confirmations()
            self._start_evaluations()

    # Ask

    def _start_proposals(self) -> None:
        while self._reopened:
            self._propose(self._reopened.popleft())
        while self._may_propose():
            draft = self._breeder.begin(self._next_number)
            self._next_number += 1
            self._propose(draft)

    def _propose(self, draft: Draft) -> None:
        self._proposing[asyncio.create_task(self._breeder.propose(draft))] = (draft, self._clock())

    def _may_propose(self) -> bool:
        if self._room() < 1 or self._refused_in_a_row >= _MOST_REFUSALS_IN_A_ROW:
            return False
        looks = sum(record.purpose is Purpose.REPLICATE for record in self._queue)
        waiting = sum(map(_is_of_offspring, self._queue)) + len(self._proposing)
        if self._plan.generational:
            if looks >= self._pool.size:
                return False
            running = sum(_is_of_offspring(record) for record, *_ in self._evaluating.values())
            generation_end = (self._standings.searched // self._plan.mu + 1) * self._plan.mu
            return self._standings.searched + running + waiting < generation_end
        return waiting + looks < self._pace.lookahead.target()

    def _proposed(self, task: asyncio.Task[Proposal]) -> None:
        draft, started = self._proposing.pop(task)
        if task.cancelled():  # it stays open, and a resumed run repeats it
            return
        self._pace.lookahead.proposal_took(self._clock() - started)
        match task.exception():
            case None:
                self._admit(draft, task.result())
            case Refused() as refusal:
                self._refuse(draft, refusal.kind, str(refusal))
            case MeasureAgain() as wish:
                self._measure_again(draft, wish)
            case NoOffspring() as nothing:
                self._refuse(draft, "no_offspring", str(nothing))
            case CostLimitReached() as limit:
                self._stop(StopReason.COST_LIMIT, str(limit))
            case OperatorUnavailable() as outage:
                # Calls in flight end by themselves, within their deadlines: what they bring is paid for.
                self._stop(StopReason.OPERATOR_UNAVAILABLE, str(outage))
            case error:
                self._fail(error)

    def _admit(self, draft: Draft, proposal: Proposal) -> None:
        form = normal_form(proposal.source)
        twin = self._store.known(form)
        if twin is not None:
            self._refuse(draft, "duplicate", f"individual {twin}, admitted meanwhile, is the same program")
            return
        request = self._request(self._first_share(draft.number))
        (evaluation,) = self._store.admit(
            draft.number, source=proposal.source, normal_form=form, idea=proposal.idea, evaluations=[request]
        )
        self._lineage_writer.admitted(draft.number)
        self._queue.append(self._store.evaluation(evaluation))
        self._news.append(partial(self._observer.proposed, self._store.individual(draft.number)))
        self._pace.lookahead.proposal_admitted()
        self._refused_in_a_row = 0

    def _measure_again(self, draft: Draft, wish: MeasureAgain) -> None:
        """Evaluate an individual with another seed, which takes the place of an offspring."""
        if any(record.individual == wish.individual for record in self._under_way()):
            self._refuse(draft, "duplicate", f"individual {wish.individual} is being evaluated once more already")
            return
        self._store.refuse(draft.number, MEASURED_AGAIN, str(wish))
        look = further_look(self._plan, self._standings, wish.individual)
        self._queue.append(self._enqueued(wish.individual, look))
        self._queue = in_order(self._queue)
        self._pace.lookahead.proposal_admitted()
        self._refused_in_a_row = 0

    def _first_share(self, individual: int) -> float:
        """Return the share of the budget that a new individual trains with, with room for all rungs above."""
        ladder = self._standings.ladder
        budget_fraction = ladder.first(individual)
        return budget_fraction if ladder.cost_from(budget_fraction) <= self._room() else WHOLE

    def _request(self, budget_fraction: float) -> EvaluationRequest:
        """Return what to ask of an offspring on a rung."""
        purpose = Purpose.SEARCH if budget_fraction == WHOLE else Purpose.SCREEN
        return EvaluationRequest(self._plan.training_seed(0), (Split.SELECTION,), purpose, budget_fraction)

    def _refuse(self, draft: Draft, kind: str, reason: str) -> None:
        self._store.refuse(draft.number, kind, reason)
        self._news.append(partial(self._observer.refused, self._store.proposal(draft.number)))
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= _MOST_REFUSALS_IN_A_ROW and not self._under_way():
            self._stop(
                StopReason.NO_OFFSPRING,
                f"{_MOST_REFUSALS_IN_A_ROW} proposals in a row gave nothing to evaluate; the last: {reason}",
            )

    def _abandon_proposals(self) -> None:
        for task in self._proposing:
            task.cancel()

    # Work

    def _start_sentinels(self) -> None:
        """Give generation 0 to every free worker whose device has gone long without it."""
        sentinels, running = self._standings.sentinels, self._evaluating.values()
        watched = {device_of(slot.name) for record, _, slot in running if record.purpose is Purpose.SENTINEL}
        for slot in self._pool.free:
            device = device_of(slot.name)
            if device in watched or not sentinels.are_due(device) or self._room() < 1:
                continue
            self._pool.take(slot)
            self._launch(self._enqueued(0, sentinels.request), slot)
            watched.add(device)

    def _start_evaluations(self) -> None:
        waiting, self._queue = self._queue, deque()
        for record in waiting:
            slot = self._pool.reserve(record.id)
            if slot is None:
                self._queue.append(record)
            else:
                self._launch(record, slot)

    def _launch(self, record: EvaluationRecord, slot: Slot) -> None:
        attempt = self._store.launch(record.id, slot.name)
        task = asyncio.create_task(self._evaluator.evaluate(slot, self._jobs.of(record)))
        self._evaluating[task] = (record, attempt, slot)
        self._news.append(partial(self._observer.started, record, slot.name, len(self._evaluating)))

    def _evaluated(self, task: asyncio.Task[Evaluation]) -> None:
        record, attempt, slot = self._evaluating.pop(task)
        self._pool.release(slot)
        error = task.exception()
        if error is not None:
            self._not_evaluated(record, attempt, slot, error)
            return
        result = task.result()
        if result.status is Status.LOST:
            self._pool.lost(slot, record.id, result.reason)
            if self._runs_again(record, result):
                self._run_again(record, attempt, result.reason)
                return
            self._pool.acquit(record.id)
        else:
            self._pool.answered(slot, record.id)
        self._pace.lookahead.evaluation_took(result.timings.total_seconds)
        if self._store.finish(record.id, attempt, result) is not None:
            self._accept(record, result)

    def _not_evaluated(self, record: EvaluationRecord, attempt: int, slot: Slot, error: BaseException) -> None:
        """Have another worker evaluate what this one could not start for, and fail when there is none."""
        if not isinstance(error, MachineError) or self._pool.did_not_start(slot, record.id, str(error)):
            self._fail(error)
        self._run_again(record, attempt, str(error))

    def _run_again(self, record: EvaluationRecord, attempt: int, reason: str) -> None:
        self._store.release(record.id, attempt, reason)
        self._queue.append(record)  # others first: they show whether it is the machine or the candidate
        if self._failure is None:
            self._news.append(partial(self._observer.lost, record, reason))
            note = f"Evaluation {record.id} of {record.individual} was lost and runs again: {reason}"
            self._news.append(partial(self._observer.note, note))

    def _runs_again(self, record: EvaluationRecord, lost: Evaluation) -> bool:
        """Return whether a lost evaluation goes back into the queue, and fail when the machine is to blame."""
        any_measured = self._standings.generation_zero is not None
        loss = self._losses.lost(record.id, any_measured=any_measured)
        if loss is Loss.MACHINE_FAILS:
            self._fail(machine_failure(lost.reason))
        return loss is not Loss.GIVE_UP

    def _retire_unfit_workers(self) -> None:
        for slot, lost, retirement in self._pool.retire_unfit(self._store):
            self._evaluator.retire(slot)
            self._losses.forgive(lost)
            self._pace.lookahead.slots = self._pool.size
            note = f"Out of service until the run is resumed: {retirement}."
            self._news.append(partial(self._observer.note, note))

    # Tell

    def _accept(self, record: EvaluationRecord, result: Evaluation) -> None:
        if result.status is not Status.LOST:
            self._losses.evaluated(record.id)
        # Every result is another chance for operators that had nothing left to propose, one and no more.
        self._refused_in_a_row = min(self._refused_in_a_row, _MOST_REFUSALS_IN_A_ROW - 1)
        individual = self._store.individual(record.individual)
        outcome = self._store.outcome(record.id)
        self._tell(individual, outcome)
        if (
            budget_fraction := self._standings.ladder.promotion(record.individual)
        ) and outcome.purpose is Purpose.SCREEN:
            self._queue.append(self._enqueued(record.individual, self._request(budget_fraction)))
        self._pace.result_came(outcome.budget_fraction)
        self._news.append(partial(self._observer.finished, individual, outcome, self._standings, result.reason))
        if remark := self._standings.exploration.remark(outcome.result_number):
            self._store.record_event("exploration", {"told": outcome.result_number, "remark": remark})
            self._news.append(partial(self._observer.note, remark))
        changes: tuple[Drift | Switch, ...] = (*self._standings.sentinels.drifts, *self._standings.ladder.switches)
        for change in changes:
            if change.result_number == outcome.result_number:
                self._news.append(partial(self._observer.note, f"{change}."))

    def _tell(self, individual: IndividualRecord, outcome: Outcome) -> None:
        self._standings.tell(individual, outcome, self._store.source)
        if self._credit is not None:
            self._credit.tell(individual, outcome)

    def _baseline_is_open(self) -> bool:
        return any(record.purpose is Purpose.BASELINE for record in self._under_way())

    def _under_way(self) -> list[EvaluationRecord]:
        """Return the evaluations that wait for a worker or run."""
        return [*self._queue, *(record for record, *_ in self._evaluating.values())]

    # Confirm

    def _room(self) -> float:
        """Return how many evaluations the search proper has left, beyond those that are under way or proposed.

        Who is on a rung counts with all that it may still climb, so that nobody finds the budget spent half-way.
        """
        under_way = sum(self._standings.ladder.cost_from(record.budget_fraction) for record in self._under_way())
        return round(self._pace.search_end - self._standings.spent - under_way - len(self._proposing), 6)

    def _search_is_over(self) -> bool:
        """Return whether less than one evaluation is left to the search proper."""
        return self._standings.spent > self._pace.search_end - 1

    def _start_second_looks(self) -> None:
        """Queue what the leaders lack, before anything else, as long as the search proper has budget."""
        room = max(0, math.floor(self._room()))
        wanted = second_looks(self._plan, self._standings, self._under_way())[:room]
        if wanted:
            self._queue.extend(self._enqueued(individual, request) for individual, request in wanted)
            self._queue = in_order(self._queue)

    def _start_confirmations(self) -> None:
        """Confirm the finalists once the search proper is over, and search on with what they leave of the budget."""
        under_way = self._under_way()
        if self._proposing or any(record.purpose is not Purpose.CONFIRM for record in under_way):
            self._start_certain_confirmations()
            return
        # Where a rule has ended the search early, this takes no more of the budget than it would have had at the end.
        end = min(self._plan.evaluations, self._pace.search_end + self._plan.confirmations)
        left = end - self._standings.spent - len(under_way)
        requests, later = confirmation(self._plan, self._standings, self._store, left)
        reserved = len(requests) + later
        if self._stopped is None and left - reserved >= 1:
            self._pace.search_end = self._plan.evaluations - reserved
            self._start_proposals()
            return
        # Each result may change who goes on, so nothing is asked for before a worker is free.
        idle = max(0, len(self._pool.free) - len(self._queue))
        self._queue.extend(self._enqueued(individual, wanted) for individual, wanted in requests[:idle])

    def _start_certain_confirmations(self) -> None:
        """Give workers that the end of the search leaves idle what the confirmation takes in any case."""
        idle = len(self._pool.free) - len(self._proposing)
        is_open = self._stopped is None and self._room() >= 1
        if self._queue or idle <= 0 or is_open:
            return
        left = self._plan.evaluations - self._pace.search_end
        requests = certain_requests(self._plan, self._standings, self._store, left)[:idle]
        self._queue.extend(self._enqueued(0, wanted) for wanted in requests)
        self._pace.search_end += len(requests)

    def _enqueued(self, individual: int, wanted: EvaluationRequest) -> EvaluationRecord:
        queued = self._store.enqueue(
            individual,
            seed=wanted.seed,
            splits=wanted.splits,
            purpose=wanted.purpose,
            budget_fraction=wanted.budget_fraction,
        )
        return self._store.evaluation(queued)

    # End

    def _stop(self, ending: StopReason, reason: str) -> None:
        """Propose nothing more; what has been proposed is still evaluated."""
        if self._stopped is None:
            self._stopped = Stopped(ending, reason)
            if ending.is_by_rule:
                # The search proper is over: nothing but the confirmation may begin, no second look either.
                self._pace.search_end -= max(0.0, self._room())
            self._news.append(partial(self._observer.note, f"Nothing more is proposed: {reason}"))

    def _fail(self, error: BaseException) -> None:
        """End the search with `error` once this step is committed; of several the first counts."""
        self._failure = self._failure or error

    async def _wind_up(self) -> None:
        """Leave nothing running: what is unfinished goes back to where a resumed run finds it."""
        self._abandon_proposals()
        await self._evaluator.close()
        await asyncio.gather(*self._proposing, *self._evaluating, return_exceptions=True)
        await self._breeder.close()
        if not self._is_ahead_of_store:
            with self._store.transaction():
                for task in [*self._evaluating]:
                    self._settle(task)
            self._show()
        self._lineage_writer.close()

    def _settle(self, task: asyncio.Task[Evaluation]) -> None:
        """Keep an evaluation that finished while everything was ended, or put it back into the queue."""
        record, attempt, _ = self._evaluating.pop(task)
        failed = task.cancelled() or task.exception() is not None
        if failed or task.result().status is Status.LOST:
            self._store.release(record.id, attempt, "the run was stopped")
        elif self._store.finish(record.id, attempt, task.result()) is not None:
            self._accept(record, task.result())

    def _show(self) -> None:
        """Tell the observer and git what the store holds now."""
        news, self._news = self._news, []
        for tell in news:
            tell()
        self._lineage_writer.update()

    def _verdict(self) -> Stopped:
        if self._standings.budget_is_spent:
            return Stopped(StopReason.COMPLETE, "the budget is spent")
        # Nothing else ends the loop short of the budget.
        return self._stopped or Stopped(StopReason.INTERRUPTED, "the run was interrupted")

    # Restore

    def _reopen(self, record: ProposalRecord) -> None:
        try:
            self._reopened.append(self._breeder.reopen(record))
        except ConfigError:
            self._store.refuse(record.number, "operator_gone", f"the run goes on without {record.operator}")


def _is_of_offspring(record: EvaluationRecord) -> bool:
    return record.purpose in (Purpose.SCREEN, Purpose.SEARCH)

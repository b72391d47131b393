"""The journey of a candidate, top to bottom.

    ask:   select parents → vary → gate → smoke run → record → commit   `evo.search.proposals`
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
from evo.search.breeding import Breeder
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
from evo.search.proposals import Proposals, request_on
from evo.search.stopping import Progress, Stopped, StoppingRules, StopReason, failed_generation_zero
from evo.standings.plan import Plan
from evo.standings.rungs import Switch
from evo.standings.sentinels import Drift
from evo.standings.standings import Standings
from evo.steering.actions import Action
from evo.steering.inbox import Inbox
from evo.store import (
    EvaluationRecord,
    IndividualRecord,
    Outcome,
    Purpose,
    Store,
)
from evo.workers import ElasticEvaluator, Evaluator
from populations.diversity import normal_form
from trainer.errors import MachineError
from trainer.evaluation import Evaluation

__all__ = ["Search", "StopReason", "Stopped"]

SEED = "seed"
"""In the place of an operator: the user starts a run from this program."""
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
        self._extension = extension
        self._pace = Pace(standings.plan, len(evaluator.workers), clock)
        jobs = jobs or Jobs(store, standings)
        self._evaluations = Evaluations(
            store, standings, evaluator, jobs, self._pace, self._news, self._fail, reference_device
        )
        self._calls = Calls(breeder.operators, store, self._news, len(evaluator.workers), parallel, clock)
        self._proposals = Proposals(
            store,
            standings,
            breeder,
            self._evaluations,
            self._calls,
            self._pace,
            self._lineage_writer,
            self._news,
            self._stop,
            self._fail,
            clock,
        )
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
        return len(self._proposals.tasks), len(self._evaluations.tasks)

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
            self._store.admit(number, source=other, normal_form=form, idea=idea, evaluations=[request_on(self._plan)])

    def restore(self) -> None:
        """Rebuild everything from the store; what was under way when it was written starts again."""
        begun = deque(self._store.open_proposals())
        for outcome in self._store.outcomes():
            while begun and begun[0].result_number < outcome.result_number:
                self._proposals.reopen(begun.popleft())
            self.recall(outcome)
        while begun:
            self._proposals.reopen(begun.popleft())
        self._evaluations.restore()
        if self._controls.course.is_paused:
            self._observer.note("The run is paused; `evo continue` ends the pause.")
        self._lineage_writer.restore()
        self._proposals.restore()
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
                working = [*self._proposals.tasks, *self._working]
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
            self._controls.take_up(self._proposals.inject, self._extend, self._proposals.room)
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
        self._proposals.take_in()
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
        self._evaluations.start_calibrations(len(self._proposals.tasks))
        self._evaluations.start_replicates(math.floor(self._proposals.room()))
        self._evaluations.start_sentinels(self._proposals.has_room)
        self._evaluations.start()
        if self._stopped is None:
            if self._proposals.has_room():
                self._lessons.start(self.standings.result_number)
            self._proposals.start()
        if self._stopped is None or self._stopped.stop_reason.is_by_rule:
            self._start_confirmations()
            self._evaluations.start()

    # Tell

    def _accept(self, record: EvaluationRecord, result: Evaluation) -> None:
        self._proposals.allow(chances=1)
        individual, outcome = self._store.individual(record.individual), self._store.outcome(record.id)
        could_replicate = not self.standings.replication.repeats_exactly
        self._tell(individual, outcome)
        if could_replicate and self.standings.replication.repeats_exactly:
            self._store.record_event("noise_unknown", {"told": outcome.result_number})
            self._news.note(_EVERY_SEED_ALIKE)
        promotion = self.standings.halving.promotion(record.individual)
        if promotion and outcome.purpose is Purpose.SCREEN:
            self._evaluations.enqueue([(record.individual, request_on(self._plan, promotion))])
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

    def _start_confirmations(self) -> None:
        """Confirm the finalists once the search proper is over, and search on with what they leave of the budget."""
        is_stopped, proposing = self._stopped is not None, len(self._proposals.tasks)
        is_open = not is_stopped and self._proposals.has_room()
        if self._confirmation.start(proposing, is_stopped=is_stopped, is_open=is_open):
            self._proposals.start()

    # End

    def _extend(self, action: Action) -> None:
        """Go on with the budget that a user asks for, as a resumed run would; a rule that ended it may do so again."""
        assert self._extension is not None  # noqa: S101 - a search with an inbox has one
        standings, self._rules = self._extension.apply(action, self._pace.driven_seconds)
        self.standings.become(standings)
        self._pace.extend(standings.plan)
        self._stopped = None
        self._proposals.allow(chances=None)
        self._news.extended(standings.plan)

    def _apply_rules(self) -> None:
        """End the search proper when a rule says so; its finalists are still to be confirmed."""
        is_over = self.standings.spent > self._pace.search_end - 1
        if self._stopped is None and not is_over:
            under_way = len(self._evaluations.under_way) + len(self._proposals.tasks)
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
                self._pace.search_end -= max(0.0, self._proposals.room())
            self._news.note(f"Nothing more is proposed: {reason}")

    def _fail(self, error: BaseException) -> None:
        """End the search with `error` once this step is committed; of several the first counts."""
        self._failure = self._failure or error

    async def _wind_up(self) -> None:
        """Leave nothing running: what is unfinished goes back to where a resumed run finds it."""
        self._proposals.cancel()
        self._lessons.cancel()
        await self._evaluator.close()
        await asyncio.gather(*self._proposals.tasks, *self._working, *self._lessons.tasks, return_exceptions=True)
        await self.breeder.close()
        if not self._is_ahead_of_store:
            with self._store.transaction():
                self._calls.ended()
                for record, result in self._evaluations.settle():
                    self._accept(record, result)
                if self.standings.budget_is_spent:
                    self._proposals.refuse_reopened()
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

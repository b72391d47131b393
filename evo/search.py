"""The journey of a candidate, top to bottom.

    ask:   select parents → vary → gate → record → commit       `_start_proposals`, `_proposed`
    work:  a free worker trains and scores it                   `_start_evaluations`, `_evaluated`
    tell:  record → fitness → survive → archives                `_accept`

One coroutine takes every decision; proposals and evaluations are tasks beside it that only work. Whatever it decides is
in the store before anything acts on it, so a search that is killed anywhere continues from the store alone (`restore`).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from evo.breeding import Breeder, Draft
from evo.lineage import Lineage
from evo.lookahead import Lookahead
from evo.plan import Plan
from evo.progress import Observer
from evo.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose, Store
from evo.workers import Evaluator
from operators.errors import CostLimitReached, OperatorUnavailable
from operators.proposal import NoOffspring, Proposal, Refused
from populations.diversity import normal_form
from trainer.errors import EvoError, GenomeError, MachineError
from trainer.evaluation import Evaluation, Job, Split, Status

_SEED_OPERATOR = "seed"
_MOST_ATTEMPTS = 3
_MOST_REFUSALS_IN_A_ROW = 50
_COMPARED_SPLITS = (Split.SELECTION, Split.GATE)


class Ending(StrEnum):
    """Why a search stopped."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    NO_OFFSPRING = "no_offspring"
    OPERATOR_UNAVAILABLE = "operator_unavailable"
    COST_LIMIT = "cost_limit"


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a search ended; `reason` is for a person."""

    ending: Ending
    reason: str


class Search:
    """An evolutionary search over one run folder, from wherever its store stands to the end of its budget."""

    def __init__(
        self,
        plan: Plan,
        store: Store,
        lineage: Lineage,
        evaluator: Evaluator,
        breeder: Breeder,
        standings: Standings,
        observer: Observer,
    ) -> None:
        self._plan = plan
        self._store = store
        self._lineage = lineage
        self._evaluator = evaluator
        self._breeder = breeder
        self._standings = standings
        self._observer = observer
        self._lookahead = Lookahead(evaluator.slots)
        self._queue: deque[EvaluationRecord] = deque()
        self._reopened: deque[Draft] = deque()
        self._proposing: dict[asyncio.Task[Proposal], tuple[Draft, float]] = {}
        self._evaluating: dict[asyncio.Task[Evaluation], tuple[EvaluationRecord, int]] = {}
        self._next_number = 1
        self._refused_in_a_row = 0
        self._unprojected: deque[int] = deque()
        self._best_shown: int | None = None
        self._generation_noted = 0
        self._failure: EvoError | None = None
        self._interrupted = asyncio.Event()
        self._stopped: Stopped | None = None

    @property
    def standings(self) -> Standings:
        """What is known so far."""
        return self._standings

    def begin(self, source: str) -> None:
        """Record generation 0 and queue its replicates: the first acts of a new run."""
        self._store.begin_proposal(0, _SEED_OPERATOR, (), 0)
        replicates = [
            EvaluationRequest(self._plan.training_seed(index), _COMPARED_SPLITS, Purpose.BASELINE)
            for index in range(self._plan.baseline)
        ]
        self._store.admit(
            0,
            source=source,
            normal_form=normal_form(source),
            idea="Generation 0",
            evaluations=replicates,
        )

    def restore(self) -> None:
        """Rebuild everything from the store; what was under way when it was written starts again."""
        for outcome in self._store.outcomes():
            self._standings.tell(self._store.individual(outcome.individual), outcome, self._store.source)
        self._store.release_all_running("the driver ended")
        self._lineage.project_missing(self._store)
        self._queue.extend(self._store.queued())
        self._reopened.extend(self._breeder.reopen(record) for record in self._store.open_proposals())
        self._next_number = (self._store.last_proposal_number() or 0) + 1

    def interrupt(self) -> None:
        """Stop soon: abandon what is under way, keep what is finished. Safe in a signal handler of the event loop."""
        self._interrupted.set()

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
        with self._store.transaction():
            for evaluation in [task for task in self._evaluating if task.done()]:
                self._evaluated(evaluation)
            for proposal in [task for task in self._proposing if task.done()]:
                self._proposed(proposal)
            self._start_evaluations()
            if self._stopped is None:
                self._start_proposals()
                self._start_confirmations()
                self._start_evaluations()
        self._project()
        if self._failure is not None:
            raise self._failure

    # Ask

    def _start_proposals(self) -> None:
        while self._reopened:
            self._propose(self._reopened.popleft())
        while self._may_propose():
            draft = self._breeder.begin(self._next_number)
            self._next_number += 1
            self._propose(draft)

    def _propose(self, draft: Draft) -> None:
        self._proposing[asyncio.create_task(self._breeder.propose(draft))] = (draft, time.monotonic())

    def _may_propose(self) -> bool:
        waiting = sum(record.purpose is Purpose.SEARCH for record in self._queue) + len(self._proposing)
        running = sum(record.purpose is Purpose.SEARCH for record, _ in self._evaluating.values())
        planned = self._standings.searched + running + waiting
        if planned >= self._plan.search_end - self._plan.baseline:
            return False
        if self._plan.generational:
            generation_end = (self._standings.searched // self._plan.mu + 1) * self._plan.mu
            return planned < generation_end
        return waiting < self._lookahead.target()

    def _proposed(self, task: asyncio.Task[Proposal]) -> None:
        draft, started = self._proposing.pop(task)
        self._lookahead.proposal_took(time.monotonic() - started)
        try:
            self._admit(draft, task.result())
            self._lookahead.proposal_admitted()
        except (NoOffspring, Refused) as refusal:
            kind = refusal.kind if isinstance(refusal, Refused) else "no_offspring"
            self._refuse(draft, kind, str(refusal))
        except CostLimitReached as limit:
            self._stop(Ending.COST_LIMIT, str(limit))
        except OperatorUnavailable as outage:
            self._stop(Ending.OPERATOR_UNAVAILABLE, str(outage))

    def _admit(self, draft: Draft, proposal: Proposal) -> None:
        form = normal_form(proposal.source)
        twin = self._store.known(form)
        if twin is not None:
            raise Refused("duplicate", f"individual {twin}, admitted meanwhile, is the same program")
        request = EvaluationRequest(self._plan.training_seed(0), (Split.SELECTION,), Purpose.SEARCH)
        (evaluation,) = self._store.admit(
            draft.number,
            source=proposal.source,
            normal_form=form,
            idea=proposal.idea,
            evaluations=[request],
        )
        self._unprojected.append(draft.number)
        self._queue.append(self._store.evaluation(evaluation))
        self._refused_in_a_row = 0

    def _refuse(self, draft: Draft, kind: str, reason: str) -> None:
        self._store.refuse(draft.number, kind, reason)
        self._refused_in_a_row += 1
        if self._refused_in_a_row == _MOST_REFUSALS_IN_A_ROW:
            self._stop(
                Ending.NO_OFFSPRING,
                f"{_MOST_REFUSALS_IN_A_ROW} proposals in a row gave nothing to evaluate; the last: {reason}",
            )

    # Work

    def _start_evaluations(self) -> None:
        while self._queue and len(self._evaluating) < self._evaluator.slots:
            record = self._queue.popleft()
            slot = self._evaluator.reserve()
            attempt = self._store.launch(record.id, slot.name)
            job = Job(self._store.source(record.individual), record.seed, record.splits)
            task = asyncio.create_task(self._evaluator.evaluate(slot, job))
            self._evaluating[task] = (record, attempt)
            self._observer.launched(len(self._evaluating))

    def _evaluated(self, task: asyncio.Task[Evaluation]) -> None:
        record, attempt = self._evaluating.pop(task)
        result = task.result()
        if result.status is Status.LOST and attempt < _MOST_ATTEMPTS:
            self._observer.note(
                f"Evaluation {record.id} of {record.individual} was lost and runs again: {result.reason}"
            )
            self._store.release(record.id, attempt, result.reason)
            self._queue.appendleft(record)
            return
        self._lookahead.evaluation_took(result.timings.total_seconds)
        if self._store.finish(record.id, attempt, result) is not None:
            self._accept(record, result)

    # Tell

    def _accept(self, record: EvaluationRecord, result: Evaluation) -> None:
        individual = self._store.individual(record.individual)
        outcome = self._store.outcome(record.id)
        self._standings.tell(individual, outcome, self._store.source)
        self._observer.finished(individual, outcome, self._standings, result.reason)
        if self._standings.generation_zero is None and not self._baseline_is_open():
            self._failure = _failed_generation_zero(result)

    def _baseline_is_open(self) -> bool:
        records = [*self._queue, *(record for record, _ in self._evaluating.values())]
        return any(record.purpose is Purpose.BASELINE for record in records)

    def _project(self) -> None:
        """Show in git what the store holds now: new individuals, the best one, and each generation's notes."""
        while self._unprojected:
            number = self._unprojected.popleft()
            self._lineage.project(self._store.individual(number), self._store.source(number))
        best = self._standings.best()
        if best and best.id != self._best_shown:
            self._best_shown = best.id
            self._lineage.set_best(best.id)
        generation = self._standings.told // self._plan.mu
        if generation != self._generation_noted:
            self._generation_noted = generation
            self._lineage.project_notes(self._store)

    # Confirm

    def _start_confirmations(self) -> None:
        """Queue the finalists once the search proper is over; the store remembers that it was done."""
        if self._standings.told < self._plan.search_end or self._queue or self._evaluating or self._proposing:
            return
        finalists = [individual.id for individual in self._standings.finalists()]
        known = {(0, outcome.seed) for outcome in self._store.outcomes_of(0)}
        pairs = [(individual, seed) for individual in [0, *finalists] for seed in self._confirmation_seeds()]
        requests = [
            (individual, EvaluationRequest(seed, _COMPARED_SPLITS, Purpose.CONFIRM))
            for individual, seed in pairs
            if finalists and (individual, seed) not in known
        ]
        queued = self._store.enqueue_once("confirmations", requests)
        self._queue.extend(self._store.evaluation(evaluation) for evaluation in queued)

    def _confirmation_seeds(self) -> list[int]:
        # Seed 0 is what selection has seen; the others are new to every finalist.
        return [self._plan.training_seed(index + 1) for index in range(self._plan.confirmation_seeds)]

    # End

    def _stop(self, ending: Ending, reason: str) -> None:
        """Propose nothing more; evaluations under way may finish."""
        self._stopped = self._stopped or Stopped(ending, reason)

    async def _wind_up(self) -> None:
        """Leave nothing running: what is unfinished goes back to where a resumed run finds it."""
        for task in self._proposing:
            task.cancel()
        await asyncio.gather(*self._proposing, return_exceptions=True)
        await self._breeder.close()
        await self._evaluator.close()
        results = await asyncio.gather(*self._evaluating, return_exceptions=True)
        with self._store.transaction():
            self._settle(results)
        self._lineage.project_notes(self._store)

    def _settle(self, results: Sequence[Evaluation | BaseException]) -> None:
        """Keep what finished while everything was ended, and put the rest back into the queue."""
        for (record, attempt), result in zip(self._evaluating.values(), results, strict=True):
            if isinstance(result, Evaluation) and result.status is not Status.LOST:
                self._store.finish(record.id, attempt, result)
            else:
                self._store.release(record.id, attempt, "the run was stopped")

    def _verdict(self) -> Stopped:
        if self._interrupted.is_set():
            return Stopped(Ending.INTERRUPTED, "the run was interrupted")
        if self._stopped is not None:
            return self._stopped
        return Stopped(Ending.COMPLETE, "the budget is spent")


def _failed_generation_zero(result: Evaluation) -> EvoError:
    if result.status is Status.LOST:
        return MachineError(f"Generation 0 could not be evaluated {_MOST_ATTEMPTS} times in a row: {result.reason}.")
    return GenomeError(
        f"Generation 0 must train and be scored before anything can evolve, but it ended {result.status}: "
        f"{result.reason}. Its last output:\n{result.log_tail[-2000:]}"
    )

"""The work of a search: evaluations wait for a worker, run, come back, or are lost and run again."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from evo.search.jobs import Jobs, in_order
from evo.search.observer import Deferred
from evo.search.pace import Pace
from evo.search.placement import Placement
from evo.search.replication import missing_replicates
from evo.standings.sentinels import Drift, device_of
from evo.standings.standings import Standings
from evo.store import EvaluationRecord, EvaluationRequest, Purpose, Store
from evo.workers import ElasticEvaluator, Evaluator, Slot
from evo.workers.pool import Loss, Retirement, WorkerPool, machine_failure
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Status


class Evaluations:
    """The evaluations of a search that wait for a worker or run.

    Args:
        evaluator: does the work.
        jobs: says what a worker is asked for an evaluation.
        reference_device: whose class all values of a new run are on the scale of (`evo.search.placement`).
        pace: told how long evaluations take.
        news: told what starts, and what is lost.
        fail: takes an error that ends the search.

    Attributes:
        queue: those that wait, in the order in which they are launched.
        placement: which of them may take what.
    """

    def __init__(
        self,
        store: Store,
        standings: Standings,
        evaluator: Evaluator,
        jobs: Jobs,
        pace: Pace,
        news: Deferred,
        fail: Callable[[BaseException], None],
        reference_device: str = "",
    ) -> None:
        self.queue: deque[EvaluationRecord] = deque()
        self._is_elastic = isinstance(evaluator, ElasticEvaluator)
        self.pool = WorkerPool(() if self._is_elastic else evaluator.workers)
        self.placement = Placement(standings, self.pool, reference_device)
        self._store = store
        self._standings = standings
        self._evaluator = evaluator
        self._jobs = jobs
        self._pace = pace
        self._news = news
        self._fail = fail
        self._running: dict[asyncio.Task[Evaluation], tuple[EvaluationRecord, int, Slot]] = {}
        self._restored_at = 0

    @property
    def wait_for_workers(self) -> bool:
        """Whether all workers have left, and others may join."""
        return self._is_elastic and not self.pool.size

    @property
    def tasks(self) -> list[asyncio.Task[Evaluation]]:
        """The evaluations that run, as tasks."""
        return [*self._running]

    @property
    def running(self) -> list[EvaluationRecord]:
        """The evaluations that run."""
        return [record for record, *_ in self._running.values()]

    @property
    def under_way(self) -> list[EvaluationRecord]:
        """The evaluations that wait for a worker or run."""
        return [*self.queue, *self.running]

    def restore(self) -> None:
        """Queue again what a killed driver left."""
        self._store.release_all_running("the driver ended")
        self.queue = in_order(self._store.queued())
        self._restored_at = self._standings.result_number

    def enqueue(self, wanted: Iterable[tuple[int, EvaluationRequest]]) -> None:
        """Record and queue evaluations of individuals."""
        self.queue.extend(self._recorded(individual, request) for individual, request in wanted)

    def enqueue_replicates(self, wanted: Iterable[tuple[int, EvaluationRequest]]) -> None:
        """Record and queue replicates of individuals, before everything else."""
        self.enqueue(wanted)
        self.queue = in_order(self.queue)

    def start(self) -> None:
        """Launch what waits, as far as workers are free."""
        waiting, self.queue = self.queue, deque()
        for record in waiting:
            accepts = partial(self.placement.accepts, record)
            slot = self.pool.reserve(record.id, accepts) if self._jobs.may_start(record) else None
            if slot is None:
                self.queue.append(record)
            else:
                self._launch(record, slot)

    def start_calibrations(self, proposing: int) -> None:
        """Queue generation 0 for classes of devices that it has not run on; without budget for it they get no work.

        `proposing` counts the proposals under way.
        """
        wanted = self.placement.look(self.under_way)
        if not wanted or self._standings.budget_is_spent:
            return
        left = self._standings.plan.evaluations - self._standings.spent - len(self.under_way) - proposing
        names = dict.fromkeys(request.device_class or "" for request in wanted)
        if len(wanted) < left:
            self.enqueue((0, request) for request in wanted)
            reference = self.placement.reference
            self._news.note(f"Generation 0 runs on {'; '.join(names)} too: all values are on the scale of {reference}.")
            return
        for name in names:
            reason = f"the budget leaves no room to measure generation 0 on {name}; extend it with --gens"
            self.retire_class(name, reason)

    def start_replicates(self, room: int) -> None:
        """Queue what the leaders lack, before anything else, as far as the search proper has room for it."""
        wanted = missing_replicates(self._standings.plan, self._standings, self.under_way)[: max(0, room)]
        if wanted:
            self.enqueue_replicates(wanted)

    def start_sentinels(self, has_room: Callable[[], bool]) -> None:
        """Give generation 0 to every free worker whose device has gone long without it."""
        if self._standings.replication.repeats_exactly:  # without any noise to judge a difference by
            return
        sentinels, running = self._standings.sentinels, self._running.values()
        watched = {device_of(slot.name) for record, _, slot in running if record.purpose is Purpose.SENTINEL}
        for slot in self.pool.free:
            device = device_of(slot.name)
            is_due = sentinels.are_due(device) or (sentinels.is_suspect(device) and len(self._devices) > 1)
            if device in watched or not is_due or not self.placement.is_ready(slot) or not has_room():
                continue
            self.pool.take(slot)
            self._launch(self._recorded(0, sentinels.request), slot)
            watched.add(device)

    def finished(self) -> Iterator[tuple[EvaluationRecord, Evaluation]]:
        """Take in what the workers have finished, and yield what the store accepts of it."""
        self._follow_workers()
        for task in [task for task in self._running if task.done()]:
            record, attempt, slot = self._running.pop(task)
            self.pool.release(slot)
            if (error := task.exception()) is not None:
                self._did_not_start(record, attempt, slot, error)
                continue
            result = task.result()
            if result.status is not Status.LOST:
                self.pool.answered(slot, record.id)
            elif self._runs_again(record, attempt, slot, result.reason):
                continue
            self._pace.lookahead.evaluation_took(result.timings.total_seconds)
            result = self.placement.comparable(record, slot, result)
            if self._store.finish(record.id, attempt, result) is not None:
                yield record, result

    def _follow_workers(self) -> None:
        """Take in which workers have joined or left."""
        if not self._is_elastic:
            return
        self.pool.update(self._evaluator.workers, self._store)
        if self.pool.size:  # without any, the look-ahead stays for those that will join
            self._pace.lookahead.slots = self.pool.size

    def settle(self) -> Iterator[tuple[EvaluationRecord, Evaluation]]:
        """Yield what finished while everything was ended, and put the rest back for a resumed run."""
        for task, (record, attempt, slot) in self._running.items():
            if task.cancelled() or task.exception() is not None or task.result().status is Status.LOST:
                self._store.release(record.id, attempt, "the run was stopped")
                continue
            result = self.placement.comparable(record, slot, task.result())
            if self._store.finish(record.id, attempt, result) is not None:
                yield record, result
        self._running.clear()

    def retire_unfit_workers(self) -> None:
        """Take workers out of service that lose everything while others work, or whose devices cannot be compared."""
        for slot, retirement in self.pool.retire_unfit(self._store):
            self._retired(slot, retirement)
        for drift in self._drifted():
            reason = f"two sentinels in a row were far off; {drift}"
            self._retire([slot for slot in self.pool.in_service if device_of(slot.name) == drift.device], reason)
        for unfit in self.placement.unfit:
            self.retire_class(unfit, f"generation 0 failed on {unfit}, so nothing can be compared there")

    def retire_class(self, device_class: str, reason: str) -> None:
        """Take the workers of a class of devices out of service; fail when there are no others."""
        self._retire([slot for slot in self.pool.in_service if slot.device.device_class == device_class], reason)
        if not self.pool.size:
            self._fail(MachineError(f"No worker is left: {reason}."))

    def _drifted(self) -> list[Drift]:
        """Return the devices that have drifted under this driver, unless most did: then generation 0 was unlucky."""
        drifted = [one for one in self._standings.sentinels.drifted if one.result_number > self._restored_at]
        return drifted if 2 * len(drifted) <= len(self._devices | {one.device for one in drifted}) else []

    @property
    def _devices(self) -> set[str]:
        return {device_of(slot.name) for slot in self.pool.in_service}

    def _retire(self, slots: Iterable[Slot], reason: str) -> None:
        """Take those of some workers out of service that have nothing to do."""
        for slot in [slot for slot in slots if slot in self.pool.free]:
            self._retired(slot, self.pool.retire(slot, self._store, reason))

    def _retired(self, slot: Slot, retirement: Retirement) -> None:
        self._evaluator.retire(slot)
        self._pace.lookahead.slots = self.pool.size
        self._news.note(f"Out of service until the run is resumed: {retirement}.")

    def _recorded(self, individual: int, wanted: EvaluationRequest) -> EvaluationRecord:
        return self._store.evaluation(self._store.enqueue(individual, wanted))

    def _launch(self, record: EvaluationRecord, slot: Slot) -> None:
        device_class = slot.device.device_class
        attempt = self._store.launch(record.id, slot.name, device_class)
        job = replace(self._jobs.of(record, device_class), losses=self.pool.times_lost(record.id))
        task = asyncio.create_task(self._evaluator.evaluate(slot, job))
        self._running[task] = (record, attempt, slot)
        self._news.started(record, slot.name, len(self._running))

    def _did_not_start(self, record: EvaluationRecord, attempt: int, slot: Slot, error: BaseException) -> None:
        """Have another worker evaluate what this one could not start for, and fail when there is none."""
        is_fatal = not isinstance(error, MachineError) or self.pool.did_not_start(slot, record.id, str(error))
        if is_fatal:
            self._fail(error)
        self._run_again(record, attempt, str(error), is_noted=not is_fatal)

    def _runs_again(self, record: EvaluationRecord, attempt: int, slot: Slot, reason: str) -> bool:
        """Put a lost evaluation back into the queue unless it is given up; fail when the machine is to blame."""
        any_measured = self._standings.generation_zero is not None
        loss = self.pool.lost(slot, record.id, reason, any_measured=any_measured)
        if loss is Loss.MACHINE_FAILS:
            self._fail(machine_failure(reason))
        if loss is not Loss.GIVE_UP:
            self._run_again(record, attempt, reason, is_noted=loss is Loss.RUN_AGAIN)
        return loss is not Loss.GIVE_UP

    def _run_again(self, record: EvaluationRecord, attempt: int, reason: str, *, is_noted: bool) -> None:
        self._store.release(record.id, attempt, reason)
        self.queue.append(record)  # others first: they show whether it is the machine or the candidate
        if is_noted:
            self._news.lost(record, reason)
            self._news.note(f"Evaluation {record.id} of #{record.individual} was lost and runs again: {reason}")

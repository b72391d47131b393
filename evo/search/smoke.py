"""Smoke runs: what an operator has made is tried for a moment before an evaluation is spent on it.

It runs on a worker, in the same sandbox and with the same limits as an evaluation, and never beside one: on the same
device it would take time from that one's training, which is measured, and memory. So it waits until a worker is free,
and goes before the evaluations that wait for it too, for what it lets pass keeps the others busy. Generation 0 is tried
first of all: where that fails, no verdict on its offspring would mean anything.

Every verdict is in the store before it is used, so that a proposal that is made again, after a kill or in a replay,
meets the same one. What a worker lost is tried again, and passes when it is lost too often: the machine is no fault of
a program's, and the evaluation has its own account of losses.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from evo.search.jobs import Jobs
from evo.search.observer import Deferred
from evo.standings.standings import Standings
from evo.store import SmokeRun, Store
from evo.workers import Evaluator, Slot
from evo.workers.pool import Loss, WorkerPool, machine_failure
from operators.proposal import SmokeFailed
from trainer.errors import GenomeError, MachineError
from trainer.evaluation import Evaluation, Status

_PASSES = frozenset((Status.OK, Status.LOST, Status.DIVERGED))
"""A schedule that is squeezed into a moment may diverge where it would not in its own time."""

_REFERENCE = 0
_OUTPUT_CHARACTERS = 4_000


@dataclass(eq=False, slots=True)
class _Trial:
    """A source that waits for its smoke run, or has it; proposal 0 stands for generation 0."""

    number: int
    source: str
    verdict: asyncio.Future[SmokeRun]

    @property
    def key(self) -> int:
        """What the pool of workers knows it by: no number of an evaluation."""
        return -self.number


class SmokeRuns:
    """The smoke runs of a search.

    Every program is told the same `seed`.
    """

    def __init__(self, store: Store, jobs: Jobs, seed: int) -> None:
        self._store = store
        self._jobs = jobs
        self._seed = seed
        self._waiting: deque[_Trial] = deque()
        self._running: dict[asyncio.Task[Evaluation], tuple[_Trial, Slot]] = {}
        self._settled: list[tuple[_Trial, SmokeRun]] = []
        self._waited: defaultdict[int, float] = defaultdict(float)
        self._asked = asyncio.Event()
        self._is_reference_sound: bool | None = None

    def serve(
        self,
        evaluator: Evaluator,
        pool: WorkerPool,
        standings: Standings,
        news: Deferred,
        fail: Callable[[BaseException], None],
    ) -> None:
        """Take workers from a pool from now on; `fail` takes an error that ends the search."""
        self._evaluator = evaluator
        self._pool = pool
        self._standings = standings
        self._news = news
        self._fail = fail

    # What a proposal asks for

    async def check(self, number: int, source: str) -> None:
        """Raise SmokeFailed where a source fails its smoke run, which is made unless the store has its verdict."""
        run = self._store.smoke_run(number, source) or await self._tried(number, source)
        if run.status not in _PASSES:
            raise SmokeFailed(run.status, run.reason or "no reason is known", run.output, source)

    def waited_seconds(self, number: int) -> float:
        """Return how long a proposal has waited for its smoke runs, and forget it."""
        return self._waited.pop(number, 0.0)

    async def asked(self) -> None:
        """Return once a smoke run is asked for."""
        await self._asked.wait()
        self._asked.clear()

    async def _tried(self, number: int, source: str) -> SmokeRun:
        loop = asyncio.get_running_loop()
        trial, since = _Trial(number, source, loop.create_future()), loop.time()
        self._waiting.append(trial)
        self._asked.set()
        try:
            return await trial.verdict
        finally:
            self._waited[number] += loop.time() - since
            if trial in self._waiting:
                self._waiting.remove(trial)

    # The steps of the search

    @property
    def tasks(self) -> list[asyncio.Task[Evaluation]]:
        """Those that run, as tasks."""
        return [*self._running]

    def start(self, *, offspring: bool) -> None:
        """Launch what waits, of `offspring` too or generation 0 alone, as far as workers are free."""
        self._try_reference()
        waiting, self._waiting = self._waiting, deque()
        for trial in waiting:
            if (known := self._known_failure(trial)) is not None:
                self._record(trial, replace(known, seconds=0.0))
                continue
            is_due = (offspring and self._is_reference_sound) or trial.number == _REFERENCE
            slot = self._pool.reserve(trial.key) if is_due else None
            if slot is None:
                self._waiting.append(trial)
                continue
            job = self._jobs.smoke(trial.source, self._seed, losses=self._pool.times_lost(trial.key))
            self._running[asyncio.create_task(self._evaluator.evaluate(slot, job))] = (trial, slot)

    def take_in(self) -> None:
        """Record in the transaction under way what the workers have finished."""
        for task in [task for task in self._running if task.done()]:
            trial, slot = self._running.pop(task)
            self._pool.release(slot)
            if (error := task.exception()) is not None:
                self._did_not_start(trial, slot, error)
                continue
            result = task.result()
            if result.status is not Status.LOST:
                self._pool.answered(slot, trial.key)
            elif self._runs_again(trial, slot, result.reason):
                continue
            self._settle(trial, slot, result)

    def committed(self) -> None:
        """Tell the proposals their verdicts, now that the store has them."""
        settled, self._settled = self._settled, []
        for trial, run in settled:
            if not trial.verdict.done():
                trial.verdict.set_result(run)

    def _try_reference(self) -> None:
        """Ask for the smoke run of generation 0 when the run begins, or else with the first one of an offspring."""
        is_wanted = self._is_reference_sound is None and (self._waiting or self._standings.generation_zero is None)
        if not is_wanted:
            return
        source = self._store.source(_REFERENCE)
        self._is_reference_sound = self._store.smoke_run(_REFERENCE, source) is not None
        if not self._is_reference_sound:
            self._waiting.appendleft(_Trial(_REFERENCE, source, asyncio.get_running_loop().create_future()))

    def _settle(self, trial: _Trial, slot: Slot, result: Evaluation) -> None:
        output = result.log_tail[-_OUTPUT_CHARACTERS:]
        run = SmokeRun(result.status, result.reason, output, slot.name, result.timings.total_seconds)
        if trial.number == _REFERENCE:
            self._is_reference_sound = result.status in _PASSES
            if not self._is_reference_sound:  # not recorded: the next driver tries it again
                self._fail(failed_reference(run))
                return
        self._record(trial, run)

    def _record(self, trial: _Trial, run: SmokeRun) -> None:
        self._store.record_smoke_run(trial.number, trial.source, run)
        self._settled.append((trial, run))

    def _known_failure(self, trial: _Trial) -> SmokeRun | None:
        """Return how the same source has failed for another proposal; None where it has not."""
        run = self._store.smoke_run(None, trial.source)
        return None if run is None or run.status in _PASSES else run

    def _did_not_start(self, trial: _Trial, slot: Slot, error: BaseException) -> None:
        """Have another worker try what this one could not start for, and fail when there is none."""
        if not isinstance(error, MachineError) or self._pool.did_not_start(slot, trial.key, str(error)):
            self._fail(error)
        self._waiting.append(trial)

    def _runs_again(self, trial: _Trial, slot: Slot, reason: str) -> bool:
        """Put a lost smoke run back unless it is given up; fail when the machine is to blame."""
        loss = self._pool.lost(slot, trial.key, reason, any_measured=bool(self._is_reference_sound))
        if loss is Loss.MACHINE_FAILS:
            self._fail(machine_failure(reason))
        if loss is Loss.GIVE_UP:
            self._news.note(f"The smoke run of proposal {trial.number} is lost again and again, and left out: {reason}")
            return False
        self._waiting.append(trial)
        return True


def failed_reference(run: SmokeRun) -> GenomeError:
    """Return the error that ends a run whose generation 0 fails its smoke run."""
    said = f" Its last output:\n{run.output}" if run.output.strip() else ""
    return GenomeError(
        f"Generation 0 must pass the smoke run that every offspring has to pass, but it ended {run.status}: "
        f"{run.reason.rstrip('.')}. Correct the program or `task.smoke`, or switch smoke runs off with "
        f"`search.smoke = false`.{said}"
    )

"""Evaluate programs with seeds on all workers, each pair once: what every study rests on."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs.assemble import build_evaluator
from evo.runs.materials import Materials, frozen_digests
from evo.runs.signals import heeding_signals
from evo.standings.plan import make_plan
from evo.studies.measurement_cache import Measurement, MeasurementCache
from evo.studies.tasks import run_tasks
from evo.workers import Evaluator, Slot
from evo.workers.pool import Loss, WorkerPool, machine_failure
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Split, Status
from trainer.machine.processes import refuse_inspection

_FIRST_SEED = 700
"""Searches and confirmations stay below: studies use seeds that no selection saw."""


class Trial(NamedTuple):
    """One evaluation that a study needs; `label` says for a person what is tried."""

    label: str
    program: str
    seed: int


class Watcher:
    """Shows the progress of a study; this one shows nothing. Its methods must not raise."""

    def begun(self, wanted: int, known: int) -> None:
        """Report that the trials begin: how many are wanted, and how many of these were measured before."""

    def measured(self, trial: Trial, measurement: Measurement, left: int) -> None:
        """Report one result, and how many evaluations are left."""

    def note(self, message: str) -> None:
        """Report anything else worth a line."""

    def stopping(self) -> None:
        """Report that the study stops early."""


def study_seeds(config: Config, count: int) -> list[int]:
    """Return training seeds that the run's search and its confirmation did not use."""
    plan = make_plan(config)
    return [plan.training_seed(_FIRST_SEED + index) for index in range(count)]


def conditions(config: ResolvedConfig, materials: Materials) -> dict[str, Any]:
    """Return what decides the outcome of an evaluation beside genome and seed, as JSON has it."""
    whole = config.model_dump(mode="json", exclude_none=True)
    return {
        "task": whole["task"],
        "budget": whole["budget"],
        "device": config.devices[0].name,
        "threads": config.workers.threads,
        "memory_mib": config.workers.memory_mib,
        "frozen": frozen_digests(materials),
    }


def measure(
    config: ResolvedConfig,
    materials: Materials,
    trials: Sequence[Trial],
    cache: MeasurementCache,
    watcher: Watcher,
    held_out: Split = Split.HOLDOUT,
    evaluator: Evaluator | None = None,
) -> bool:
    """Evaluate on the workers of a configuration, or on `evaluator`; return whether all trials are measured.

    The first signal stops it with every finished evaluation in the cache. Bits per byte are those of split `held_out`.
    """
    refuse_inspection()  # keys may stand in this process's environment
    splits = (Split.SELECTION,) if config.script else (Split.SELECTION, held_out)
    batch = Batch(evaluator or build_evaluator(config, materials), cache, splits, watcher)
    return asyncio.run(heeding_signals(batch.run(trials), batch.interrupt))


class Batch:
    """Runs the trials that are not in a cache yet, and keeps their results there.

    The evaluator's workers end with `run`. Bits per byte are those of the last of `splits`. Trials are compared as they
    were measured, so of unequal devices only those of the first one's class are used.
    """

    def __init__(
        self, evaluator: Evaluator, cache: MeasurementCache, splits: Sequence[Split], watcher: Watcher
    ) -> None:
        self._evaluator = evaluator
        self._cache = cache
        self._splits = tuple(splits)
        self._watcher = watcher
        device_class = evaluator.workers[0].device.device_class
        self._pool = WorkerPool([slot for slot in evaluator.workers if slot.device.device_class == device_class])
        self._queue: deque[tuple[int, Trial]] = deque()
        self._running: dict[asyncio.Task[Evaluation], tuple[int, Trial, Slot]] = {}
        self._interrupted = asyncio.Event()
        self._any_measured = False

    def interrupt(self) -> None:
        """Stop soon: abandon what is under way, keep what is finished."""
        self._interrupted.set()
        self._watcher.stopping()

    async def run(self, trials: Sequence[Trial]) -> bool:
        """Evaluate what is not in the cache yet, and leave nothing running; return whether all of it was.

        Raises:
            MachineError: no worker starts, evaluations are lost one after the other, or the cache cannot be written.
        """
        missing = [trial for trial in trials if self._cache.get(trial.program, trial.seed) is None]
        self._queue.extend(enumerate(missing))
        self._any_measured = len(missing) < len(trials)
        self._watcher.begun(len(trials), len(trials) - len(missing))
        await run_tasks(self._running, self._launch, self._take_in, self._interrupted, self._evaluator.close)
        for task in [*self._running]:
            self._settle(task)
        return not (self._queue or self._running)

    def _launch(self) -> None:
        waiting, self._queue = self._queue, deque()
        for number, trial in waiting:
            slot = self._pool.reserve(number)
            if slot is None:
                self._queue.append((number, trial))
            else:
                job = Job(trial.program, trial.seed, self._splits)
                self._running[asyncio.create_task(self._evaluator.evaluate(slot, job))] = (number, trial, slot)

    def _take_in(self, task: asyncio.Task[Evaluation]) -> None:
        number, trial, slot = self._running.pop(task)
        self._pool.release(slot)
        error = task.exception()
        if error is not None:
            if not isinstance(error, MachineError) or self._pool.did_not_start(slot, number, str(error)):
                raise error
            self._run_again(number, trial, str(error))
            return
        result = task.result()
        if result.status is not Status.LOST:
            self._pool.answered(slot, number)
            self._keep(trial, Measurement.of(result, self._splits[-1]))
            return
        match self._pool.lost(slot, number, result.reason, any_measured=self._any_measured):
            case Loss.RUN_AGAIN:
                self._run_again(number, trial, result.reason)
            case Loss.GIVE_UP:
                self._keep(trial, Measurement.of(result, self._splits[-1]))
            case Loss.MACHINE_FAILS:
                raise machine_failure(result.reason, "give the same command again: what was measured is kept")

    def _settle(self, task: asyncio.Task[Evaluation]) -> None:
        """Keep an evaluation that finished while everything was ended."""
        if task.exception() is None and task.result().status is not Status.LOST:
            _, trial, _ = self._running.pop(task)
            self._keep(trial, Measurement.of(task.result(), self._splits[-1]))

    def _run_again(self, number: int, trial: Trial, reason: str) -> None:
        self._queue.append((number, trial))
        self._watcher.note(f"{trial.label}, seed {trial.seed}, was lost and runs again: {reason}")

    def _keep(self, trial: Trial, measurement: Measurement) -> None:
        self._any_measured = True
        self._cache.add(trial.program, trial.seed, measurement)
        self._watcher.measured(trial, measurement, len(self._queue) + len(self._running))

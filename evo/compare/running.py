"""Running an experiment: what is missing, in blocks, one run on each worker at a time.

Block r holds the run of repeat r of every arm and the judging of generation 0, in an order drawn for each block.
Every run takes one worker from its first evaluation to its last, and the next free worker takes the next run: what a
device does over the hours, or differs from its neighbours in, affects all arms alike. On a Ray cluster a run takes all
of its slots, one run after the other.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from evo.compare.arms import expected_evaluations
from evo.compare.collecting import Definition
from evo.compare.driver import INTERRUPTED, Order
from evo.compare.experiment import Experiment
from evo.compare.folder import ExperimentFolder
from evo.config.resolved import ResolvedConfig
from evo.config.workplaces import WORKERS
from evo.studies.tasks import run_tasks
from trainer.errors import GenomeError, MachineError
from trainer.machine.devices import Device

_MOST_FAILURES_IN_A_ROW = 3
GENERATION_ZERO = -1
"""Stands for an arm where generation 0 is judged."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a block, by the numbers of its repeat and its arm, from 0; `GENERATION_ZERO` is no search."""

    repeat: int
    arm: int

    def name(self, experiment: Experiment) -> str:
        """Return its name in messages."""
        what = "generation 0" if self.arm == GENERATION_ZERO else experiment.arms[self.arm].name
        return f"block {self.repeat + 1}, {what}"


class Watcher:
    """Shows the progress of an experiment; this one shows nothing. Its methods must not raise."""

    def begun(self, runs: int, done: int, workers: Sequence[Device]) -> None:
        """Report how many runs the experiment has, and how many of these are done."""

    def started(self, name: str, device: Device) -> None:
        """Report that a run was started or resumed."""

    def moved(self, share: float) -> None:
        """Report the share of the whole experiment that is done."""

    def ended(self, name: str, how: str, *, well: bool) -> None:
        """Report how a run ended."""

    def note(self, message: str) -> None:
        """Report anything else worth a line."""

    def stopping(self) -> None:
        """Report that the experiment stops early."""


def schedule(experiment: Experiment) -> list[Run]:
    """Return all runs in the order in which they begin."""
    runs = []
    for repeat in range(experiment.repeats):
        block = [Run(repeat, arm) for arm in (GENERATION_ZERO, *range(len(experiment.arms)))]
        random.Random(f"{experiment.name}:{experiment.first_seed}:{repeat}").shuffle(block)  # noqa: S311 - no secret
        runs.extend(block)
    return runs


class Running:
    """Carries out what is missing of an experiment.

    The caller holds the lock of the folder.

    Attributes:
        outage: why nothing more was begun; empty unless a language model could not be reached.
    """

    def __init__(self, definition: Definition, folder: ExperimentFolder, watcher: Watcher) -> None:
        self._definition = definition
        self._experiment = definition.experiment
        self._folder = folder
        self._watcher = watcher
        config = definition.configs[0]
        self._places = deque(config.devices if WORKERS[config.workers.kind].is_here else config.devices[:1])
        self._waiting: deque[Run] = deque()
        self._running: dict[asyncio.Task[_Ended], tuple[Run, Device]] = {}
        self._processes: set[asyncio.subprocess.Process] = set()
        self._shares: dict[Run, float] = {}
        self._failed_in_a_row = 0
        self._interrupted = asyncio.Event()
        self.outage = ""

    def interrupt(self) -> None:
        """Stop soon, with everything saved."""
        self._interrupted.set()
        self._watcher.stopping()

    async def run(self) -> bool:
        """Run what is missing, and leave nothing running; return whether all of it was.

        Raises:
            MachineError: one run after the other fails.
        """
        everything = schedule(self._experiment)
        self._waiting.extend(one for one in everything if not self._is_done(one))
        self._shares = {one: float(one not in self._waiting) for one in everything}
        self._watcher.begun(len(everything), len(everything) - len(self._waiting), [*self._places])
        self._watcher.moved(self._share())
        await run_tasks(self._running, self._launch, self._take_in, self._interrupted, self._stop)
        return not (self._running or self._waiting or any(share < 1 for share in self._shares.values()))

    async def _stop(self) -> None:
        for process in self._processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)

    def _launch(self) -> None:
        while self._waiting and self._places and not self.outage:
            run, device = self._waiting.popleft(), self._places.popleft()
            self._watcher.started(run.name(self._experiment), device)
            self._running[asyncio.create_task(self._drive(run, device))] = (run, device)

    def _take_in(self, task: asyncio.Task[_Ended]) -> None:
        run, device = self._running.pop(task)
        self._places.append(device)
        ended, name = task.result(), run.name(self._experiment)
        if ended.code == 0:
            self._shares[run] = 1.0
            self._failed_in_a_row = 0
            self._remember(run, None)
            self._watcher.moved(self._share())
            self._watcher.ended(name, ended.reason or "done", well=True)
            if run.arm == GENERATION_ZERO:
                self._require_generation_zero(run)
        elif ended.code == INTERRUPTED and ended.ending == "operator_unavailable":
            self.outage = ended.reason
            self._watcher.ended(name, ended.reason, well=False)
        elif ended.code == INTERRUPTED:
            self._watcher.ended(name, f"stopped: {ended.reason}", well=False)
        else:
            self._failed(run, name, ended.reason)

    def _failed(self, run: Run, name: str, reason: str) -> None:
        self._remember(run, reason)
        self._watcher.ended(name, f"failed: {reason}", well=False)
        self._failed_in_a_row += 1
        if self._failed_in_a_row == _MOST_FAILURES_IN_A_ROW:
            raise MachineError(
                f"{_MOST_FAILURES_IN_A_ROW} runs failed one after the other; the last reason: {reason.rstrip('.')}. "
                "Put that right, then give the same command again: what was measured is kept."
            )

    def _require_generation_zero(self, run: Run) -> None:
        zero = self._definition.judged_zero(self._folder, run.repeat)
        if zero.is_complete and zero.has_failed:
            raise GenomeError(
                f"Generation 0 failed with every seed that it is judged with, so there is nothing to compare with: "
                f"{zero.first_failure}"
            )

    def _remember(self, run: Run, failure: str | None) -> None:
        if run.arm != GENERATION_ZERO:
            self._folder.record_failure(run.repeat, self._experiment.arms[run.arm].name, failure)

    def _is_done(self, run: Run) -> bool:
        if run.arm == GENERATION_ZERO:
            return self._definition.judged_zero(self._folder, run.repeat).is_complete
        return self._definition.is_done(self._folder, run.repeat, run.arm)

    async def _drive(self, run: Run, device: Device) -> _Ended:
        """Carry out a run in a process of its own."""
        log = self._log(run)
        with log.open("ab") as errors:
            process = await self._start(errors)
            self._processes.add(process)
            try:
                return await self._follow(process, run, device, log)
            finally:
                self._processes.discard(process)
                if not log.stat().st_size:
                    log.unlink()

    async def _start(self, errors: IO[bytes]) -> asyncio.subprocess.Process:
        # A session of its own: Ctrl-C on the terminal reaches it through here, once.
        command = (sys.executable, "-P", "-m", "evo.compare.driver")
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=errors, start_new_session=True
        )

    async def _follow(self, process: asyncio.subprocess.Process, run: Run, device: Device, log: Path) -> _Ended:
        assert process.stdin is not None  # noqa: S101 - a pipe
        assert process.stdout is not None  # noqa: S101 - likewise
        with suppress(ConnectionError):
            process.stdin.write(self._order(run, device).to_line())
            await process.stdin.drain()
        heard: dict[str, Any] = {}
        async for line in process.stdout:
            if not line.startswith(b"{"):  # printed by a library
                continue
            message = json.loads(line)
            heard |= message
            self._hear(run, message)
        code = await process.wait()
        process.stdin.close()
        reason = heard.get("error") or (heard.get("reason", "") if code in (0, INTERRUPTED) else "")
        if not reason and code:
            reason = f"its process ended with exit code {code}; {log} has what it printed"
        return _Ended(code, heard.get("ending", ""), reason)

    def _hear(self, run: Run, message: dict[str, Any]) -> None:
        if "note" in message:
            self._watcher.note(f"{run.name(self._experiment)}: {message['note']}")
        if "share" in message:
            self._shares[run] = message["share"] * self._searched(run)
        if "judged" in message:
            self._shares[run] += (1 - self._searched(run)) / self._experiment.outcome.seeds
        self._watcher.moved(self._share())

    def _searched(self, run: Run) -> float:
        """Return how much of a run's work is the search; the rest is judging."""
        if run.arm == GENERATION_ZERO:
            return 0.0
        expected = self._expected(run)
        return expected / (expected + self._experiment.outcome.seeds)

    def _expected(self, run: Run) -> int:
        if run.arm == GENERATION_ZERO:
            return 0
        return expected_evaluations(self._experiment, self._definition.configs[run.arm], "")

    def _share(self) -> float:
        """Return the share of all work that is done, by evaluations."""
        work = {one: self._expected(one) + self._experiment.outcome.seeds for one in self._shares}
        return sum(work[one] * min(1.0, share) for one, share in self._shares.items()) / sum(work.values())

    def _order(self, run: Run, device: Device) -> Order:
        arm = "" if run.arm == GENERATION_ZERO else self._experiment.arms[run.arm].name
        config = on_device(self._definition.config(max(run.arm, 0), run.repeat), device)
        dumped = config.model_dump(mode="json", exclude_none=True)
        return Order(str(self._folder.path), run.repeat, arm, dumped, self._definition.seeds(run.repeat))

    def _log(self, run: Run) -> Path:
        block = self._folder.block(run.repeat)
        block.mkdir(exist_ok=True)
        name = "generation-zero" if run.arm == GENERATION_ZERO else self._experiment.arms[run.arm].name
        return block / f"{name}.log"


@dataclass(frozen=True, slots=True)
class _Ended:
    """How the process of a run ended."""

    code: int
    ending: str
    reason: str


def on_device(config: ResolvedConfig, device: Device) -> ResolvedConfig:
    """Return a configuration whose one worker is on a device, with its share of the machine; as it is for a cluster."""
    if not WORKERS[config.workers.kind].is_here:
        return config
    names = tuple((device.id or device.kind).split(","))
    workers = config.workers.model_copy(update={"count": 1, "devices": names})
    return config.model_copy(update={"workers": workers, "devices": (device,)})

"""Parts that stand in for training in benchmarks of the driver: an evaluator without a model, an operator without cost.

Everything else in these benchmarks is the product: store, lineage, gate, selection, survival, resume.
"""

from __future__ import annotations

import ast
import asyncio
import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from zlib import crc32

from evo.config.resolved import StoredConfig
from evo.lineage import Lineage
from evo.runs.assemble import build_search
from evo.runs.folder import RunFolder
from evo.search.observer import Observer
from evo.search.search import Search
from evo.standings.standings import Standings
from evo.store import IndividualRecord, Outcome, Store
from evo.workers.evaluator import Evaluator, Slot
from operators.choice import OperatorChoice
from operators.proposal import Proposal, Request
from trainer.evaluation import Clock, Evaluation, Job, Split, Status, Timings

_GENOME_BYTES = 26_000
_MARK = "MARK = 0\n"


def large_genome() -> str:
    """Return a genome of 26 kB: the seed, and renamed copies of its own functions and classes."""
    seed = resources.files("trainer").joinpath("seed/train.py").read_text(encoding="utf-8")
    source = _MARK + seed
    definitions = [node for node in ast.parse(seed).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    copies = 0
    while len(source) < _GENOME_BYTES:
        node = definitions[copies % len(definitions)]
        text = ast.get_source_segment(seed, node) or ""
        source += "\n\n" + text.replace(node.name, f"{node.name}_copy_{copies}", 1) + "\n"
        copies += 1
    return source


class MarkMutation:
    """An operator without latency: it numbers its offspring, so each is another program."""

    name = "mark"
    arity = 1

    async def propose(self, request: Request) -> Proposal:
        """Return the parent with another number in it."""
        source = re.sub(
            r"^MARK = \d+", f"MARK = {request.number}", request.parents[0].source, count=1, flags=re.MULTILINE
        )
        request.gate.check(source)
        return Proposal(source, self.name, f"number {request.number}")


@dataclass
class SimulatedEvaluator:
    """Evaluates without training: waits, then answers with a random score that depends on genome and seed alone.

    Attributes:
        slots: jobs at a time.
        seconds: each evaluation's wall time.
        smoke_seconds: each smoke run's; all of them pass.
        busy: (start, end) of every evaluation, seconds of the event loop's clock.
    """

    slots: int = 1
    seconds: float = 0.0
    busy: list[tuple[float, float]] = field(default_factory=list)
    smoke_seconds: float = 0.0
    _under_way: set[asyncio.Future[bool]] = field(default_factory=set, init=False)

    @cached_property
    def workers(self) -> tuple[Slot, ...]:
        """The slots."""
        return tuple(Slot(f"simulated/{number}") for number in range(self.slots))

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:  # noqa: ARG002 - the slots are all alike
        """Answer after `seconds`."""
        chance = random.Random(f"{crc32(job.genome.encode())}:{job.seed}")
        status, seconds = (Status.OK, self.smoke_seconds) if job.is_smoke else self.ending(job, chance)
        clock = asyncio.get_running_loop().time
        started = clock()
        if await self._is_closed_within(seconds):
            reason = "the workers are being ended"
            return Evaluation(Status.LOST, job.seed, "simulated", Clock.WALL, "none", reason=reason)
        self.busy.append((started, clock()))
        timings = Timings(seconds, seconds, 0.0, seconds)
        if status is not Status.OK:
            return Evaluation(status, job.seed, "simulated", Clock.WALL, "none", timings=timings)
        return self._measured(job, chance, timings)

    def ending(self, job: Job, chance: random.Random) -> tuple[Status, float]:  # noqa: ARG002 - for others to vary
        """Return how an evaluation ends, and after how many seconds."""
        return Status.OK, self.seconds

    def _measured(self, job: Job, chance: random.Random, timings: Timings) -> Evaluation:
        bpb = chance.gauss(1.8, 0.05)
        is_gated = job.holdout_below is not None and bpb < job.holdout_below
        objectives = {
            "val_bpb": bpb,
            "tokens_per_second": chance.uniform(1e4, 1e5),
            "train_seconds": timings.train_seconds,
            "peak_memory_mib": 400.0,
            "parameters": 1e6,
            "code_lines": 300.0,
        }
        return Evaluation(
            status=Status.OK,
            seed=job.seed,
            device="simulated",
            clock=Clock.WALL,
            sandbox="none",
            objectives=objectives,
            split_bpb={split.value: bpb for split in (*job.splits, *((Split.HOLDOUT,) if is_gated else ()))},
            timings=timings,
        )

    def retire(self, slot: Slot) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """End what is under way."""
        for ended in self._under_way:
            if not ended.done():
                ended.set_result(True)

    async def _is_closed_within(self, seconds: float) -> bool:
        if seconds == 0.0:
            await asyncio.sleep(0)  # one turn of the loop: a timer takes two, and the driver a step more for each
            return False
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[bool] = loop.create_future()
        self._under_way.add(ended)
        timer = loop.call_later(seconds, _end, ended)
        try:
            return await ended
        finally:
            timer.cancel()
            self._under_way.discard(ended)


def _end(waiting: asyncio.Future[bool]) -> None:
    if not waiting.done():
        waiting.set_result(False)


class Stopwatch(Observer):
    """An observer that notes when each result was accepted, by the wall and by this process's CPU time, seconds."""

    def __init__(self) -> None:
        self.finished_at: list[float] = []
        self.cpu_seconds: list[float] = []

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:  # noqa: ARG002
        """Note the time."""
        self.finished_at.append(time.perf_counter())
        self.cpu_seconds.append(time.process_time())


@contextmanager
def simulated_search(
    config: StoredConfig,
    evaluator: Evaluator,
    operators: OperatorChoice,
    observer: Observer,
    folder: Path | None = None,
    clock: Callable[[], float] = time.monotonic,
    genome: str = "",
) -> Iterator[Search]:
    """Yield a search over a new run folder from a genome (26 kB by default), everything durable on a real disk."""
    with tempfile.TemporaryDirectory(dir=folder or Path.cwd(), prefix=".bench-") as temporary:
        run = RunFolder.create(Path(temporary) / "run")
        with run.lock(), Store.create(run.store) as store:
            lineage = Lineage.open(run.lineage)
            search = build_search(config, store, lineage, evaluator, operators, observer, "cpu", clock)
            search.begin(genome or large_genome())
            run.seal(config.to_toml())
            search.restore()
            yield search

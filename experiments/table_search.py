"""The product's own search over a recorded table: everything real but training, in memory, on simulated time.

Training takes a random time, and as many run at once as there are slots. The clock jumps to the next one that ends.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from evo.config.reading import parse_config
from evo.config.resolution import resolve
from evo.config.resolved import ResolvedConfig
from evo.lineage.writer import FamilyTree
from evo.runs.assemble import build_standings, recorded_operators
from evo.search.breeding import Breeder
from evo.search.credit import Credit
from evo.search.mating import Mating, Niches
from evo.search.observer import Observer
from evo.search.search import Search
from evo.standings.standings import Standings
from evo.steering.journal import SteeringJournal
from evo.store import Store
from evo.workers import Slot
from experiments.tables import Table
from operators.gate import SourceGate
from operators.source.constants import Value
from populations.descriptors import BRANCH, Descriptors
from populations.diversity import Program
from populations.toolbox import build_toolbox
from trainer.evaluation import Clock, Evaluation, Job, Status, Timings

CLASSICAL = {"constants": 0.6, "uniform": 0.2, "merge": 0.2}
"""The product's classical operators and weights; tables have no structure to mutate."""
SLOTS = 16
"""Trainings at a time."""
_SECONDS = 300.0
"""Of a typical evaluation: a search proposes earlier where proposing takes long beside evaluating."""
_SPREAD = 0.2
"""Of the logarithm of an evaluation's time."""
_TURNS = 12
"""Turns of the event loop in which everything that can start has started."""


class Recorded(Protocol):
    """Configurations whose trainings were recorded (`experiments.tables.Space`)."""

    @property
    def name(self) -> str:
        """Benchmark and data set."""

    def measure(self, values: Mapping[str, Value], seed: int) -> dict[str, float]:
        """Return what one training gave, by name; raise ValueError where it crashed."""

    def draw(self, chance: random.Random) -> dict[str, Value]:
        """Return the configuration that a search begins with."""

    def genome(self, values: Mapping[str, Value]) -> str:
        """Return a configuration as a program."""

    def values(self, genome: str) -> dict[str, Value]:
        """Return the configuration that a program states."""

    def contract(self, program: Program) -> None:
        """Refuse a program that states no configuration."""


@dataclass
class TableEvaluator:
    """Answers from a table, in the order in which simulated trainings end.

    Args:
        table: where the answers stand.
        slots: trainings at a time.
        chance: where their times come from.
    """

    table: Recorded
    slots: int
    chance: random.Random
    _running: list[tuple[float, int, asyncio.Future[None]]] = field(default_factory=list, init=False)
    _now: float = field(default=0.0, init=False)
    _started: int = field(default=0, init=False)
    _pump: asyncio.Task[None] | None = field(default=None, init=False)
    _closed: bool = field(default=False, init=False)

    @cached_property
    def workers(self) -> Sequence[Slot]:
        """The slots."""
        return [Slot(f"table/{number}") for number in range(self.slots)]

    def measure(self, slot: Slot, job: Job) -> dict[str, float]:  # noqa: ARG002 - for others to vary
        """Return what a training gives; raise ValueError, KeyError or SyntaxError where it crashes."""
        return self.table.measure(self.table.values(job.genome), job.seed)

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        """Answer when the simulated training ends."""
        seconds = training_seconds(self.chance)
        self._started += 1
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._running, (self._now + seconds, self._started, ended))
        if self._pump is None:
            self._pump = asyncio.create_task(self._let_time_pass())
        await ended
        if self._closed:
            return Evaluation(Status.LOST, job.seed, "table", Clock.WALL, "none", reason="the workers are being ended")
        try:
            measured = self.measure(slot, job)
        except (SyntaxError, ValueError, KeyError) as error:
            return Evaluation(Status.CRASHED, job.seed, "table", Clock.WALL, "none", reason=str(error))
        measured |= {"run_seconds": seconds, "peak_memory_mib": 1.0, "code_lines": 1.0}
        timings = Timings(seconds, seconds, 0.0, seconds)
        return Evaluation(Status.OK, job.seed, "table", Clock.WALL, "none", objectives=measured, timings=timings)

    def retire(self, slot: Slot) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """End the clock, and what it would have ended."""
        self._closed = True
        if self._pump is not None:
            self._pump.cancel()
        for _, _, ended in self._running:
            if not ended.done():
                ended.set_result(None)

    async def _let_time_pass(self) -> None:
        while True:
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if self._running:
                self._now, _, ended = heapq.heappop(self._running)
                if not ended.done():  # not cancelled
                    ended.set_result(None)


def training_seconds(chance: random.Random) -> float:
    """Return how long a simulated training takes."""
    return _SECONDS * chance.lognormvariate(0.0, _SPREAD)


def configuration(
    seed: int,
    evaluations: int,
    *,
    noise: Mapping[str, float] | None = None,
    operators: Mapping[str, Any] | None = None,
    directions: Mapping[str, str] | None = None,
) -> ResolvedConfig:
    """Return the configuration of a search with a population of 16.

    Args:
        seed: of the search.
        evaluations: its budget.
        noise: what differs from the defaults in `[noise]`.
        operators: what differs in `[operators]` from the classical ones.
        directions: of the objectives that it selects on, by name; the lowest loss without it.
    """
    directions = directions or {"loss": "minimize"}
    task = {"kind": "script", "genome": "configuration.py", "command": "none"}
    objectives = {name: {"direction": direction, "pattern": "(.*)"} for name, direction in directions.items()}
    search = {"pop": 16, "gens": evaluations // 16, "seed": seed, "objectives": list(directions)}
    data = {
        "task": {**task, "objectives": objectives},
        "budget": {"train_seconds": _SECONDS},
        "search": search,
        "noise": noise or {},
        "operators": {"weights": CLASSICAL, **(operators or {})},
    }
    return resolve(parse_config(data), {})


def search_table(
    table: Table,
    config: ResolvedConfig,
    slots: int = SLOTS,
    evaluator: Callable[..., TableEvaluator] = TableEvaluator,
) -> dict[str, Value]:
    """Return the configuration that a whole search chooses."""
    best = searched(table, config, slots, evaluator).best()
    assert best is not None
    return table.values(best.source)


def searched(
    table: Recorded,
    config: ResolvedConfig,
    slots: int = SLOTS,
    evaluator: Callable[..., TableEvaluator] = TableEvaluator,
) -> Standings:
    """Return what is known after a whole search; generation 0 is drawn at random.

    Args:
        table: where the answers stand.
        config: of the search.
        slots: trainings at a time.
        evaluator: makes what answers, of the table, the slots and a source of chance.
    """
    seed = config.search.seed
    chance = random.Random(f"{table.name}:{seed}")
    toolbox = build_toolbox(config.objectives(config.search.objectives), config.search.pop)
    with Store.in_memory() as store:
        standings = build_standings(config)
        choice, gate = recorded_operators(config, "cpu"), SourceGate(table.contract, store.known)
        niches = Niches(store, standings, Descriptors((BRANCH,)))
        mating = Mating(seed, toolbox, choice, store, standings, niches, SteeringJournal(store))
        breeder = Breeder(mating, gate, store, standings)
        credit = Credit.of(config, choice, standings, store) if config.operators.adaptive else None
        tree = FamilyTree()
        answers = evaluator(table, slots, chance)
        search = Search(store, tree, answers, breeder, standings, Observer(), credit=credit)
        search.begin(table.genome(table.draw(chance)))
        search.restore()
        asyncio.run(search.run())
    return standings

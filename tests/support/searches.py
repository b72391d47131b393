"""Whole searches in this process: everything real but training, with an operator that costs nothing."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from operator_requests import SMALL

from evo.config.config import Config
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.config.resolved import StoredConfig
from evo.lineage import Lineage
from evo.runs.assemble import build_search, instructions_file
from evo.runs.extension import BudgetExtension
from evo.runs.folder import RunFolder
from evo.runs.sealing import seal
from evo.search.observer import Observer
from evo.search.search import Search
from evo.search.stopping import Stopped
from evo.steering.inbox import Inbox
from evo.store import Store
from evo.workers import Evaluator
from operators.choice import OperatorChoice
from operators.proposal import Context, NoOffspring, Operator, Proposal, Request

GENOME = SMALL
_ON_CPU = {"workers": {"devices": ["cpu"]}}


class Numbering:
    """Gives each offspring another learning rate; every `one_in`-th proposal comes to nothing.

    Attributes:
        requests: what it was asked, in order.
        known: what it saw around the parents, if it `looks`.
    """

    name = "numbering"
    arity = 1

    def __init__(self, one_in: int = 10**9, *, looks: bool = False) -> None:
        self.one_in = one_in
        self.looks = looks
        self.requests: list[Request] = []
        self.known: list[Context] = []

    async def propose(self, request: Request) -> Proposal:
        self.requests.append(request)
        if self.looks:
            self.known.append(request.known.context)
        if request.number % self.one_in == 0:
            raise NoOffspring("no idea")
        source = re.sub(r"^LR = .*$", f"LR = {request.number}e-5", request.parents[0].source, flags=re.MULTILINE)
        request.gate.check(source)
        return Proposal(source, self.name, f"number {request.number}")


class Notes(Observer):
    """Keeps what is said, in the order it was said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.result_number: list[int] = []
        self.running: list[int] = []

    def started(self, evaluation: Any, worker: str, running: int) -> None:
        self.running.append(running)

    def finished(self, record: Any, outcome: Any, standings: Any, reason: str) -> None:
        self.result_number.append(outcome.result_number)

    def note(self, message: str) -> None:
        self.said.append(message)


class StopsAt(Notes):
    """Interrupts the search after so many results."""

    def __init__(self, result_number: int) -> None:
        super().__init__()
        self.at = result_number
        self.search: Search | None = None

    def finished(self, record: Any, outcome: Any, standings: Any, reason: str) -> None:
        if outcome.result_number == self.at and self.search is not None:
            self.search.interrupt()


def configuration(
    pop: int = 4,
    gens: int = 5,
    *,
    noise: dict[str, Any] | None = None,
    fidelity: dict[str, Any] | None = None,
    **search: Any,
) -> Config:
    sections = {"search": {"pop": pop, "gens": gens, **search}, "noise": noise or {}, "fidelity": fidelity or {}}
    return parse_config(sections, "test")


@contextmanager
def opened(
    path: Path,
    config: Config,
    evaluator: Evaluator,
    operator: Operator | OperatorChoice | None = None,
    observer: Observer | None = None,
    clock: Callable[[], float] = time.monotonic,
    genome: str = GENOME,
) -> Iterator[tuple[Search, Store]]:
    """Yield the search of a new run from `genome`, or of the run that is there already."""
    stored = config if isinstance(config, StoredConfig) else resolve(overlaid(config, _ON_CPU), {})
    is_new = not path.exists()
    folder = RunFolder.create(path) if is_new else RunFolder.open(path)
    with folder.lock(), Store.create(folder.store) if is_new else Store.open(folder.store) as store:
        choice = operator if isinstance(operator, OperatorChoice) else OperatorChoice([(operator or Numbering(), 1.0)])
        search = build_search(
            stored,
            store,
            Lineage.open(folder.lineage),
            evaluator,
            choice,
            observer or Observer(),
            "cpu",
            clock,
            Inbox(folder.steering),
            folder.lessons,
            BudgetExtension(folder, stored, store),
            instructions_file(stored),
        )
        if is_new:
            search.begin(genome)
        seal(folder, store, stored)
        search.restore()
        yield search, store


def searched(
    path: Path, config: Config, evaluator: Evaluator, operator: Operator | OperatorChoice | None = None
) -> Stopped:
    """Run a search, or go on with it, to its end, and see that it leaves DEAP's source of chance alone."""
    with opened(path, config, evaluator, operator) as (search, _):
        before = random.getstate()
        stopped = asyncio.run(search.run())
        assert random.getstate() == before
        return stopped

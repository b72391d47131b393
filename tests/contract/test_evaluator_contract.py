"""What the search relies on, wherever evaluations run. A new evaluator is one more entry in EVALUATORS."""

from __future__ import annotations

import asyncio
import math
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
from operator_requests import SEED
from paced_evaluator import BrokenWorkers, LosingEvaluator, PacedEvaluator, SteadyEvaluator
from script_runs import script_settings, write_files
from stand_in_evaluator import StandInEvaluator
from trainer_runs import genome, quick_settings, tiny_corpus

from evo.workers import Evaluator, LocalEvaluator, Slot
from evo.workers.external import ExternalEvaluator, told
from evo.workers.ray import RayEvaluator
from experiments.ray_cluster import RayCluster, leave, ray_cluster
from experiments.simulation import SimulatedEvaluator
from experiments.table_search import TableEvaluator
from trainer.cluster.connection import Wanted, connect
from trainer.evaluation import Evaluation, Job, Status
from trainer.machine.devices import cpu_device

# A thread of Ray's own, where it is disconnected.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception in thread ray_client:pytest.PytestUnhandledThreadExceptionWarning"
)

ENDLESS = "\n# endless\n"
PATIENCE_SECONDS = 600.0
BROKEN = {
    "empty": "",
    "no program": "def train(:",
    "raises": "raise RuntimeError('as soon as it is read')",
    "control characters": "\0\x1b[2J",
    "another language": "<html>\N{SNOWMAN}</html>",
}
SCRIPT = "print('loss: 1.5')\n"
SMOKE = ("python", "train.py", "--steps", "2")
SLOTS = 2
RAY = "EVO_TEST_RAY"  # where the cluster of this module is
T = TypeVar("T")


@dataclass(frozen=True)
class Case:
    """One implementation.

    Attributes:
        build: makes it with `SLOTS` slots, given a folder and a factory of folders.
        genome: ends OK.
        endless: does not end by itself; empty where nothing takes time.
    """

    build: Callable[[Path, pytest.TempPathFactory], Evaluator]
    genome: str = SEED
    endless: str = SEED + ENDLESS


class Paced(PacedEvaluator):
    """Evaluates endless genomes without an end."""

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        self.seconds = math.inf if ENDLESS in job.genome else 0.0
        return await super().evaluate(slot, job)


class Simulated(SimulatedEvaluator):
    """Likewise."""

    def ending(self, job: Job, chance: random.Random) -> tuple[Status, float]:
        return Status.OK, 1e6 if ENDLESS in job.genome else 0.0


class External(ExternalEvaluator):
    """Is told the result of every job that is not endless as soon as it can be taken."""

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:
        if ENDLESS not in job.genome:
            asyncio.get_running_loop().call_soon(self._answer)
        return await super().evaluate(slot, job)

    def _answer(self) -> None:
        while taken := self.take():
            slot, job = taken
            assert self.tell(slot, job, told(job.seed, Status.OK, {"loss": 1.0}, ""))


class Table:
    """A table with one configuration (`experiments.table_search.Recorded`)."""

    name = "table"

    def values(self, source: str) -> dict[str, Any]:
        return {"LR": {SEED: 0.1}[source]}

    def measure(self, values: Mapping[str, Any], seed: int) -> dict[str, float]:
        return {"loss": values["LR"] + seed}


def local(folder: Path, factory: pytest.TempPathFactory) -> Evaluator:
    settings = quick_settings(tiny_corpus(factory), folder / "scratch", train_seconds=600.0)
    return LocalEvaluator([settings] * SLOTS, [cpu_device()] * SLOTS)


def local_script(folder: Path, factory: pytest.TempPathFactory) -> Evaluator:
    settings = script_settings(write_files(folder / "project", {"train.py": SCRIPT}), wall_seconds=600.0, smoke=SMOKE)
    return LocalEvaluator([settings] * SLOTS, [cpu_device()] * SLOTS)


def ray_script(folder: Path, factory: pytest.TempPathFactory) -> Evaluator:
    settings = script_settings(write_files(folder / "project", {"train.py": SCRIPT}), wall_seconds=600.0, smoke=SMOKE)
    cluster = connect(os.environ[RAY])
    return RayEvaluator(cluster, Wanted("cpu", gpus=0, threads=1, sandbox="auto", secrets=()), settings, {})


EVALUATORS: dict[str, Case] = {
    "local": Case(local, genome(), genome("while True: pass")),
    "local, a script": Case(local_script, SCRIPT, SCRIPT + "while True: pass\n"),
    "ray, a script": Case(ray_script, SCRIPT, SCRIPT + "while True: pass\n"),
    "external": Case(lambda *_: External(SLOTS)),
    "simulated": Case(lambda *_: Simulated(SLOTS)),
    "table": Case(lambda *_: TableEvaluator(Table(), SLOTS, random.Random(0)), endless=""),  # type: ignore[arg-type]
    "stand-in": Case(lambda *_: StandInEvaluator(SEED, SLOTS, one_in=10**9), endless=""),
    "paced": Case(lambda *_: Paced(SEED, SLOTS, one_in=10**9)),
    "steady": Case(lambda *_: SteadyEvaluator(SEED, SLOTS, one_in=10**9), endless=""),
    "losing": Case(lambda *_: LosingEvaluator(SEED, SLOTS, one_in=10**9, poison="poison"), endless=""),
    "broken workers": Case(lambda *_: BrokenWorkers(SEED, SLOTS, one_in=10**9, broken=()), endless=""),
}


def of(cases: Mapping[str, Case], *slow: str) -> pytest.MarkDecorator:
    """Run a test with each case; those named `slow` in `make test-full` alone.

    Supervisors of language models and Ray's workers take seconds to start: `make test` meets them in
    tests/integration/evo/workers too.
    """
    marks = dict.fromkeys(slow, pytest.mark.full)
    return pytest.mark.parametrize(
        "case", [pytest.param(case, id=name, marks=marks.get(name, ())) for name, case in cases.items()]
    )


every = of(EVALUATORS, "local", "ray, a script")
timed = of({name: case for name, case in EVALUATORS.items() if case.endless}, "local")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """Run a Ray cluster of two nodes with a slot each."""
    with ray_cluster((1, 1), {"EVO_CACHE": str(tmp_path_factory.mktemp("cache"))}) as running:
        os.environ[RAY] = running.client
        yield running
        leave()


@pytest.fixture
def begin(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Callable[[Case], Evaluator]]:
    """Make evaluators, and find no process of theirs after the test."""
    clusters: list[RayCluster] = []

    def build(case: Case) -> Evaluator:
        if case.build is ray_script:
            clusters.append(request.getfixturevalue("cluster"))
        return case.build(tmp_path, tmp_path_factory)

    before = set(psutil.Process().children(recursive=True))
    yield build
    assert set(psutil.Process().children(recursive=True)) <= before
    assert not any(cluster.processes("trainer.script") for cluster in clusters)


def within_patience(scenario: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(scenario, PATIENCE_SECONDS))


@asynccontextmanager
async def slots_of(evaluator: Evaluator) -> AsyncIterator[tuple[Slot, Slot]]:
    """Give the slots of an evaluator, and close it in the end."""
    first, second = evaluator.workers
    try:
        yield first, second
    finally:
        await evaluator.close()


async def settled(evaluator: Evaluator, slot: Slot, job: Job) -> Evaluation:
    """Evaluate a job again as long as it is lost, as the search does; a worker may be lost once."""
    first = await evaluator.evaluate(slot, job)
    return first if first.status is not Status.LOST else await evaluator.evaluate(slot, job)


async def under_way(evaluator: Evaluator, slot: Slot, job: Job) -> asyncio.Task[Evaluation]:
    """Begin an evaluation, and let it come to its worker."""
    task = asyncio.create_task(evaluator.evaluate(slot, job))
    await asyncio.sleep(0.5)
    return task


@every
def test_it_lists_its_slots_and_starts_nothing_before_a_job(case: Case, begin: Callable[[Case], Evaluator]) -> None:
    before = psutil.Process().children(recursive=True)
    evaluator = begin(case)
    assert len({slot.name for slot in evaluator.workers}) == len(evaluator.workers) == SLOTS
    assert all(slot.name and slot.device.kind for slot in evaluator.workers)
    assert [*evaluator.workers] == [*evaluator.workers]  # by identity
    assert psutil.Process().children(recursive=True) == before
    within_patience(evaluator.close())


@every
def test_any_text_is_judged_and_slots_are_used_again(case: Case, begin: Callable[[Case], Evaluator]) -> None:
    async def scenario(evaluator: Evaluator) -> None:
        async with slots_of(evaluator) as (slot, _):
            for source in BROKEN.values():
                judged = await settled(evaluator, slot, Job(source, seed=1))
                assert judged.status is not Status.LOST
                assert bool(judged.objectives) == (judged.status is Status.OK)
                assert bool(judged.reason) == (judged.status is not Status.OK)
            for seed in (3, 4):
                scored = await settled(evaluator, slot, Job(case.genome, seed))
                assert (scored.status, scored.seed, scored.reason) == (Status.OK, seed, "")
                assert scored.objectives

    within_patience(scenario(begin(case)))


@every
def test_a_smoke_run_tells_whether_a_program_runs(case: Case, begin: Callable[[Case], Evaluator]) -> None:
    async def scenario(evaluator: Evaluator) -> None:
        async with slots_of(evaluator) as (slot, _):
            tried = await settled(evaluator, slot, Job(case.genome, 1, is_smoke=True))
            assert (tried.status, tried.seed, tried.reason) == (Status.OK, 1, "")
            if isinstance(evaluator, LocalEvaluator | RayEvaluator):  # what others measure in no time is not looked at
                assert tried.objectives == {}
                broken = await settled(evaluator, slot, Job(BROKEN["raises"], 1, is_smoke=True))
                assert broken.status is Status.CRASHED
                assert "as soon as it is read" in broken.reason
            assert (await settled(evaluator, slot, Job(case.genome, 2))).objectives

    within_patience(scenario(begin(case)))


@every
def test_slots_work_side_by_side_and_one_that_is_retired_ends_alone(
    case: Case, begin: Callable[[Case], Evaluator]
) -> None:
    async def scenario(evaluator: Evaluator) -> None:
        async with slots_of(evaluator) as (first, second):
            both = [settled(evaluator, slot, Job(case.genome, seed)) for seed, slot in enumerate((first, second))]
            assert [(one.status, one.seed) for one in await asyncio.gather(*both)] == [(Status.OK, 0), (Status.OK, 1)]
            evaluator.retire(first)
            assert (await settled(evaluator, second, Job(case.genome, 2))).status is Status.OK

    within_patience(scenario(begin(case)))


@timed
@pytest.mark.parametrize("is_under_way", [True, False])
def test_cancelling_an_evaluation_frees_its_slot(
    is_under_way: bool, case: Case, begin: Callable[[Case], Evaluator]
) -> None:
    async def scenario(evaluator: Evaluator) -> None:
        async with slots_of(evaluator) as (slot, _):
            if is_under_way:
                await settled(evaluator, slot, Job(case.genome, 0))  # the worker is there
                task = await under_way(evaluator, slot, Job(case.endless, 0))
            else:
                task = asyncio.create_task(evaluator.evaluate(slot, Job(case.endless, 0)))
                await asyncio.sleep(0)
            assert task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, PATIENCE_SECONDS)
            assert (await evaluator.evaluate(slot, Job(case.genome, 1))).status is Status.OK

    within_patience(scenario(begin(case)))


@timed
def test_closing_loses_what_is_under_way(case: Case, begin: Callable[[Case], Evaluator]) -> None:
    async def scenario(evaluator: Evaluator) -> Evaluation:
        async with slots_of(evaluator) as (slot, _):
            task = await under_way(evaluator, slot, Job(case.endless, 5))
            await asyncio.wait_for(evaluator.close(), PATIENCE_SECONDS)
        return await asyncio.wait_for(task, PATIENCE_SECONDS)

    lost = within_patience(scenario(begin(case)))
    assert (lost.status, lost.seed, lost.objectives) == (Status.LOST, 5, {})
    assert lost.reason


@every
def test_closing_leaves_no_evaluation_waiting(case: Case, begin: Callable[[Case], Evaluator]) -> None:
    async def scenario(evaluator: Evaluator) -> Evaluation:
        async with slots_of(evaluator) as (slot, _):
            task = asyncio.create_task(evaluator.evaluate(slot, Job(case.genome, 0)))
            await asyncio.sleep(0)
        return await asyncio.wait_for(task, PATIENCE_SECONDS)

    assert within_patience(scenario(begin(case))).status in (Status.OK, Status.LOST)


@pytest.mark.parametrize("module", [pytest.param("trainer.supervisor", marks=pytest.mark.slow), "trainer.script"])
def test_a_worker_that_dies_loses_its_job_alone(module: str, begin: Callable[[Case], Evaluator]) -> None:
    case = EVALUATORS["local" if module == "trainer.supervisor" else "local, a script"]

    async def scenario(evaluator: Evaluator) -> list[Status]:
        async with slots_of(evaluator) as (slot, _):
            statuses = [(await evaluator.evaluate(slot, Job(case.genome, 0))).status]
            task = await under_way(evaluator, slot, Job(case.endless, 0))
            [supervisor] = [child for child in psutil.Process().children() if module in child.cmdline()]
            supervisor.kill()
            statuses.append((await asyncio.wait_for(task, PATIENCE_SECONDS)).status)
            return [*statuses, (await evaluator.evaluate(slot, Job(case.genome, 0))).status]

    assert within_patience(scenario(begin(case))) == [Status.OK, Status.LOST, Status.OK]

"""The workers of this machine: replaced when they die, ended whatever they are doing.

They are those of scripts, which start in a moment, where nothing depends on what they evaluate.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from script_runs import script_settings, write_files
from trainer_runs import genome, quick_settings, tiny_corpus

from evo.workers import LocalEvaluator
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.machine.devices import cpu_device
from trainer.script import ScriptSettings
from trainer.settings import Settings

SCRIPT = "print('loss: 1.5')\n"


@pytest.fixture
def script(tmp_path: Path) -> ScriptSettings:
    return script_settings(write_files(tmp_path / "project", {"train.py": SCRIPT}))


@pytest.fixture
def settings(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return quick_settings(tiny_corpus(tmp_path_factory), tmp_path / "scratch")


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def evaluation_under_way(evaluator: LocalEvaluator, source: str = SCRIPT) -> asyncio.Task[Evaluation]:
    return asyncio.create_task(evaluator.evaluate(evaluator.workers[0], Job(source, seed=0)))


async def its_supervisor(module: str) -> psutil.Process:
    """Wait until the only supervisor is there."""
    while True:
        found = [child for child in psutil.Process().children() if module in child.cmdline()]
        if found:
            (supervisor,) = found
            return supervisor
        await asyncio.sleep(0.01)


def test_a_worker_that_died_is_replaced(script: ScriptSettings) -> None:
    async def scenario() -> list[Status]:
        evaluator = LocalEvaluator([script], [cpu_device()])
        statuses = [(await evaluation_under_way(evaluator)).status]
        supervisor = await its_supervisor("trainer.script")
        supervisor.kill()
        statuses += [(await evaluation_under_way(evaluator)).status for _ in range(2)]
        await evaluator.close()
        return statuses

    # The death may be noticed before the next job or by it.
    first, second, third = asyncio.run(scenario())
    assert first is third is Status.OK
    assert second in (Status.OK, Status.LOST)


def test_a_retired_worker_is_ended(script: ScriptSettings) -> None:
    async def scenario() -> Status:
        evaluator = LocalEvaluator([script], [cpu_device()])
        status = (await evaluation_under_way(evaluator)).status
        supervisor = await its_supervisor("trainer.script")
        evaluator.retire(evaluator.workers[0])
        await asyncio.to_thread(supervisor.wait)
        await evaluator.close()
        return status

    assert asyncio.run(scenario()) is Status.OK


def test_closing_ends_a_worker_that_is_still_starting(settings: Settings) -> None:
    async def scenario() -> Evaluation:
        evaluator = LocalEvaluator([settings], [cpu_device()])
        under_way = evaluation_under_way(evaluator, genome("while True: pass"))
        await its_supervisor("trainer.supervisor")
        await evaluator.close()
        return await under_way

    assert asyncio.run(scenario()).status is Status.LOST


def test_nothing_starts_after_closing(script: ScriptSettings) -> None:
    async def scenario() -> Evaluation:
        evaluator = LocalEvaluator([script], [cpu_device()])
        under_way = evaluation_under_way(evaluator)
        await evaluator.close()
        return await under_way

    assert asyncio.run(scenario()).status is Status.LOST


def test_a_worker_that_cannot_start_says_why(settings: Settings, tmp_path: Path) -> None:
    broken = Settings.from_json({**settings.to_json(), "corpus": str(tmp_path / "nowhere")})

    async def scenario() -> None:
        evaluator = LocalEvaluator([broken], [cpu_device()])
        try:
            await evaluation_under_way(evaluator)
        finally:
            await evaluator.close()

    with pytest.raises(MachineError):
        asyncio.run(scenario())

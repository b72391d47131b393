"""A supervisor that stands still or says nothing is ended, and another takes its place."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from script_runs import script_settings, write_files

from evo.workers import LocalEvaluator
from trainer import local
from trainer.errors import MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.machine.devices import cpu_device

STOPS_ITS_SUPERVISOR = "import os, signal\nos.kill(os.getppid(), signal.SIGSTOP)\nwhile True: pass\n"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_LOOK_SECONDS", 0.1)
    monkeypatch.setattr(local, "_STOP_PATIENCE_SECONDS", 0.5)


def test_a_supervisor_that_its_candidate_stops_is_replaced(tmp_path: Path) -> None:
    settings = script_settings(
        write_files(tmp_path / "project", {"train.py": "print('loss: 1')"}), sandbox="process-group", wall_seconds=600.0
    )

    async def evaluations() -> list[Evaluation]:
        evaluator = LocalEvaluator([settings], [cpu_device()])
        try:
            sources = ("print('loss: 1')\n", STOPS_ITS_SUPERVISOR, "print('loss: 2')\n")
            return [await evaluator.evaluate(evaluator.workers[0], Job(source, 0)) for source in sources]
        finally:
            await evaluator.close()

    before, stopped, after = asyncio.run(evaluations())
    assert (before.status, after.status) == (Status.OK, Status.OK)
    assert stopped.status is Status.REJECTED
    assert "stopped its supervisor" in stopped.reason
    assert not list((tmp_path / "scratch").iterdir())


def test_a_supervisor_that_says_nothing_for_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = write_files(tmp_path / "project", {"train.py": "print('loss: 1')"})
    monkeypatch.setattr("trainer.script.settings.SPARE_SECONDS", 0.5)
    with local.SupervisorProcess(script_settings(project, wall_seconds=0.01)) as supervisor:
        os.kill(supervisor.pid, signal.SIGSTOP)
        monkeypatch.setattr(local, "_STOP_PATIENCE_SECONDS", 600.0)
        lost = supervisor.evaluate(Job("print('loss: 1')\n", 0))
    assert lost.status is Status.LOST
    assert "did not answer within 1 s" in lost.reason


def test_a_supervisor_that_does_not_start_is_a_fault_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = write_files(tmp_path / "project", {"train.py": "print('loss: 1')"})
    monkeypatch.setattr(local, "_START_SECONDS", 0.0)
    with pytest.raises(MachineError, match="did not answer within 0 s while it started"):
        local.SupervisorProcess(script_settings(project))

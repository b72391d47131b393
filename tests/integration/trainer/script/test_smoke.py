"""Smoke runs of scripts: the `smoke` command, in the sandbox and with the limits of the main one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from script_runs import script_settings, write_files

from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.settings import Limits

PROGRAM = """
import os, sys
import prepare
print(sys.argv[1:], os.environ["EVO_SECONDS"], os.environ["EVO_SEED"], prepare.VALUE)
if "--steps" in sys.argv:
    raise SystemExit(0)
print("loss: 0.5")
"""


@pytest.fixture(scope="module")
def supervisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SupervisorProcess]:
    root = write_files(tmp_path_factory.mktemp("smoke") / "project", {"prepare.py": "VALUE = 7\n"})
    settings = script_settings(
        root,
        frozen=("prepare.py",),
        smoke=("python", "train.py", "--steps", "2", "--seconds", "{seconds}"),
        fixed_seconds=300.0,
        limits=Limits(output_mib=1),
    )
    with SupervisorProcess(settings) as process:
        yield process


def smoke(supervisor: SupervisorProcess, source: str, wall_seconds: float | None = None) -> Evaluation:
    return supervisor.evaluate(Job(source, 3, is_smoke=True, wall_seconds=wall_seconds))


def test_its_own_command_runs_with_the_same_files_and_no_metric(supervisor: SupervisorProcess) -> None:
    tried = smoke(supervisor, PROGRAM)
    assert (tried.status, tried.reason, tried.objectives) == (Status.OK, "", {})
    assert "['--steps', '2', '--seconds', '1'] 1 3 7" in tried.log_tail
    measured = supervisor.evaluate(Job(PROGRAM, 3))
    assert measured.objectives["loss"] == 0.5


@pytest.mark.parametrize(
    ("source", "status", "reason"),
    [
        ("raise ValueError('no such layer')", Status.CRASHED, "the smoke command"),
        ("raise MemoryError", Status.OUT_OF_MEMORY, "the smoke command ran out of memory"),
        ("while True: print('x' * 10_000)", Status.CRASHED, "printed more than 1 MiB"),
        ("while True: pass", Status.TIMED_OUT, "the smoke command did not end within 1 s"),
    ],
    ids=["raises", "memory", "output", "hangs"],
)
def test_it_is_judged_by_how_it_ends(supervisor: SupervisorProcess, source: str, status: Status, reason: str) -> None:
    tried = smoke(supervisor, source, wall_seconds=1.0 if status is Status.TIMED_OUT else None)
    assert tried.status is status, (tried.reason, tried.log_tail)
    assert reason in tried.reason

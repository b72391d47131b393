"""CPU time of process trees, also of what has ended: counted by control group, else process by process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from trainer.machine.control_group import ControlGroup, ControlGroups, sweep_groups
from trainer.machine.cpu_meter import CpuMeter

WORK = """
import os, signal, sys, time
signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody is charged for the child

def burn(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass

read, write = os.pipe()
if os.fork() == 0:
    burn(0.3)
    print("burnt", flush=True)
    sys.stdin.readline()
    os._exit(0)
os.close(write)
os.read(read, 1)
print("gone", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def group() -> ControlGroup:
    found = ControlGroups().new()
    if found is None:
        pytest.skip("no control groups can be made here")
    return found


def start(join: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    command = [sys.executable, "-I", "-S", "-c", WORK]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, preexec_fn=join)


def advance(process: subprocess.Popen[str], until: str) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == f"{until}\n"


def release(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_child_that_vanishes_stays_counted() -> None:
    meter = CpuMeter()
    with start() as process:
        advance(process, "burnt")
        before = meter.seconds([process.pid])
        release(process)
        advance(process, "gone")
        after = meter.seconds([process.pid])
        process.kill()

    assert 0.3 <= before <= after
    assert meter.seconds([process.pid]) >= after


def test_a_child_that_is_waited_for_is_counted_once() -> None:
    work = WORK.replace("signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "pass").replace(
        'print("gone"', 'os.wait(); print("gone"'
    )
    meter = CpuMeter()
    command = [sys.executable, "-I", "-S", "-c", work]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        advance(process, "burnt")
        before = meter.seconds([process.pid])
        release(process)
        advance(process, "gone")
        after = meter.seconds([process.pid])
        process.kill()

    assert before <= after < before + 0.2


def test_a_group_counts_what_has_ended_and_ends_what_has_not(group: ControlGroup) -> None:
    with start(group.join) as process:
        advance(process, "burnt")
        release(process)
        advance(process, "gone")
        assert group.cpu_seconds() >= 0.3
        assert not group.is_empty()

        group.kill()

        assert process.wait() < 0
    assert group.remove(time.monotonic() + 10)
    assert not group.folder.exists()


def test_the_groups_of_a_process_that_has_ended_are_swept(group: ControlGroup) -> None:
    left = group.folder.with_name(f"evo-{os.getpid()}-1-1")  # of a process that had this id before
    with start() as process:
        advance(process, "burnt")
        left.mkdir()
        (left / "cgroup.procs").write_text(str(process.pid))  # at once: evaluations beside this test sweep too

        sweep_groups()

        assert process.wait() < 0
    assert not left.exists()
    assert group.folder.exists()
    assert group.remove(time.monotonic() + 10)

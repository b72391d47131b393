"""Whoever is killed, at any moment: the verdict is LOST, and no process and no scratch folder stays behind."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from command_line import wait_until
from trainer_runs import await_end, evaluating_driver, genome, quick_settings, role, tiny_corpus, trainee

from trainer.errors import ConfigError, MachineError
from trainer.evaluation import Evaluation, Job, Status
from trainer.local import SupervisorProcess
from trainer.machine.scratch import Scratch, sweep
from trainer.sandbox import Level, choose_level
from trainer.settings import Settings

EVERY_LEVEL = pytest.mark.parametrize(
    "level", [Level.BUBBLEWRAP, pytest.param(Level.LANDLOCK, marks=pytest.mark.full), Level.PROCESS_GROUP]
)


def level_here(level: Level) -> Level:
    try:
        return choose_level(level, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Settings:
    return quick_settings(tiny_corpus(tmp_path_factory), tmp_path / "scratch", train_seconds=60)


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


STUBBORN = genome(
    """
        task.train_tokens()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(600)
            os._exit(0)
        os.wait()
        open("starting", "w").write(str(os.getpid()))
        os.rename("starting", "started")
        time.sleep(600)
    """
)
"""Ignores what can be ignored, leaves a daemon, tells its process id, and waits."""


def nothing_left(settings: Settings) -> bool:
    assert settings.scratch is not None
    return not await_end(settings.scratch) and not list(settings.scratch.iterdir())


def the_trainee(settings: Settings) -> psutil.Process:
    assert settings.scratch is not None
    return trainee(settings.scratch)


def descendants(process: psutil.Process, module: str) -> list[psutil.Process]:
    found = []
    for one in process.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # what tries the sandbox comes and goes
            found += [one] if role(one) == module and one.name() != "bwrap" else []
    return found


def named(supervisor: SupervisorProcess, module: str) -> psutil.Process:
    return next(child for child in psutil.Process(supervisor.pid).children() if module in child.cmdline())


_WITH_TORCH_BYTES = 120 * 2**20
"""Fewer than torch takes, and more than Python alone."""


def settled(process: psutil.Process) -> bool:
    """Whether it has imported what it needs and now waits for somebody."""
    return process.memory_info().rss > _WITH_TORCH_BYTES and process.cpu_percent(interval=0.3) == 0.0


def test_a_candidate_that_is_warm_before_the_scorer_is_not_waited_for(
    settings: Settings, background: ThreadPoolExecutor
) -> None:
    me = psutil.Process()
    elders = set(me.children())
    starting = background.submit(SupervisorProcess, settings)
    wait_until(lambda: bool(descendants(me, "trainer.candidate")))
    (supervisor,) = set(me.children()) - elders
    (scorer,), (candidate,) = (descendants(supervisor, f"trainer.{role}") for role in ("scoring", "candidate"))
    scorer.suspend()
    wait_until(lambda: settled(candidate))
    scorer.resume()

    with starting.result() as process:
        assert process.evaluate(Job(genome(), 0)).status is Status.OK


def test_a_candidate_killed_from_outside_is_lost(settings: Settings, background: ThreadPoolExecutor) -> None:
    with SupervisorProcess(settings) as supervisor:
        verdict = background.submit(supervisor.evaluate, Job(STUBBORN, 0))
        the_trainee(settings).kill()

        assert (verdict.result().status, verdict.result().reason) == (Status.LOST, "was killed from outside (SIGKILL)")
        assert supervisor.alive
        named(supervisor, "trainer.scoring").kill()
        assert supervisor.evaluate(Job(genome(), 0)).status is Status.LOST
        assert supervisor.evaluate(Job(genome(), 0)).status is Status.OK
    assert nothing_left(settings)


@EVERY_LEVEL
def test_a_killed_supervisor_loses_its_evaluation_and_leaves_nothing(
    settings: Settings, background: ThreadPoolExecutor, level: Level
) -> None:
    settings = replace(settings, sandbox=level_here(level))
    supervisor = SupervisorProcess(settings)
    verdict = background.submit(supervisor.evaluate, Job(STUBBORN, 0))
    the_trainee(settings)

    os.kill(supervisor.pid, signal.SIGKILL)

    assert verdict.result().status is Status.LOST
    assert not supervisor.alive
    assert nothing_left(settings)
    assert supervisor.evaluate(Job(genome(), 0)).status is Status.LOST


STOPS_ITS_SUPERVISOR = genome("os.kill(os.getppid(), signal.SIGSTOP)\ntime.sleep(600)")


@pytest.mark.full
def test_a_supervisor_that_its_candidate_stops_is_ended(settings: Settings) -> None:
    supervisor = SupervisorProcess(replace(settings, sandbox=Level.PROCESS_GROUP))

    verdict = supervisor.evaluate(Job(STOPS_ITS_SUPERVISOR, 0))

    assert (verdict.status, verdict.reason) == (Status.REJECTED, "stopped its supervisor (SIGSTOP)")
    assert not supervisor.alive
    assert nothing_left(settings)


def test_closing_the_line_ends_training_at_once(settings: Settings, background: ThreadPoolExecutor) -> None:
    supervisor = SupervisorProcess(settings)
    verdict: Future[Evaluation] = background.submit(supervisor.evaluate, Job(STUBBORN, 0))
    the_trainee(settings)

    supervisor.close()

    assert verdict.result().status is Status.LOST
    assert nothing_left(settings)


@EVERY_LEVEL
def test_a_killed_driver_takes_everything_with_it(settings: Settings, level: Level) -> None:
    settings = replace(settings, sandbox=level_here(level))
    with evaluating_driver(settings, STUBBORN) as driver:
        the_trainee(settings)
        (supervisor,) = psutil.Process(driver.pid).children()
        driver.kill()

    supervisor.wait()
    assert nothing_left(settings)


def test_what_killed_supervisors_left_is_swept_and_what_others_hold_is_not(tmp_path: Path) -> None:
    held, abandoned = Scratch(tmp_path), Scratch(tmp_path)
    inner = abandoned.new_folder()
    held.new_folder()
    abandoned._lock.close()  # as the kernel does with a killed process
    nap = "import time; print(flush=True); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", nap], cwd=inner, stdout=subprocess.PIPE) as inhabitant:
        assert inhabitant.stdout is not None
        inhabitant.stdout.readline()
        sweep(tmp_path)
        assert not psutil.pid_exists(inhabitant.pid)

    assert list(tmp_path.iterdir()) == [held.folder]
    held.close()
    assert not list(tmp_path.iterdir())


def deep(folder: Path) -> None:
    start = Path.cwd()
    os.chdir(folder)
    for _ in range(2000):
        Path("d").mkdir()
        os.chdir("d")
    os.chdir(start)


def locked(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "inner" / "file").touch()
    (folder / "inner").chmod(0)


def linked(folder: Path) -> None:
    (folder / "link").symlink_to(folder.parent.parent / "precious")
    os.mkfifo(folder / "pipe")


@pytest.mark.parametrize("mischief", [deep, locked, linked])
def test_a_hostile_scratch_folder_is_removed(tmp_path: Path, mischief: Callable[[Path], None]) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    scratch = Scratch(tmp_path)
    mischief(scratch.new_folder())

    scratch.close()

    assert [path.name for path in tmp_path.iterdir()] == ["precious"]
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"corpus": Path("/nonexistent")}, "/nonexistent"),
        ({"scratch": Path("/nonexistent")}, "The supervisor of cpu failed: .*No such file or directory"),
        ({"device": "mps"}, "did not start"),
        ({"device": "cuda", "device_id": "GPU-0"}, "GPU-0|NVML|cuda"),
        ({"sequence_length": 10**7}, "sequence_length must be below the \\d+ tokens"),
    ],
)
def test_a_supervisor_that_cannot_work_says_why_and_leaves_nothing(
    settings: Settings, change: dict[str, object], reason: str
) -> None:
    with pytest.raises(MachineError, match=reason):
        SupervisorProcess(replace(settings, **change))  # type: ignore[arg-type]

    assert nothing_left(settings)

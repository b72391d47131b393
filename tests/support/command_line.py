"""The command `evo` in processes of its own, for the end-to-end tests.

Most of a short command's time goes into imports. `evo` saves them: its processes are forked from one that has imported
the package and nothing else happened in. `installed_evo` and `running` start the installed program.
"""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil

import evo as package

EVO = Path(sys.executable).with_name("evo")
PATIENCE_SECONDS = 600.0  # with what comes true on any machine, however busy

SMALL = """
[task]
sequence_length = 64
score_tokens = 2048

[budget]
train_seconds = 0.5
"""
"""A configuration in which an evaluation takes a few seconds: real text, real training, little scoring."""


def environment(**added: str) -> dict[str, str]:
    """Return the environment of a user who has no key, with `added` to it; a wide log wraps and cuts nothing."""
    unwanted = ("ANTHROPIC_", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return {**plain, "TERM": "dumb", "COLUMNS": "1000", **added}


_WARM = multiprocessing.get_context("forkserver")
_WARM.set_forkserver_preload([one.name for one in pkgutil.walk_packages(package.__path__, "evo.")] + ["operators.llm"])


def evo(
    *arguments: str | Path, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end in a warm process of its own; what a test that hangs has printed is shown."""
    words = [str(EVO), *map(str, arguments)]
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "stdout"), Path(folder, "stderr")
        process = _WARM.Process(target=_become_evo, args=(words, cwd, dict(env or environment()), out, err))
        process.start()
        try:
            process.join()
        finally:
            if process.exitcode is None:
                process.kill()
                process.join()
                print(*words, out.read_text("utf-8"), err.read_text("utf-8"), sep="\n")  # noqa: T201 - pytest shows it
        return subprocess.CompletedProcess(words, process.exitcode, out.read_text("utf-8"), err.read_text("utf-8"))


def _become_evo(words: list[str], cwd: Path | None, env: dict[str, str], out: Path, err: Path) -> None:
    """Make this process what the installed program would be, and run it."""
    for number, path, flags in ((0, os.devnull, os.O_RDONLY), (1, out, os.O_WRONLY), (2, err, os.O_WRONLY)):
        descriptor = os.open(path, flags | os.O_CREAT)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd or ".")
    sys.argv = words
    from evo.commands import main

    main()


def installed_evo(*arguments: str | Path, cwd: Path | None = None, **added: str) -> subprocess.CompletedProcess[str]:
    """Run the installed program to its end, with the variables `added` to the usual environment."""
    return subprocess.run(
        [EVO, *map(str, arguments)],
        cwd=cwd,
        env=environment(**added),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


class Running:
    """A command under way; `err` holds the lines of its stderr so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.err: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.err.append(line)

    @property
    def results(self) -> list[str]:
        """The lines that report a result: its number, and what became of it."""
        return [line for line in self.err if re.match(r" *\d+ [✓✗≠?] ", line)]

    def wait_for_results(self, count: int) -> None:
        """Wait until so many results were reported."""
        wait_until(lambda: len(self.results) >= count or self.process.poll() is not None)
        assert len(self.results) >= count, "".join(self.err)

    def family(self) -> list[psutil.Process]:
        """Return the processes that the command has started and that are alive."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def finish(self, number: int) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        code = self.process.wait()
        self._reader.join()
        return code


@contextmanager
def running(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Iterator[Running]:
    """Start a command; at the end it is killed if it still runs."""
    process = subprocess.Popen(
        [EVO, *map(str, arguments)],
        env=dict(env or environment()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    command = Running(process)
    try:
        yield command
    finally:
        if process.poll() is None:
            command.finish(signal.SIGKILL)
        assert process.stderr is not None
        process.stderr.close()


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Poll until `condition` holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)


def wait_until_gone(processes: list[psutil.Process]) -> None:
    """Wait until none of the processes is alive; zombies count as gone."""
    wait_until(lambda: not any(_is_alive(process) for process in processes))


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False

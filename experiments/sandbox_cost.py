"""What a sandbox costs: milliseconds a start, and how soon each kind of runaway is gone.

A limit that is passed is noticed after at most 0.1 s (0.5 s for the disk); the seconds here come on top: from the
decision to end a candidate until the last process of its tree is gone, however it hides.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from trainer.machine.processes import Family, become_subreaper, kill_tree
from trainer.sandbox import Command, Level, Sandbox, candidate_environment, choose_sandbox
from trainer.settings import Limits

_STARTED = "import os, signal, time\n"
_READY = "\nopen('ready', 'w').close()\n"
_NAP = "time.sleep(600)\n"
_DAEMON = (
    "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.chdir('/')\n        time.sleep(600)\n"
    "    os._exit(0)\nos.wait()"
)
_RUNAWAYS = {
    "sleeps": _READY + _NAP,
    "loops and ignores signals": "for n in (1, 2, 3, 15): signal.signal(n, signal.SIG_IGN)"
    + _READY
    + "while True: pass",
    "loops in C with the interpreter's lock": "import re" + _READY + "re.match('(a+)+$', 'a' * 64 + 'b')",
    "holds 1 GiB": "hog = bytearray(b'x' * 2**30)" + _READY + _NAP,
    "left a daemon and lives": _DAEMON + _READY + _NAP,
    "left a daemon and ended": _DAEMON + _READY,
    "200 processes": "for _ in range(200):\n    if os.fork() == 0: time.sleep(600)\n" + _READY + _NAP,
    "forks without end": _READY + "signal.signal(17, signal.SIG_IGN)\nend = time.time() + 20\n"
    "while time.time() < end:\n    try:\n        if os.fork() == 0: time.sleep(0.05)\n"
    "    except OSError: pass\n",
}
_PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    scratch: Path


def measure(starts: int = 40, repeats: int = 5) -> str:
    """Return the measurements as Markdown."""
    become_subreaper()
    sandboxes = {level: choose_sandbox(level, Limits(), "cpu") for level in Level}
    Family().end_orphans()  # what trying them has left
    lines = [f"| | {' | '.join(sandboxes)} |", "|---|" + "---|" * len(sandboxes)]
    milliseconds = [_start_milliseconds(sandbox, starts) for sandbox in sandboxes.values()]
    lines.append(f"| start and end of a process, ms (median of {starts}) | {' | '.join(milliseconds)} |")
    for name, code in _RUNAWAYS.items():
        seconds = [_row([_kill_seconds(sandbox, code) for _ in range(repeats)]) for sandbox in sandboxes.values()]
        lines.append(f"| {name}: s until all is gone | {' | '.join(seconds)} |")
    return "\n".join(lines) + f"\n\nMedians and largest of {repeats}; the target is 2 s from the limit.\n"


def _start_milliseconds(sandbox: Sandbox, starts: int) -> str:
    taken = []
    for _ in range(starts):
        started = time.perf_counter()
        with _child(sandbox, "") as child:
            child.process.wait()
        taken.append((time.perf_counter() - started) * 1000)
        Family().end_orphans()
    return f"{statistics.median(taken):.1f}"


def _kill_seconds(sandbox: Sandbox, code: str) -> float:
    with _child(sandbox, _STARTED + code) as child:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not (child.scratch / "ready").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.2)
        started = time.perf_counter()
        kill_tree(child.process.pid)
        child.process.wait()
        Family().end_orphans()
        seconds = time.perf_counter() - started
    if left := psutil.Process().children(recursive=True):
        raise RuntimeError(f"expected nothing to be left, but there was {left}")
    return seconds


@contextlib.contextmanager
def _child(sandbox: Sandbox, code: str) -> Iterator[_Child]:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        words = [sys.executable, "-I", "-S", "-c", code]
        environment = candidate_environment(sandbox.home(scratch), "", 1)
        with sandbox.launch(Command(words, scratch, environment)) as process:
            yield _Child(process, scratch)


def _row(seconds: list[float]) -> str:
    return f"{statistics.median(seconds):.3f}, {max(seconds):.3f}"


if __name__ == "__main__":
    print(measure())

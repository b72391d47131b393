"""Process trees: their CPU clock, their memory, and their end.

Linux answers from `/proc` and the kernel's per-process clocks; elsewhere psutil does, with coarser figures.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_ON_LINUX = sys.platform == "linux"


def become_subreaper() -> None:
    """Adopt orphaned descendants, so that a daemon that forked twice still belongs to this process (Linux)."""
    if _ON_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Ask the kernel to kill the calling process when its parent ends (Linux); runs between fork and exec."""
    if _ON_LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def descendants(pid: int) -> list[psutil.Process]:
    """Return the living descendants of `pid`, without itself."""
    with contextlib.suppress(psutil.Error):
        return psutil.Process(pid).children(recursive=True)
    return []


def tree_cpu_seconds(pid: int) -> float:
    """Return the CPU seconds of `pid`, of its living descendants, and of the children that they have reaped."""
    return _cpu_seconds(pid) + sum(_cpu_seconds(process.pid) for process in descendants(pid))


def _cpu_seconds(pid: int) -> float:
    try:
        times = psutil.Process(pid).cpu_times()
        # children_* are the reaped children; the process's own share has a clock finer than the 10 ms ticks of /proc.
        reaped = float(times.children_user + times.children_system)
        return reaped + _own_cpu_seconds(pid, float(times.user + times.system))
    except (psutil.Error, OSError):
        return 0.0


def _own_cpu_seconds(pid: int, ticks_seconds: float) -> float:
    if not _ON_LINUX:
        return ticks_seconds
    # The clock id of another process's CPU time, as glibc's clock_getcpuclockid(3) forms it.
    return time.clock_gettime((~pid << 3) | 2)


def tree_resident_mib(pid: int) -> float:
    """Return the resident memory of `pid` and its descendants, MiB (pages shared among them count once each)."""
    total = 0
    for process in [pid, *(child.pid for child in descendants(pid))]:
        with contextlib.suppress(psutil.Error):
            total += psutil.Process(process).memory_info().rss
    return total / 2**20


def peak_resident_mib(pid: int) -> float:
    """Return the highest resident memory that one process had so far, MiB; 0 where the system does not tell."""
    if _ON_LINUX:
        with contextlib.suppress(OSError), Path(f"/proc/{pid}/status").open(encoding="ascii") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) / 1024
    return 0.0


def kill_tree(pid: int) -> None:
    """Kill `pid` and every descendant; a process that forks while it is hunted is found in the next round."""
    for _ in range(1000):
        victims = descendants(pid)
        # Stopped first, a fork bomb cannot outrun the hunt.
        _signal([pid, *(process.pid for process in victims)], signal.SIGSTOP)
        if not [child for child in descendants(pid) if child not in victims]:
            break
    _signal([pid, *(process.pid for process in descendants(pid))], signal.SIGKILL)


def reap_strays(known: Iterable[int]) -> None:
    """Kill and reap the children of this process that are not in `known`: orphans that a candidate left behind."""
    keep = set(known)
    while strays := [child.pid for child in psutil.Process().children() if child.pid not in keep]:
        for pid in strays:
            kill_tree(pid)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, 0)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)

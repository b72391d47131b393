"""Process trees: their CPU clock, their memory, and their end.

Linux answers from `/proc` and the kernel's per-process clocks; elsewhere psutil does, with coarser figures.
"""

import contextlib
import ctypes
import os
import platform
import resource
import signal
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import psutil

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_ON_LINUX = sys.platform == "linux"
# Kernels may be built without this file; psutil then reads every process of the machine instead.
_LISTS_CHILDREN = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# Fields of a `stat`, from the third.
_REAPED_USER, _REAPED_SYSTEM, _THREADS, _START, _VIRTUAL, _RESIDENT = 13, 14, 17, 19, 20, 21
_WIDE_BYTES = 2**35  # of addresses: with fewer, the tables of a process's pages are below 64 MiB, or its pages are many
_LIBRARY = ctypes.CDLL(None)
_KCMP = {"x86_64": 312, "aarch64": 272}
_KCMP_FILES = 2
_HUNT_ROUNDS = 100
_HUNT_SECONDS = 10.0
_SMALL_MIB = 16.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What some processes are using.

    Attributes:
        resident_mib: pages that processes share are shared out among them, where the system tells.
        threads: of all of them.
        tables_mib: the tables of their pages, which can be large where no page is resident.
    """

    resident_mib: float = 0.0
    threads: int = 0
    tables_mib: float = 0.0


@dataclass(frozen=True, slots=True)
class CpuTimes:
    """CPU time of one process.

    Attributes:
        start_ticks: when it began, which tells it from a later one with the same id.
        own_seconds: of its threads.
        reaped_seconds: of the children that it has waited for, and theirs.
    """

    start_ticks: int
    own_seconds: float
    reaped_seconds: float

    @property
    def total_seconds(self) -> float:
        """Of both."""
        return self.own_seconds + self.reaped_seconds


def become_subreaper() -> None:
    """Adopt orphaned descendants, so that a daemon that forked twice still belongs to this process (Linux)."""
    if _ON_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def allow_descriptors() -> None:
    """Let this process have as many descriptors as it can (Linux).

    That is also how many all processes of its user together may have on their way through sockets while this one sends
    another: candidates have fewer, and so cannot take all of them.
    """
    if _ON_LINUX:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def refuse_inspection() -> None:
    """Keep other processes of this user from reading this one's memory and environment, or tracing it (Linux).

    Stronger sandboxes keep candidates from that anyway; below them it holds for every user but root.
    """
    if _ON_LINUX:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def die_with_parent() -> None:
    """Ask the kernel to kill the calling process when its parent ends (Linux); runs between fork and exec."""
    if _ON_LINUX:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def children(pid: int) -> list[int]:
    """Return the children of `pid`, zombies included; empty when there is no such process."""
    if not _LISTS_CHILDREN:
        with contextlib.suppress(psutil.Error):
            return [child.pid for child in psutil.Process(pid).children()]
        return []
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - read many times a second
            # A thread may end between the two calls.
            with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{thread}/children", "rb") as listing:  # noqa: PTH123 - likewise
                found += map(int, listing.read().split())
    return found


def trees(roots: Iterable[int], most: int | None = None) -> list[int]:
    """Return `roots` and all their descendants, parents first, or hardly more than `most` of them.

    A fork bomb can grow faster than it can be listed.
    """
    found = list(roots)
    seen = set(found)
    for pid in found:
        if most is not None and len(found) > most:
            break
        new = [child for child in children(pid) if child not in seen]
        seen.update(new)
        found += new
    return found


def members(roots: Iterable[int], most: int | None = None) -> list[int]:
    """Return the processes of some trees, as `trees` does, each by the id of a thread that lives.

    Of a process whose first thread has ended the system tells neither memory nor descriptors under its own id.
    """
    return [_living(pid) for pid in trees(roots, most)]


def _living(pid: int) -> int:
    with contextlib.suppress(OSError):
        fields = _stat_fields(pid)
        if fields[0] == b"Z" and int(fields[_THREADS]) > 1:
            return max(map(int, os.listdir(f"/proc/{pid}/task")))  # noqa: PTH208 - read many times a second
    return pid


def descriptor_folders(pid: int) -> list[str]:
    """Return the folders that list the descriptors of a process (Linux): a thread may have a table of its own."""
    threads: list[str] = []
    with contextlib.suppress(OSError):
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - read many times a second
    others = [one for one in threads if int(one) != pid and not _shares_descriptors(pid, int(one))]
    return [f"/proc/{pid}/fd", *(f"/proc/{pid}/task/{one}/fd" for one in others)]


def _shares_descriptors(thread: int, other: int) -> bool:
    """Return whether two threads have one table of descriptors; False where the system does not tell."""
    number = _KCMP.get(platform.machine())
    return number is not None and _LIBRARY.syscall(number, thread, other, _KCMP_FILES, 0, 0) == 0


def usage(pids: Sequence[int]) -> Usage:
    """Return what processes use; those that end meanwhile count as far as they can be read."""
    measured = [_usage_of_one(pid) for pid in pids]
    resident = [one.resident_mib for one in measured]
    if sum(mib > _SMALL_MIB for mib in resident) > 1:
        # Forked processes share most of their pages.
        resident = [_shared_out_mib(pid, mib) for pid, mib in zip(pids, resident, strict=True)]
    return Usage(
        sum(resident),
        sum(one.threads for one in measured),
        sum(one.tables_mib for one in measured),
    )


def cpu_times(pid: int) -> CpuTimes | None:
    """Return the CPU time of a process, None if there is none."""
    try:
        if not _ON_LINUX:
            process = psutil.Process(pid)
            times = process.cpu_times()
            return CpuTimes(int(process.create_time() * 1000), times.user + times.system, float(sum(times[2:4])))
        return _linux_cpu_times(pid, _stat_fields(pid))
    except (psutil.Error, OSError):
        return None


def start_ticks(pid: int) -> int:
    """Return when a process began, which tells it from a later one with the same id; -1 if there is none."""
    times = cpu_times(pid)
    return -1 if times is None else times.start_ticks


def keepers(pid: int, name: str) -> list[int]:
    """Return the chain of processes called `name` that begins at `pid`: a sandbox's own, above its command."""
    chain: list[int] = []
    while name and _name(pid) == name:
        chain.append(pid)
        if not (below := children(pid)):
            break
        pid = below[0]
    return chain


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").rstrip("\n")
    return ""


def _usage_of_one(pid: int) -> Usage:
    try:
        return _linux_usage(pid) if _ON_LINUX else _psutil_usage(pid)
    except (psutil.Error, OSError):
        return Usage()


def _linux_usage(pid: int) -> Usage:
    fields = _stat_fields(pid)
    is_wide = int(fields[_VIRTUAL]) > _WIDE_BYTES
    tables_kib = (_number_in(f"/proc/{pid}/status", b"VmPTE:") or 0) if is_wide else 0
    return Usage(int(fields[_RESIDENT]) * _PAGE_BYTES / 2**20, int(fields[_THREADS]), tables_kib / 1024)


def _linux_cpu_times(pid: int, fields: Sequence[bytes]) -> CpuTimes:
    reaped_ticks = int(fields[_REAPED_USER]) + int(fields[_REAPED_SYSTEM])
    # The clock id of another process's CPU time, as glibc's clock_getcpuclockid(3) forms it: finer than ticks of 10 ms.
    own_seconds = time.clock_gettime((~pid << 3) | 2)
    return CpuTimes(int(fields[_START]), own_seconds, reaped_ticks / _TICKS_PER_SECOND)


def _stat_fields(pid: int) -> list[bytes]:
    with open(f"/proc/{pid}/stat", "rb") as stat:  # noqa: PTH123 - read many times a second
        # The name in parentheses may hold anything; field 3 of proc_pid_stat(5) follows it.
        return stat.read().rpartition(b")")[2].split()


def _shared_out_mib(pid: int, resident_mib: float) -> float:
    """Return the proportional set size of a process, MiB; its resident memory where the system does not tell."""
    shared_out_kib = _number_in(f"/proc/{pid}/smaps_rollup", b"Pss:")
    return resident_mib if shared_out_kib is None else shared_out_kib / 1024


def _number_in(file: str, name: bytes) -> int | None:
    """Return the number after a name in a file of `/proc`; None where there is none."""
    with contextlib.suppress(OSError), open(file, "rb") as lines:  # noqa: PTH123 - read many times a second
        for line in lines:
            if line.startswith(name):
                return int(line.split()[1])
    return None


def _psutil_usage(pid: int) -> Usage:
    process = psutil.Process(pid)
    return Usage(process.memory_info().rss / 2**20, process.num_threads())


def peak_resident_mib(pid: int) -> float:
    """Return the highest resident memory that one process had so far, MiB; 0 where the system does not tell."""
    return (_number_in(f"/proc/{pid}/status", b"VmHWM:") or 0) / 1024


def has_ended(pid: int) -> bool:
    """Return whether a child of this process has ended; it stays a zombie, so that its id cannot be given away."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_stopped(pid: int) -> bool:
    """Return whether a process was stopped by a signal."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def kill_tree(pid: int) -> None:
    """Kill an unreaped child of this process with its process group and every descendant."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if (group := os.getpgid(pid)) != os.getpgrp():
            # At once for all its members: not even a chain of processes that each fork and exit slips through.
            os.killpg(group, signal.SIGKILL)
    known: list[int] = []
    for _ in range(_HUNT_ROUNDS):
        victims = trees([pid])
        # Stopped first, a fork bomb cannot outrun the hunt.
        _signal(victims, signal.SIGSTOP)
        if victims == known:
            break
        known = victims
    _signal(known, signal.SIGKILL)


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


class Family:
    """Distinguishes the children that this process started from the orphans that it adopted as a subreaper.

    A candidate's process whose parent has ended becomes a child of the supervisor: its work is charged to the
    candidate, and it ends with it. An orphan that has ended stays a zombie until `end_orphans`, so none is missed.
    """

    def __init__(self) -> None:
        self._own: set[int] = set()

    def add(self, pid: int) -> None:
        """Know `pid` as a child that was started on purpose."""
        self._own.add(pid)

    def discard(self, pid: int) -> None:
        """Forget a child that was reaped; its id may be given away now."""
        self._own.discard(pid)

    def orphans(self) -> list[int]:
        """Return the children of this process that it did not start."""
        return [pid for pid in children(os.getpid()) if pid not in self._own]

    def end_orphans(self) -> float:
        """Kill and reap all orphans, and those that this makes; return the highest memory of any one process, MiB."""
        deadline = time.monotonic() + _HUNT_SECONDS
        peak_mib = 0.0
        while (orphans := self.orphans()) and time.monotonic() < deadline:
            for pid in orphans:
                kill_tree(pid)
            peak_mib = max([peak_mib, *(reap(pid, deadline).peak_mib for pid in orphans)])
        return peak_mib


class Reaped(NamedTuple):
    """What is known of a child that has ended.

    Attributes:
        code: its exit code as `subprocess` has it; None without one.
        peak_mib: the highest resident memory of any one process among it and its reaped descendants, MiB, 0 where
            unknown. That includes its time as a copy of its parent before exec.
        touched_mib: what they all came to use page by page, MiB: of short-lived ones about the peak, of others more.
    """

    code: int | None
    peak_mib: float = 0.0
    touched_mib: float = 0.0


def reap(pid: int, deadline: float) -> Reaped:
    """Reap a child that has ended or was killed; one that hangs in the kernel is left after the deadline."""
    with contextlib.suppress(ChildProcessError):
        while (found := os.wait4(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() >= deadline:
                return Reaped(None)
            time.sleep(0.001)
        code, spent = os.waitstatus_to_exitcode(found[1]), found[2]
        touched_mib = (spent.ru_minflt + spent.ru_majflt) * resource.getpagesize() / 2**20
        return Reaped(code, spent.ru_maxrss / 1024, touched_mib) if _ON_LINUX else Reaped(code)
    return Reaped(None)


def oom_kills() -> int:
    """Return how many processes the kernel has killed for want of memory since it started; 0 where unknown."""
    return _number_in("/proc/vmstat", b"oom_kill ") or 0

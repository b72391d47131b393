"""What of this machine its processes may use: a container, a job of Slurm or a service may have less than all of it.

Cores are bounded by the affinity of this process and by the CPU quota of its control groups, memory by their limits, of
both versions (cgroups(7)). A limit of a group above counts as well as that of its own.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from trainer.machine.control_group import hierarchies

_MIB = 2**20
_UNLIMITED_BYTES = 2**60  # version 1 tells a number near 2**63 where there is no limit


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the processes of this one may use together.

    Attributes:
        cores: at least 1.
        memory_mib: MiB, in use or not.
    """

    cores: int
    memory_mib: float


def capacity(processes: Path = Path("/proc/self")) -> Capacity:
    """Return what this process and its children may use.

    Args:
        processes: folder of the kernel that tells this process's control groups and mounts.
    """
    cores, memory = float(_affinity()), float(psutil.virtual_memory().total)
    for folder in _groups(processes):
        cores, memory = min(cores, _quota(folder)), min(memory, _memory_limit(folder))
    return Capacity(max(1, math.floor(cores)), memory / _MIB)


def _affinity() -> int:
    with contextlib.suppress(AttributeError, OSError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(processes: Path) -> Iterator[Path]:
    """Yield the folders of this process's control groups, and of all above them, as far as they can be seen here."""
    for _, mount, path in hierarchies(processes):
        own = mount / path
        # In a container the path can be the host's, and then only the container's root stands at the mount.
        yield from (one for one in (own, *own.parents) if one.is_relative_to(mount) and one.is_dir())


def _quota(group: Path) -> float:
    """Return the cores that a group's CPU quota comes to."""
    match _text(group / "cpu.max").split():
        case [quota, period] if quota != "max":
            return int(quota) / int(period)
    quota, period = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota and period and int(quota) > 0 else math.inf


def _memory_limit(group: Path) -> float:
    """Return the bytes that a group's processes may hold together."""
    limits = [_text(group / name) for name in ("memory.max", "memory.limit_in_bytes")]
    numbers = [int(limit) for limit in limits if limit.isdecimal()]
    return min((number for number in numbers if number < _UNLIMITED_BYTES), default=math.inf)


def _text(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8").strip()
    return ""

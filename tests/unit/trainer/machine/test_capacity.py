"""What a process may use of its machine, by the files in which the kernel says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from trainer.machine.capacity import capacity

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
TOTAL_MIB = psutil.virtual_memory().total / 2**20


def told(tmp_path: Path, own: str, kind: str, options: str, files: dict[str, str]) -> Path:
    """Return a folder like /proc/self, of a process in the control group `own` of a hierarchy in `tmp_path`."""
    mount = tmp_path / "mount"
    for name, text in files.items():
        (mount / name).parent.mkdir(parents=True, exist_ok=True)
        (mount / name).write_text(text + "\n")
    (tmp_path / "mounts").write_text(f"proc /proc proc rw 0 0\ncgroup {mount} {kind} {options} 0 0\n")
    (tmp_path / "cgroup").write_text(own + "\n")
    return tmp_path


@pytest.mark.parametrize(
    ("own", "kind", "options", "files", "cores", "memory_mib"),
    [
        ("0::/", "cgroup2", "rw", {"cpu.max": "100000 100000", "memory.max": "1073741824"}, 1, 1024),
        ("0::/a/b", "cgroup2", "rw", {"a/memory.max": "1048576", "a/b/memory.max": "max"}, CORES, 1),
        ("0::/a", "cgroup2", "rw", {"a/cpu.max": "max 100000", "a/memory.max": "max"}, CORES, TOTAL_MIB),
        ("0::/a", "cgroup2", "rw", {"a/cpu.max": "50000 100000"}, 1, TOTAL_MIB),
        ("4:memory:/x", "cgroup", "rw,memory", {"x/memory.limit_in_bytes": "2097152"}, CORES, 2),
        ("4:memory:/", "cgroup", "rw,memory", {"memory.limit_in_bytes": "9223372036854771712"}, CORES, TOTAL_MIB),
        # In a container the kernel tells the host's path.
        ("4:memory:/docker/1f", "cgroup", "rw,memory", {"memory.limit_in_bytes": "2097152"}, CORES, 2),
        (
            "3:cpu,cpuacct:/",
            "cgroup",
            "rw,cpu,cpuacct",
            {"cpu.cfs_quota_us": "100000", "cpu.cfs_period_us": "100000"},
            1,
            TOTAL_MIB,
        ),
        ("3:cpu:/", "cgroup", "rw,cpu", {"cpu.cfs_quota_us": "-1", "cpu.cfs_period_us": "100000"}, CORES, TOTAL_MIB),
        ("3:cpu:/", "cgroup", "rw,memory", {"memory.limit_in_bytes": "1"}, CORES, TOTAL_MIB),  # not its hierarchy
    ],
)
def test_the_tightest_limit_counts(
    tmp_path: Path, own: str, kind: str, options: str, files: dict[str, str], cores: int, memory_mib: float
) -> None:
    found = capacity(told(tmp_path, own, kind, options, files))
    assert found.cores == min(cores, CORES)
    assert found.memory_mib == pytest.approx(min(memory_mib, TOTAL_MIB))


def test_without_control_groups_it_is_the_machine(tmp_path: Path) -> None:
    assert capacity(tmp_path).cores == CORES
    assert capacity(tmp_path).memory_mib == pytest.approx(TOTAL_MIB)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity on this system")
def test_a_process_that_is_bound_to_one_core_has_one() -> None:
    code = (
        "import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]);"
        "from trainer.machine.capacity import capacity; print(capacity().cores)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"

"""Control groups (cgroup v2): what a tree of processes has used, living or ended, and its end all at once.

Neither needs a controller: every group counts its CPU time, lists its members and can be killed. So a group below the
caller's own is enough. Where the file system is not mounted or not writable, as in many containers, there are none;
`systemd-run --user --scope` starts a command where there are.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from trainer.machine.processes import start_ticks

_PREFIX = "evo-"
_POLL_SECONDS = 0.001


class ControlGroup:
    """One group, made by `ControlGroups`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def join(self) -> None:
        """Move the calling process into it; what it starts is born there. Runs between fork and exec."""
        descriptor = os.open(self.folder / "cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        os.write(descriptor, b"0")
        os.close(descriptor)

    def cpu_seconds(self) -> float:
        """CPU seconds of every process that ever was in it."""
        return cpu_seconds_of(self.folder)

    def kill(self) -> None:
        """Kill every process in it, also those that are being forked."""
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "cgroup.kill").write_text("1", encoding="ascii")

    def is_empty(self) -> bool:
        """Return whether no process in it lives."""
        with contextlib.suppress(FileNotFoundError):
            return "populated 0" in (self.folder / "cgroup.events").read_text(encoding="ascii")
        return True

    def remove(self, deadline: float) -> bool:
        """Remove it with the groups below it; return False if a process in it lives after the deadline."""
        while not self.is_empty():
            if time.monotonic() >= deadline:
                return False
            self.kill()
            time.sleep(_POLL_SECONDS)
        for folder, _, _ in os.walk(self.folder, topdown=False):
            with contextlib.suppress(FileNotFoundError):
                os.rmdir(folder)  # noqa: PTH106 - of os.walk
        return True


class ControlGroups:
    """The groups of this process, below its own; `new` returns None where it cannot make any."""

    def __init__(self) -> None:
        self._parent = _own_group()
        self._count = 0
        self._mark = f"{_PREFIX}{os.getpid()}-{start_ticks(os.getpid())}-"
        if self._parent is not None:
            sweep_groups()
            self._parent = self._parent if self._works() else None

    @property
    def are_there(self) -> bool:
        """Whether this process can make any."""
        return self._parent is not None

    def new(self) -> ControlGroup | None:
        """Return a new empty group."""
        if self._parent is None:
            return None
        self._count += 1
        folder = self._parent / f"{self._mark}{self._count}"
        folder.mkdir()
        return ControlGroup(folder)

    def _works(self) -> bool:
        """Return whether a group can be made and joined."""
        try:
            group = self.new()
            if group is None:
                return False
            try:
                path = {"PATH": os.defpath}
                subprocess.run(["true"], check=True, env=path, preexec_fn=group.join)  # noqa: S607 - of the system
                return group.cpu_seconds() > 0 and (group.folder / "cgroup.kill").exists()
            finally:
                group.remove(time.monotonic() + 1)
        except (OSError, subprocess.SubprocessError, LookupError):
            return False


def cpu_seconds_of(folder: Path) -> float:
    """Return the CPU seconds of every process that ever was in a group."""
    name, microseconds = (folder / "cpu.stat").read_bytes().split(maxsplit=2)[:2]
    if name != b"usage_usec":
        raise LookupError(f"{folder}/cpu.stat does not begin with usage_usec")
    return int(microseconds) / 1e6


def hierarchies(processes: Path = Path("/proc/self")) -> Iterator[tuple[str, Path, str]]:
    """Yield the control groups of a process: `cgroup2` or `cgroup` (version 1), where each is mounted, its path there.

    Args:
        processes: folder of the kernel that tells the process's control groups and mounts.
    """
    with contextlib.suppress(OSError):
        mounts = [line.split() for line in (processes / "mounts").read_text(encoding="utf-8").splitlines()]
        for line in (processes / "cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            for _, mount, kind, options, *_ in mounts:
                if (kind == "cgroup2" and not controllers) or (
                    kind == "cgroup" and controllers and {*controllers.split(",")} <= {*options.split(",")}
                ):
                    yield kind, Path(mount), path.lstrip("/")


def _own_group() -> Path | None:
    """Return the folder of the group that this process is in; None where there is no such file system."""
    mount, own = next(((mount, own) for kind, mount, own in hierarchies() if kind == "cgroup2"), (None, ""))
    if mount is None or ".." in own:
        return None
    return mount / own if (mount / own).is_dir() else None


def sweep_groups() -> None:
    """End and remove the groups, below this process's own, of supervisors that have ended."""
    parent = _own_group()
    for folder in () if parent is None else parent.glob(f"{_PREFIX}*-*-*"):
        pid, _, started = folder.name.removeprefix(_PREFIX).rpartition("-")[0].partition("-")
        if pid.isdecimal() and start_ticks(int(pid)) != int(started or 0):
            with contextlib.suppress(OSError):
                ControlGroup(folder).remove(time.monotonic() + 1)

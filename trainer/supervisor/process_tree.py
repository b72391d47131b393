"""One untrusted process tree in its sandbox: its output, its scratch folder, what it uses, and its end."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from pathlib import Path

from trainer.machine.control_group import ControlGroups, cpu_seconds_of
from trainer.machine.cpu_meter import CpuMeter
from trainer.machine.devices import GpuMemory
from trainer.machine.disk import FileId, mapped_files, unmapped_mib, used_mib
from trainer.machine.output import Output, Stream
from trainer.machine.processes import (
    Family,
    children,
    has_ended,
    keepers,
    kill_tree,
    members,
    peak_resident_mib,
    reap,
    trees,
    usage,
)
from trainer.machine.scratch import Scratch, remove, sweep
from trainer.sandbox import CONFINED, Access, Command, Level, choose_sandbox
from trainer.settings import DeviceSettings

_FEW_SAMPLES = 3
"""With fewer, a process may have ended before it was seen at its largest."""
_KILL_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.005


class Workplace:
    """What the process trees of one supervisor share.

    Attributes:
        sandbox: what confines them, with the `access` that was granted beside what every candidate has.
        family: the processes that this one started.
        gpu: reads the memory of their GPU; None on other devices.
        groups: gives each tree a control group, where there are any.
    """

    def __init__(self, settings: DeviceSettings, access: Access = CONFINED) -> None:
        self.sandbox = choose_sandbox(settings.sandbox, settings.limits, settings.device, access)
        self.family = Family()
        self.family.end_orphans()  # what trying the sandbox has left
        self.groups = ControlGroups()
        self.gpu = GpuMemory(settings.device_id) if settings.device == "cuda" else None
        sweep(settings.scratch)
        self.scratch = Scratch(settings.scratch)

    def close(self) -> None:
        """End every orphan and remove the scratch folder."""
        self.family.end_orphans()
        self.scratch.close()


class ProcessTree:
    """Everything that one launched command has become, until `close`.

    Its descendants count as its own also after they became orphans: only one tree at a time runs candidate code.

    Args:
        command: whose working folder `close` removes.
        listener: called with everything that it prints, and where.

    Attributes:
        peak_resident_mib: the highest resident memory seen so far.
        peak_gpu_mib: the highest memory of its GPU seen so far; 0 on other devices.
        threads: of all its processes, when its memory was sampled last.
        has_ended: whether `kill` has ended every process of it.

    Raises:
        OSError: it cannot be launched; the folder is gone then.
    """

    def __init__(
        self,
        workplace: Workplace,
        command: Command,
        listener: Callable[[bytes, Stream], None] | None = None,
    ) -> None:
        self._sandbox, self._family, self._gpu = workplace.sandbox, workplace.family, workplace.gpu
        self._gpu_baseline_mib = 0.0
        self._keepers: list[int] = []
        self._group = workplace.groups.new()
        self._meter = CpuMeter()
        self.scratch = command.scratch
        self._disk = command.scratch.stat().st_dev
        self._programs = frozenset[FileId]()
        self.peak_resident_mib = 0.0
        self._samples = 0
        self.peak_gpu_mib = 0.0
        self.threads = 0
        self._most: int | None = None  # what grows beyond it is ended for its number, and need not be measured
        self.has_ended = False
        self._cpu_seconds = 0.0
        try:
            self._process = self._sandbox.launch(command, self._group)
        except OSError:
            self._remove_group()
            remove(command.scratch)
            raise
        self._family.add(self._process.pid)
        self._main = self._process.pid
        assert self._process.stdout is not None  # noqa: S101 - launched with pipes
        assert self._process.stderr is not None  # noqa: S101 - likewise
        self.output = Output(self._process.stdout.fileno(), self._process.stderr.fileno(), listener)

    @property
    def pid(self) -> int:
        """Process id of the tree's root; it is not given to another process before `kill`."""
        return self._process.pid

    def begin(self) -> None:
        """Count what is measured from now; called while every process of the tree is known to be what it seems."""
        self.find_main()
        self._programs = mapped_files(self._main)
        if self._gpu is not None:
            self._gpu_baseline_mib = self._gpu.device_mib()

    def find_main(self) -> None:
        """Find the command's own process below those of the sandbox, unless it is known."""
        if self._main == self.pid:
            self._keepers = keepers(self.pid, self._sandbox.keeper)
            # While the sandbox starts, the process below may be one of its own.
            below = (pid for pid in self._below_keepers() if not keepers(pid, self._sandbox.keeper))
            self._main = next(below, self.pid)  # a fork bomb may have made thousands

    def orphans(self) -> list[int]:
        """Return its descendants whose parents have ended; dead ones too, unless the sandbox has an init of its own."""
        return [*self._family.orphans(), *(pid for pid in self._below_keepers() if pid != self._main)]

    @property
    def group(self) -> Path | None:
        """Folder of the control group that counts it; None where there is none that it could not leave."""
        if self._group is None or self._sandbox.level is Level.PROCESS_GROUP:
            return None
        return self._group.folder

    def cpu_seconds(self) -> float:
        """CPU seconds of the whole tree so far, also of what has ended; never falls."""
        if self.group is None:
            self._cpu_seconds = self._meter.seconds([self.pid, *self._family.orphans()])
        elif not self.has_ended:
            self._cpu_seconds = cpu_seconds_of(self.group)
        return self._cpu_seconds

    def processes(self, most: int) -> int:
        """How many processes the whole tree has; where it is more than `most`, some of the others are not counted."""
        kept = len(self._keepers)
        self._most = most + kept
        return len(trees([self.pid, *self._family.orphans()], self._most)) - kept

    def disk_mib(self) -> float:
        """Room that its files take, MiB; infinite where it cannot be measured."""
        return used_mib(self.scratch, members([self.pid, *self._family.orphans()], self._most), self._programs)

    def sample_memory(self) -> float:
        """Return the memory of the whole tree now, mapped or held open, MiB; the peaks are remembered.

        Infinite where its files in memory cannot be counted.
        """
        roots = [self.pid, *self._family.orphans()]
        pids = members(roots, self._most)
        used = usage(pids)
        self.threads = used.threads
        held_mib = unmapped_mib(self._disk, pids, self._memory_folders(), self._programs)
        if math.isinf(held_mib):
            return held_mib
        resident_mib = used.resident_mib + used.tables_mib + held_mib
        self._samples += 1
        self.peak_resident_mib = max(self.peak_resident_mib, resident_mib, peak_resident_mib(self._main))
        if self._gpu is not None:
            self.peak_gpu_mib = max(self.peak_gpu_mib, self._gpu.used_mib(trees(roots), self._gpu_baseline_mib))
        return resident_mib

    @property
    def peak_memory_mib(self) -> float:
        """The highest memory seen so far where the model lives: on the GPU, else resident."""
        return self.peak_resident_mib if self._gpu is None else self.peak_gpu_mib

    def ends_within(self, seconds: float) -> bool:
        """Return whether the root process has ended, waiting for one that has already closed its line."""
        deadline = time.monotonic() + seconds
        while not has_ended(self.pid):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def kill(self) -> int | None:
        """End the tree and its orphans; return the exit code (negative: a signal), None if it cannot be ended."""
        if self._process.returncode is None:
            deadline = time.monotonic() + _KILL_PATIENCE_SECONDS
            if self._group is not None:
                self._group.kill()
            kill_tree(self.pid)
            code, peak_mib, touched_mib = reap(self.pid, deadline)
            if code is not None:
                self._process.returncode = code
                self._family.discard(self.pid)
                # Below that it may be this process's own memory, of which the child was a copy before it executed.
                if peak_mib > peak_resident_mib(os.getpid()):
                    self.peak_resident_mib = max(self.peak_resident_mib, peak_mib)
                elif self._samples < _FEW_SAMPLES:
                    self.peak_resident_mib = max(self.peak_resident_mib, min(peak_mib, touched_mib))
            # A sandbox's own init may outlive it, becomes our child, and its usage includes the command's.
            self.peak_resident_mib = max(self.peak_resident_mib, self._family.end_orphans())
            if self._group is not None and self._group.is_empty():
                self.cpu_seconds()  # to the last
            self.has_ended = self._remove_group() and code is not None and not self._family.orphans()
            self.output.read()
        code = self._process.returncode
        return None if code is None else self._sandbox.exit_code(code)

    def _remove_group(self) -> bool:
        """Remove the control group; return False when a process in it cannot be ended."""
        return self._group is None or self._group.remove(time.monotonic() + _KILL_PATIENCE_SECONDS)

    def _memory_folders(self) -> list[Path]:
        """Return the folders of its sandbox that are memory, as this process reaches them."""
        if self._main == self.pid:  # it is not known yet
            return []
        return [Path(f"/proc/{self._main}/root{folder}") for folder in self._sandbox.memory_folders]

    def _below_keepers(self) -> list[int]:
        """Return the children of the sandbox's innermost process: the root of the genome's tree, and orphans."""
        return children(self._keepers[-1]) if self._keepers else []

    def close(self) -> None:
        """End the tree and remove its scratch folder."""
        self.kill()
        for pipe in filter(None, (self._process.stdout, self._process.stderr)):
            pipe.close()
        remove(self.scratch)

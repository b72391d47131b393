"""How candidate processes are confined. Levels are chosen by name and recorded with every evaluation.

`process-group` is the floor that works everywhere: an own session, a short environment, an own scratch folder, resource
limits, death with the supervisor. It ends runaways; it does not hide files or the network.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from trainer.processes import die_with_parent
from trainer.settings import Limits

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CUDA_HOME", "CUDA_PATH")
_OPEN_FILES_LIMIT = 4096

# By default glibc gives the memory of every larger tensor back to the kernel and gets zeroed pages for the next one.
# Kept instead, generation 0 takes half as many steps again in the same CPU seconds.
_KEEP_FREED_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
    "MALLOC_TOP_PAD_": str(64 * 2**20),
}


class Sandbox(Protocol):
    """Starts a command inside some isolation."""

    level: str

    def launch(
        self, command: Sequence[str], scratch: Path, descriptors: Sequence[int], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `command` in `scratch`, with `descriptors` inherited and stdout and stderr joined in one pipe."""
        ...


class ProcessGroupSandbox:
    """The floor: a new session with limits, killed as a tree."""

    level = "process-group"

    def __init__(self, limits: Limits) -> None:
        self._disk_bytes = int(limits.disk_mib * 2**20)

    def launch(
        self, command: Sequence[str], scratch: Path, descriptors: Sequence[int], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a session of its own."""
        return subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(command),
            cwd=scratch,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(descriptors),
            start_new_session=True,
            preexec_fn=self._confine,  # the supervisor has a single thread
        )

    def _confine(self) -> None:
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = _OPEN_FILES_LIMIT if most_files == resource.RLIM_INFINITY else min(_OPEN_FILES_LIMIT, most_files)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._disk_bytes, self._disk_bytes))


def choose_sandbox(limits: Limits) -> Sandbox:
    """Return the strongest sandbox that works on this machine."""
    return ProcessGroupSandbox(limits)


def python_command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of this package without the working directory on its path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def trusted_environment(threads: int) -> dict[str, str]:
    """Return the environment of the supervisor and the scorer: what Python and the device need, and no secret."""
    allowed = (*_PASSED_ON, "HOME", "TMPDIR", "USER", "CUDA_VISIBLE_DEVICES")
    environment = {name: os.environ[name] for name in allowed if name in os.environ}
    return environment | _thread_limits(threads)


def candidate_environment(scratch: Path, device_id: str, threads: int) -> dict[str, str]:
    """Return the environment of a candidate: its own scratch folder as home and temporary folder."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return (
        environment
        | _thread_limits(threads)
        | _KEEP_FREED_MEMORY
        | {
            "HOME": str(scratch),
            "TMPDIR": str(scratch),
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONUNBUFFERED": "1",
            "CUDA_VISIBLE_DEVICES": device_id,
        }
    )


def _thread_limits(threads: int) -> dict[str, str]:
    return dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))

"""The levels of isolation, strongest first, and what every implementation of one offers."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from trainer.machine.control_group import ControlGroup
from trainer.machine.processes import die_with_parent
from trainer.settings import Limits

_OPEN_FILES_LIMIT = 4096
_PR_SET_NO_NEW_PRIVS = 38
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_JOIN_SESSION_KEYRING = 1


class Level(StrEnum):
    """How strongly candidates are confined; stored with every evaluation."""

    BUBBLEWRAP = "bubblewrap"
    """Own user, pid, mount, network, ipc and uts namespaces: nothing else is there to be seen."""
    LANDLOCK = "landlock"
    """The kernel refuses files, sockets and other processes; a daemon can outlive a killed supervisor."""
    PROCESS_GROUP = "process-group"
    """Limits and a short environment only: files and the network are open."""


class Unavailable(Exception):  # noqa: N818 - no error, but a property of this machine
    """A level is not available here; the message says why."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a command may do beside what every candidate may.

    Attributes:
        visible: files and folders that it may read.
        writable: files and folders that it may also change.
        network: whether it may reach hosts, by TCP and UDP; sockets of the machine's own programs stay closed.
        observable_state: whether it may use state of the kernel that another evaluation could observe: locks and waits
            at files, asynchronous reads (`trainer.sandbox.seccomp`), timers and pending signals.
    """

    visible: Sequence[Path] = ()
    writable: Sequence[Path] = ()
    network: bool = False
    observable_state: bool = False


CONFINED = Access()
"""What candidates have: nothing more."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is started in a sandbox.

    Attributes:
        words: the program and its arguments.
        scratch: the folder that it works in, and may write to.
        environment: all of its variables.
        descriptors: that it inherits.
        frozen: files and folders that it may read, by their names in its working folder.
    """

    words: Sequence[str]
    scratch: Path
    environment: Mapping[str, str]
    descriptors: Sequence[int] = ()
    frozen: Mapping[str, Path] = field(default_factory=dict)


class Sandbox(Protocol):
    """Starts a command inside some isolation.

    Attributes:
        level: how strong it is.
        keeper: name of the sandbox's own processes, from the one that `launch` returns down to the command; or empty.
        memory_folders: writable file systems inside that are memory.
    """

    level: Level
    keeper: str
    memory_folders: Sequence[str]

    def home(self, scratch: Path) -> Path:
        """Return the path at which the command finds its scratch folder."""

    def launch(self, command: Command, group: ControlGroup | None = None) -> subprocess.Popen[bytes]:
        """Start a command with a pipe each for its outputs; it and all that it starts are in `group`, if given."""

    def exit_code(self, returncode: int) -> int:
        """Return the command's exit code, negative for a signal, from that of the process that `launch` returned."""

    def read_only_path(self, path: Path) -> Path:
        """Return a path of this process to a file whose descriptor may be given to a candidate for reading only."""


def start(command: Command, group: ControlGroup | None, confine: Callable[[], None]) -> subprocess.Popen[bytes]:
    """Start a command in a session and a group of its own; `confine` runs between fork and exec.

    Raises:
        OSError: it cannot be started, or not be confined.
    """
    parent = os.getpid()

    def prepare() -> None:
        if group is not None:
            group.join()
        confine()
        if os.getppid() != parent:  # which ended before this process asked to die with it
            os._exit(1)

    try:
        return subprocess.Popen(  # noqa: S603 - an argument list, no shell
            list(command.words),
            cwd=command.scratch,
            env=dict(command.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=tuple(command.descriptors),
            start_new_session=True,
            preexec_fn=prepare,  # the supervisor has a single thread
        )
    except subprocess.SubprocessError as error:  # of `prepare`, of which only that is told
        raise OSError(f"the process could not be confined ({error})") from error


def limit_resources(limits: Limits, access: Access) -> None:
    """Limit the calling process and what it starts, and let it die with its parent; runs between fork and exec."""
    die_with_parent()
    _leave_keyring()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and not access.observable_state:
        # They and timers take of a number that all processes of a user share, and may read.
        resource.setrlimit(resource.RLIMIT_SIGPENDING, (0, 0))
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Fewer than its parent may have: see `trainer.machine.processes.allow_descriptors`.
    files = _OPEN_FILES_LIMIT if most_files == resource.RLIM_INFINITY else min(_OPEN_FILES_LIMIT, most_files * 3 // 4)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    disk_bytes = int(limits.disk_mib * 2**20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk_bytes, disk_bytes))


def refuse_new_privileges() -> None:
    """Keep the calling process and what it starts from ever gaining a right (Linux)."""
    call("prctl", _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _leave_keyring() -> None:
    """Give the calling process a keyring of its own, not that of the session in which the run was started (Linux)."""
    if (number := _KEYCTL.get(platform.machine())) is not None and os.uname().sysname == "Linux":
        try:
            system_call(number, _JOIN_SESSION_KEYRING, None)
        except OSError:
            return  # a kernel without keyrings, or a container that forbids them


def system_call(number: int, *arguments: int | bytes | None) -> int:
    """Make a system call that the C library has no function for; raise OSError when it fails."""
    return call("syscall", number, *arguments)


def call(name: str, *arguments: int | bytes | None) -> int:
    """Call a function of the C library; raise OSError when it fails."""
    library = ctypes.CDLL(None, use_errno=True)
    # Wide enough for every register: plain integers would be passed as 32 bits.
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = int(getattr(library, name)(*wide))
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result

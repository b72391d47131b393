"""The levels of isolation, strongest first, and what every implementation of one offers."""

from __future__ import annotations

import resource
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from trainer.machine.processes import die_with_parent
from trainer.settings import Limits

_OPEN_FILES_LIMIT = 4096
_COPIED_BYTES = 16 * 2**20


class Level(StrEnum):
    """How strongly candidates are confined; stored with every evaluation."""

    BUBBLEWRAP = "bubblewrap"
    """Own user, pid, mount, network, ipc and uts namespaces: nothing else is there to be seen."""
    LANDLOCK = "landlock"
    """The kernel refuses files, sockets and other processes; a daemon can outlive a killed supervisor."""
    PROCESS_GROUP = "process-group"
    """Limits and a short environment only: files and the network are open."""


class Unavailable(Exception):  # noqa: N818 - what is the case on this machine
    """A level cannot be had here; the message says why."""


class Sandbox(Protocol):
    """Starts a command inside some isolation.

    Attributes:
        level: how strong it is.
        keeper: name of the sandbox's own processes, from the one that `launch` returns down to the command; or empty.
    """

    level: Level
    keeper: str

    def home(self, scratch: Path) -> Path:
        """Return the path at which the command finds its scratch folder."""
        ...

    def launch(
        self,
        command: Sequence[str],
        scratch: Path,
        descriptors: Sequence[int],
        environment: Mapping[str, str],
        frozen: Mapping[str, Path] = MappingProxyType({}),
    ) -> subprocess.Popen[bytes]:
        """Start `command` in `scratch`, with `descriptors` inherited and stdout and stderr joined in one pipe.

        Args:
            command: an argument list.
            scratch: its working folder, which it may write to.
            descriptors: inherited.
            environment: all of its variables.
            frozen: files and folders that it may read, by their names in its working folder.
        """
        ...

    def exit_code(self, returncode: int) -> int:
        """Return the command's exit code, negative for a signal, from that of the process that `launch` returned."""
        ...

    def read_only_path(self, path: Path) -> Path:
        """Return a path of this process to a file whose descriptor may be given to a candidate for reading only."""
        ...


class InPlace:
    """What levels without a mount namespace share: a command sees paths as they are, and is itself what was started."""

    keeper = ""

    def home(self, scratch: Path) -> Path:
        """Return the folder itself."""
        return scratch

    def exit_code(self, returncode: int) -> int:
        """Return it as it is."""
        return returncode

    def read_only_path(self, path: Path) -> Path:
        """Return it as it is."""
        return path


def lay_out(scratch: Path, frozen: Mapping[str, Path]) -> None:
    """Make what is frozen found under its names in a scratch folder, where no mount can put it there.

    Files are copied up to a size that costs no time: Python imports from where a script really stands, so that a linked
    one would not find what lies beside its link. Folders and large files are linked.
    """
    for name, path in frozen.items():
        place = scratch / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size <= _COPIED_BYTES:
            shutil.copy(path, place)  # a program stays one
        else:
            place.symlink_to(path)


def start(
    command: Sequence[str],
    scratch: Path,
    descriptors: Sequence[int],
    environment: Mapping[str, str],
    confine: Callable[[], None],
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own; `confine` runs between fork and exec."""
    return subprocess.Popen(  # noqa: S603 - an argument list, no shell
        list(command),
        cwd=scratch,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=tuple(descriptors),
        start_new_session=True,
        preexec_fn=confine,  # the supervisor has a single thread
    )


def limit_resources(limits: Limits) -> None:
    """Limit the calling process and what it starts, and let it die with its parent; runs between fork and exec."""
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _OPEN_FILES_LIMIT if most_files == resource.RLIM_INFINITY else min(_OPEN_FILES_LIMIT, most_files)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    disk_bytes = int(limits.disk_mib * 2**20)
    resource.setrlimit(resource.RLIMIT_FSIZE, (disk_bytes, disk_bytes))

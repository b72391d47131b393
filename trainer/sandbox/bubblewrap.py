"""The strongest level: bubblewrap's namespaces, in which nothing but what a candidate may have exists.

The command runs under an init of its own pid namespace, which takes every process in it along when it dies, however
often they have forked; and it dies with the supervisor.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from trainer.machine.control_group import ControlGroup
from trainer.sandbox.levels import CONFINED, Access, Command, Level, Unavailable, limit_resources, start
from trainer.sandbox.seccomp import build_filter, compiled
from trainer.sandbox.view import (
    CANDIDATE,
    SYSTEM_FOLDERS,
    device_nodes,
    hidden_within,
    name_files,
    network_files,
    readable_paths,
)
from trainer.settings import Limits

_SCRATCH = Path("/scratch")
_FILE = Path("/file")
_SHARED_MEMORY, _TEMPORARY = "/dev/shm", "/tmp"  # noqa: S108 - inside the namespace
_HAND_OUT = f"""
import os, socket, sys
line = socket.socket(fileno=int(sys.argv[1]))
socket.send_fds(line, [b"x"], [os.open({str(_FILE)!r}, os.O_RDONLY)])
"""
_TEMPORARY_MIB = 64  # candidates are told to use their scratch folder; some programs insist on /tmp
_SHARED_MEMORY_SHARE = 0.25


class BubblewrapSandbox:
    """Own user, pid, mount, network, ipc, uts and cgroup namespaces (`trainer.sandbox.levels.Sandbox`).

    Raises:
        Unavailable: bubblewrap is not installed, or seccomp cannot be used.
    """

    level = Level.BUBBLEWRAP
    keeper = "bwrap"
    memory_folders: Sequence[str] = (_SHARED_MEMORY, _TEMPORARY)

    def __init__(self, limits: Limits, device: str, access: Access = CONFINED) -> None:
        program = shutil.which("bwrap")
        if program is None:
            raise Unavailable("bubblewrap is not installed (no `bwrap` on the PATH)")
        self._limits = limits
        self._filter = compiled(build_filter(self.level, access))
        self._access = access
        network = ["--share-net"] if access.network else []
        self._prelude = [program, *_namespaces(), *network, *_files(), *self._file_systems(device)]

    def home(self, scratch: Path) -> Path:  # noqa: ARG002 - the same for every candidate
        """Return the path of every scratch folder inside."""
        return _SCRATCH

    def exit_code(self, returncode: int) -> int:
        """Return the code of the command, whose signals bubblewrap reports as shells do."""
        return 128 - returncode if 128 < returncode <= 128 + signal.SIGRTMAX else returncode

    def launch(self, command: Command, group: ControlGroup | None = None) -> subprocess.Popen[bytes]:
        """Start a command in namespaces of its own; the returned process is bubblewrap's, two levels above it."""
        variables = "".join(f"--setenv\0{name}\0{value}\0" for name, value in command.environment.items())
        mounts = ["--bind", str(command.scratch), str(_SCRATCH)]
        for name, path in command.frozen.items():
            mounts += ["--ro-bind", str(path), os.path.normpath(_SCRATCH / name)]
        mounts += ["--remount-ro", "/", "--chdir", str(_SCRATCH)]
        outside = {"PATH": os.defpath, "HOME": str(command.scratch)}  # by which `scratch.sweep` finds it
        with contextlib.ExitStack() as files:
            filter_file = files.enter_context(self._filter_file()).fileno()
            names: list[str] = []
            # Through a pipe: every user of the machine may read the arguments of a process.
            texts = [_pipe_with(variables, files)]
            for path, text in name_files(_SCRATCH, network=self._access.network).items():
                texts.append(_pipe_with(text, files))
                names += ["--perms", "0444", "--file", str(texts[-1]), str(path)]
            seccomp, variables_file = ("--seccomp", str(filter_file)), ("--args", str(texts[0]))
            whole = Command(
                [*self._prelude, *seccomp, *names, *mounts, *variables_file, "--", *command.words],
                command.scratch,
                outside,
                (*command.descriptors, filter_file, *texts),  # bubblewrap closes these before the command starts
            )
            return start(whole, group, lambda: limit_resources(self._limits, self._access))

    def read_only_path(self, path: Path) -> Path:
        """Return a path to a file through which not even its owner can write to it.

        A candidate with a descriptor could open the file behind it again, for writing. The mount decides about that,
        so the file is opened in a namespace where it is read-only. It stays open for as long as this process lives.

        Raises:
            OSError: it cannot be opened.
        """
        here, there = socket.socketpair()
        command = [self._prelude[0], *_namespaces(), *_files(), "--proc", "/proc", "--dev", "/dev"]
        for folder in readable_paths("cpu"):
            command += ["--ro-bind", str(folder), str(folder)]
        command += ["--ro-bind", str(path), str(_FILE), "--", sys.executable, "-I", "-S", "-c", _HAND_OUT]
        with here, there:
            opened = subprocess.run(  # noqa: S603 - an argument list, no shell
                [*command, str(there.fileno())], check=False, pass_fds=(there.fileno(),), stdin=subprocess.DEVNULL
            )
            if opened.returncode != 0:
                raise OSError(f"{path} could not be opened for candidates (code {opened.returncode})")
            _, (descriptor,), _, _ = socket.recv_fds(here, 1, 1)
        return Path(f"/proc/self/fd/{descriptor}")

    def _filter_file(self) -> IO[bytes]:
        """Return an open file with the filter, which bubblewrap reads, and loads before it starts the command."""
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
        file.write(self._filter)
        file.seek(0)
        return file

    def _file_systems(self, device: str) -> Iterator[str]:
        shared_bytes = int(self._limits.memory_mib * _SHARED_MEMORY_SHARE * 2**20)
        yield from ("--proc", "/proc")
        # For root these would be open to writing: they belong to the machine, not to a namespace.
        yield from ("--ro-bind", "/proc/sys", "/proc/sys")
        yield from ("--dev", "/dev")
        for node in device_nodes(device):
            yield from ("--dev-bind", str(node), str(node))
        yield from ("--size", str(shared_bytes), "--tmpfs", _SHARED_MEMORY)
        yield from ("--remount-ro", "/dev")
        # First the folder, then what stands in it.
        yield from ("--size", str(_TEMPORARY_MIB * 2**20), "--tmpfs", _TEMPORARY)
        network = network_files() if self._access.network else ()
        readable = readable_paths(device, (*self._access.visible, *network))
        for path in readable:
            yield from ("--ro-bind", str(path), str(path))
        for path in self._access.writable:
            yield from ("--bind", str(path), str(path))
        for folder in hidden_within([*SYSTEM_FOLDERS, *readable]):
            yield from ("--tmpfs", str(folder), "--remount-ro", str(folder))


def _pipe_with(text: str, pipes: contextlib.ExitStack) -> int:
    """Return the reading end of a pipe that holds a short text and ends after it, open for as long as `pipes`."""
    reading, writing = os.pipe()
    pipes.callback(os.close, reading)
    with os.fdopen(writing, "w", encoding="utf-8") as pipe:
        pipe.write(text)
    return reading


def _namespaces() -> Iterator[str]:
    yield from ("--unshare-user", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
    yield from ("--clearenv", "--hostname", CANDIDATE)


def _files() -> Iterator[str]:
    for folder in SYSTEM_FOLDERS:
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        elif folder.is_dir():
            yield from ("--ro-bind", str(folder), str(folder))

"""The middle level: Landlock for files and outsiders, seccomp for everything that goes around it, no capabilities.

Landlock's three system calls are called by number, which is the same on every architecture: see landlock(7). What a
process under it may not open, it may not trace either, so that the environment and the memory of processes outside are
out of reach. It needs neither root nor namespaces, and so works in containers where bubblewrap does not.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

from trainer.sandbox.floor import ProcessGroupSandbox
from trainer.sandbox.levels import (
    CONFINED,
    Access,
    Command,
    Level,
    Unavailable,
    call,
    limit_resources,
    refuse_new_privileges,
    system_call,
)
from trainer.sandbox.seccomp import build_filter
from trainer.sandbox.view import NAME_FILES, SYSTEM_FOLDERS, carved, device_nodes, network_files, readable_paths
from trainer.settings import Limits

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG = 1
_PATH_BENEATH = 1
_OLDEST_VERSION = 3  # the first that guards truncation

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _DEVICE_CONTROL = 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE_CONTROL
_READ = _EXECUTE | _READ_FILE | _READ_FOLDER
_READ_AND_WRITE = _READ_FILE | _WRITE_FILE | _TRUNCATE | _DEVICE_CONTROL
_EVERYTHING = (1 << 16) - 1
_LAST_RIGHT_OF_VERSION = {3: 1 << 14, 4: 1 << 14}
_TCP = 0b11  # bind and connect, since version 4
_OUTSIDERS = 0b11  # abstract Unix sockets and signals, since version 6

_PR_CAPBSET_DROP, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 47, 4

_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_KERNEL_FILES = tuple(
    f"/proc/{name}"
    for name in ("cpuinfo", "meminfo", "stat", "filesystems", "version", "loadavg", "devices", "driver", "sys", "self")
)


class LandlockSandbox(ProcessGroupSandbox):
    """Refused access instead of namespaces (`trainer.sandbox.levels.Sandbox`).

    A file is handed over as it is: no candidate can open a path outside again.

    Raises:
        Unavailable: the kernel or libseccomp is missing or too old.
    """

    level = Level.LANDLOCK

    def __init__(self, limits: Limits, device: str, access: Access = CONFINED) -> None:
        super().__init__(limits, access)
        self._version = _landlock_version()
        self._filter = build_filter(self.level, access)
        network = network_files() if access.network else ()
        readable = readable_paths(device, (*access.visible, *NAME_FILES, *network))
        self._readable, self._listed = carved([*SYSTEM_FOLDERS, *readable, *_code_folders(readable)])
        self._devices = [*map(Path, _DEVICES), *device_nodes(device)]

    def _confine(self, command: Command) -> None:
        limit_resources(self._limits, self._access)
        drop_capabilities()
        refuse_new_privileges()
        self._restrict_files(command)
        self._filter.load()

    def _restrict_files(self, command: Command) -> None:
        ruleset = self._ruleset()
        handled = _rights(self._version)
        _allow(ruleset, [*self._readable, *command.frozen.values()], _READ & handled)
        _allow(ruleset, self._listed, _READ_FOLDER)
        _allow(ruleset, map(Path, _KERNEL_FILES), _READ & handled)
        _allow(ruleset, self._devices, _READ_AND_WRITE & handled)
        _allow(ruleset, [command.scratch, *self._access.writable], handled)
        system_call(_RESTRICT_SELF, ruleset, 0)
        os.close(ruleset)

    def _ruleset(self) -> int:
        fields = [_rights(self._version)]
        if self._version >= 4:
            fields.append(0 if self._access.network else _TCP)
        if self._version >= 6:
            fields.append(_OUTSIDERS)
        attributes = struct.pack(f"={len(fields)}Q", *fields)
        return system_call(_CREATE_RULESET, attributes, len(attributes), 0)


def _rights(version: int) -> int:
    """Return every right over files that a version of Landlock knows."""
    last = _LAST_RIGHT_OF_VERSION.get(version, 1 << 15)
    return (last << 1) - 1


def _code_folders(paths: Iterable[Path]) -> list[Path]:
    """Return the folders whose modules are allowed one by one; Python has to list them to find any."""
    return sorted({path.parent for path in paths if path.suffix == ".py"})


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
                continue
            raise
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        rule = struct.pack("=Qi", rights if is_folder else rights & _OF_FILES, descriptor)
        system_call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
        os.close(descriptor)


def drop_capabilities() -> None:
    """Leave root nothing but its files; others have nothing to drop."""
    if os.geteuid() != 0:
        return
    call("prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    for number in range(int(Path("/proc/sys/kernel/cap_last_cap").read_text(encoding="ascii")) + 1):
        call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)


def _landlock_version() -> int:
    if sys.platform != "linux":
        raise Unavailable("Landlock is part of Linux")
    try:
        version = system_call(_CREATE_RULESET, None, 0, _VERSION_FLAG)
    except OSError as error:
        raise Unavailable(f"the kernel does not offer Landlock ({error.strerror})") from error
    if version < _OLDEST_VERSION:
        raise Unavailable(f"the kernel's Landlock is of version {version}, and {_OLDEST_VERSION} is needed (Linux 6.2)")
    return version

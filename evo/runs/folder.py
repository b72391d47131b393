"""A run's folder: its files, how it is made, and the lock that its one driver holds.

config.toml    the resolved configuration, for people; the store has it too, and it is written again from there
evo.db         the store, the authority on everything
lineage.git    the family tree as a git repository
logs/          what the driver and its workers printed
lessons.md     what the run has learnt, kept by its language model and open to edits
report.html    the report, once written
results.tsv    one line an evaluation, for other tools
*-*.json       what studies of the run measured after it (`evo.studies.measurement_cache`); no part of its record
tracking/      what trackers of experiments keep of the run (`evo run --track`); no part of its record
steering/      requests of users that the driver has not taken up yet
live/          the curves of what runs, of which no result depends (`trainer.supervisor.live`)
lock           held by the driver while it runs; names its process
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
import weakref
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from evo.errors import RunFolderError, RunLocked, UnfinishedStore
from evo.files import replace_file
from evo.store import Store

NETWORK_FILE_SYSTEMS = frozenset(
    {"afpfs", "afs", "ceph", "cifs", "davfs", "glusterfs", "lustre", "nfs", "nfs4", "smb2", "smb3", "smbfs", "webdav"}
    | {"fuse.ceph", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs"}
)
"""Types whose locks and synchronisation are not reliable."""

_LOCK_PATIENCE_SECONDS = 1.0
"""`RunFolder.driver` holds a shared lock for an instant, which must not make a starting driver give up."""

_LONGEST_NAME_BYTES = 4096

_held_locks: weakref.WeakSet[RunLock] = weakref.WeakSet()


class _Inside:
    """The path of a file or folder in a run's folder, by its name there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, folder: RunFolder, _: type[RunFolder] | None = None) -> Path:
        return folder.path / self._name


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of a run; the head of this file says what each is."""

    path: Path

    config = _Inside("config.toml")
    store = _Inside("evo.db")
    lineage = _Inside("lineage.git")
    logs = _Inside("logs")
    lessons = _Inside("lessons.md")
    steering = _Inside("steering")
    live = _Inside("live")
    tracking = _Inside("tracking")
    report = _Inside("report.html")
    results = _Inside("results.tsv")

    @classmethod
    def create(cls, path: Path) -> Self:
        """Make a folder for a new run, which `seal` completes.

        Raises:
            RunFolderError: `path` is not empty, cannot be made, or lies on a network file system.
        """
        folder = cls(path)
        try:
            folder.refuse_network_file_system()
            if path.exists():
                folder._refuse_used()
            path.mkdir(parents=True, exist_ok=True)
            folder.logs.mkdir()
        except OSError as error:
            raise RunFolderError(
                f"A new run could not be made in {path}: {error}. Choose a folder that you can write."
            ) from error
        return folder

    @classmethod
    def open(cls, path: Path) -> Self:
        """Return the folder of an existing run, be it live, killed or finished.

        Raises:
            RunFolderError: there is no run at `path`, or its creation was interrupted.
        """
        folder = cls(path)
        if folder.is_half_made():
            raise RunFolderError(
                f"The run in {path} was interrupted while it was being made, before anything was evaluated. "
                f"Delete the folder and start the run again with `evo run`."
            )
        if not folder.config.is_file() and not folder.store.is_file():
            raise RunFolderError(f"A run was expected in {path}, but it holds no config.toml. `evo run` makes a run.")
        return folder

    def seal(self, config: str) -> None:
        """Write the resolved configuration atomically and durably."""
        replace_file(self.config, config, durable=True)
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def is_half_made(self) -> bool:
        """Return whether a run was begun here and its creation interrupted, before the store had its configuration."""
        if not self.logs.is_dir() or self.config.exists():
            return False
        try:
            return not self.store.exists() or Store.newest_event(self.store, "configured") is None
        except UnfinishedStore:
            return True

    def lock(self) -> RunLock:
        """Take the lock that only one driver may hold; it ends with `RunLock.release` or with this process.

        Raises:
            RunLocked: another driver holds it.
            RunFolderError: the folder lies on a network file system or cannot be written.
        """
        self.refuse_network_file_system()
        try:
            return RunLock(self.path / "lock")
        except OSError as error:
            raise RunFolderError(
                f"The lock of the run in {self.path} could not be taken: {error.strerror}. Make the folder "
                "writable, and remove `lock` if it is not a file."
            ) from error

    def driver(self) -> Driver | None:
        """Return the driver that works in the folder now, or None."""
        path = self.path / "lock"
        try:
            file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RunFolderError(
                f"{path} was expected to be a file that names the driver, but it cannot be read: {error.strerror}. "
                "Remove it, unless a driver works in the folder."
            ) from error
        with file:
            if _try_lock(file.fileno(), fcntl.LOCK_SH):
                return None
            return Driver.parse(file.read(_LONGEST_NAME_BYTES))

    def refuse_network_file_system(self) -> None:
        """Raise RunFolderError where locks and durability cannot be trusted."""
        mounts = [(mount.mountpoint, mount.fstype) for mount in psutil.disk_partitions(all=True)]
        kind = file_system_of(self.path, mounts)
        if kind in NETWORK_FILE_SYSTEMS:
            raise RunFolderError(
                f"The run folder {self.path} is on a network file system ({kind}), where neither locks nor durable "
                f"writes can be trusted. Choose a folder on a local disk, and copy it when the run has finished."
            )

    def _refuse_used(self) -> None:
        if self.path.is_dir() and (driver := self.driver()):
            raise RunLocked(f"Process {driver.pid} on {driver.host} makes a run in {self.path}. Choose another folder.")
        if self.is_half_made():
            raise RunFolderError(
                f"A run was interrupted in {self.path} while it was being made, before anything was evaluated. "
                f"Delete the folder, or choose another one."
            )
        if self.config.exists() or self.store.exists():
            raise RunFolderError(
                f"{self.path} already holds a run. Continue it with `evo resume`, or choose another folder."
            )
        if not self.path.is_dir() or any(self.path.iterdir()):
            raise RunFolderError(f"A new run needs an empty or new folder, but {self.path} is in use. Choose another.")


@dataclass(frozen=True, slots=True)
class Driver:
    """The process that holds a run folder; `started` is in seconds since 1970, UTC."""

    pid: int
    host: str
    started: float

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return the driver named in a lock file; one with unknown fields when it is still writing its name."""
        try:
            return cls(**json.loads(content))
        except (ValueError, TypeError):
            return cls(pid=0, host="an unknown host", started=0.0)


class RunLock:
    """The lock of a run folder. The kernel drops it when the process dies, so none is ever stale.

    The package `filelock` would not do: it has no shared lock, so that two commands that look at a run would take each
    other for its driver; it opens the file for writing, which read-only media and other users' runs forbid; and its
    import takes 50 ms of every command.

    Raises:
        RunLocked: another driver holds it.
    """

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        _held_locks.add(self)
        try:
            self._acquire(path)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let another driver in; more than once is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _acquire(self, path: Path) -> None:
        deadline = time.monotonic() + _LOCK_PATIENCE_SECONDS
        while not _try_lock(self._descriptor, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                holder = Driver.parse(os.pread(self._descriptor, _LONGEST_NAME_BYTES, 0))
                raise RunLocked(
                    f"The run in {path.parent} is being driven by process {holder.pid} on {holder.host}. "
                    f"Wait for it to finish or stop it first; `evo status` shows how far it is."
                )
            time.sleep(0.02)
        me = Driver(os.getpid(), socket.gethostname(), time.time())
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(me)).encode(), 0)


def file_system_of(path: Path, mounts: Iterable[tuple[str, str]]) -> str:
    """Return the type of the file system that `path` lies on, such as `ext4`; empty when no mount covers it.

    Args:
        path: need not exist.
        mounts: (mount point, type) in the order of mounting: a later mount hides an earlier one at the same place.
    """
    resolved = Path(os.path.realpath(path))  # which takes a loop of links for a name
    depth, kind = 0, ""
    for point, candidate in mounts:
        if resolved.is_relative_to(point) and len(Path(point).parts) >= depth:
            depth, kind = len(Path(point).parts), candidate
    return kind


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _close_inherited_locks() -> None:
    """Close a forked child's copies, which would keep the lock after its parent has died."""
    for lock in list(_held_locks):
        lock.release()


os.register_at_fork(after_in_child=_close_inherited_locks)

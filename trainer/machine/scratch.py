"""Scratch folders: one a supervisor, with one for each of its candidates; none stays behind after a kill.

A supervisor holds a lock in its folder, which the kernel drops with its process. A folder with a free lock was left by
a killed supervisor: the next one, or the driver that ends its own, ends the processes in it and removes it. The lock is
a plain `flock`, since a lock library would create files in folders that are being removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TextIO

import psutil

_PREFIX = "evo-scratch-"
_LOCK = "lock"
_DEATH_SECONDS = 5.0


class Scratch:
    """The folder of one supervisor, created under `parent` or the system's temporary folder."""

    def __init__(self, parent: Path | None) -> None:
        # Resolved, because a candidate must not see the difference between a link and its target.
        draft = Path(tempfile.mkdtemp(prefix=".new-", dir=parent)).resolve()
        self._lock = _lock(draft / _LOCK, create=True)
        # It gets its name only with its lock held, so that no sweep takes it for an abandoned one.
        self.folder = draft.rename(draft.with_name(_PREFIX + draft.name.removeprefix(".new-")))
        self._count = 0

    def new_folder(self) -> Path:
        """Return a new empty folder for a candidate."""
        self._count += 1
        folder = self.folder / f"candidate-{self._count}"
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Remove the folder."""
        remove(self.folder)
        if self._lock is not None:
            self._lock.close()


def sweep(parent: Path | None) -> None:
    """Remove the folders that killed supervisors of this user left, and end the processes in them.

    Under `parent`, and in the system's temporary folder, where they try their sandbox.
    """
    parents = {Path(one).resolve() for one in (parent or tempfile.gettempdir(), tempfile.gettempdir())}
    for folder in [folder for one in parents for folder in one.glob(_PREFIX + "*")]:
        with contextlib.suppress(FileNotFoundError):
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = _lock(folder / _LOCK, create=False)
            if lock is not None:
                with lock:
                    _end_inhabitants(folder)
                    remove(folder)


def remove(folder: Path) -> None:
    """Remove a folder that hostile code wrote to: without permissions, with links, or nested beyond any recursion."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(folder)], check=False, stderr=subprocess.DEVNULL)  # noqa: S603 - no shell, a path of our own


def _lock(path: Path, *, create: bool) -> TextIO | None:
    """Return the open lock file, or None while another process holds it."""
    file = path.open("w" if create else "r", encoding="ascii")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _end_inhabitants(folder: Path) -> None:
    """Kill the processes whose home or working folder is in `folder`: orphans whose supervisor could not end them."""
    killed = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            homes = (process.environ().get("HOME", ""), process.cwd())
            if any(Path(home).is_relative_to(folder) for home in homes):
                process.kill()
                killed.append(process)
    psutil.wait_procs(killed, timeout=_DEATH_SECONDS)

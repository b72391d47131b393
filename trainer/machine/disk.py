"""How much room a candidate takes on the disk and in files that are memory, also where it hides them."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

_ENTRIES_LIMIT = 20_000
_DEPTH_LIMIT = 64
_SMALL_MIB = 64.0
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def used_mib(folder: Path, pids: Iterable[int]) -> float:
    """Return what the files in `folder` take, MiB, with those that `pids` have deleted and hold open.

    Infinite when it cannot be measured: a folder gone, locked, nested beyond 64 levels, or with over 20,000 entries.
    """
    sizes: dict[int, int] = {}
    try:
        device = folder.stat().st_dev
        for count, found in enumerate(_files(os.open(folder, _FOLDER), 0)):
            if count > _ENTRIES_LIMIT:
                return float("inf")
            sizes[found.st_ino] = found.st_blocks
    except OSError:
        return float("inf")
    for found in _deleted(pids):
        if found.st_dev == device:
            sizes[found.st_ino] = found.st_blocks
    return sum(sizes.values()) * 512 / 2**20


def unmapped_mib(disk: int, pids: Sequence[int]) -> float:
    """Return what files without a name that `pids` hold open take of the memory, MiB, beyond what is mapped of them.

    Those are anonymous files (memfd) and deleted ones in shared memory: no process has them resident. Deleted files on
    the device `disk` take room there.
    """
    sizes = {found.st_ino: found.st_blocks * 512 / 2**20 for found in _deleted(pids) if found.st_dev != disk}
    if sum(sizes.values()) < _SMALL_MIB:  # as the memory is in which answers are handed over
        return 0.0
    mapped: Counter[int] = Counter()
    for pid in pids:
        mapped.update(_mapped_kib(pid, sizes.keys()))
    return sum(max(0.0, mib - mapped[inode] / 1024) for inode, mib in sizes.items())


def _mapped_kib(pid: int, inodes: Collection[int]) -> Counter[int]:
    """Return what a process has resident of some files, KiB by inode; pages that others share are shared out."""
    mapped: Counter[int] = Counter()
    inode = 0
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps", "rb") as lines:  # noqa: PTH123 - likewise
        for line in lines:
            first, _, rest = line.partition(b" ")
            if not first.endswith(b":"):
                inode = int(rest.split()[3])
            elif first == b"Pss:" and inode in inodes:
                mapped[inode] += int(rest.split()[0])
    return mapped


def _files(folder: int, depth: int) -> Iterator[os.stat_result]:
    """Yield what is under an open folder, which is closed; by descriptors, so that no swapped link leads elsewhere."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                # Whatever vanishes meanwhile takes no room.
                with contextlib.suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    yield found
                    if stat.S_ISDIR(found.st_mode):
                        if depth == _DEPTH_LIMIT:
                            raise OSError(errno.ELOOP, "nested too deep")
                        yield from _files(os.open(entry.name, _FOLDER, dir_fd=folder), depth + 1)
    finally:
        os.close(folder)


def _deleted(pids: Iterable[int]) -> Iterator[os.stat_result]:
    for pid in pids:
        with contextlib.suppress(OSError):
            for entry in os.listdir(f"/proc/{pid}/fd"):  # noqa: PTH208 - read several times a second
                with contextlib.suppress(OSError):
                    found = os.stat(f"/proc/{pid}/fd/{entry}")  # noqa: PTH116 - likewise
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        yield found

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
        sizes.update((found.st_ino, found.st_blocks) for found in _all_files(folder))
    except OSError:
        return float("inf")
    for found in _deleted(pids):
        if found.st_dev == device:
            sizes[found.st_ino] = found.st_blocks
    return sum(sizes.values()) * 512 / 2**20


def unmapped_mib(disk: int, pids: Sequence[int], folders: Iterable[Path] = ()) -> float:
    """Return what files in memory take, MiB, beyond what processes have mapped of them, and so have resident.

    Those are the files in `folders`, anonymous ones (memfd) that `pids` hold open, and deleted ones in shared memory.
    Deleted files on the device `disk` take room there.
    """
    sizes = {(found.st_dev, found.st_ino): found.st_blocks for found in _deleted(pids) if found.st_dev != disk}
    for folder in folders:
        # Gone with its processes, or more than can be counted, which `are_countable` tells.
        with contextlib.suppress(OSError):
            device = folder.stat().st_dev
            sizes.update(
                ((device, found.st_ino), found.st_blocks) for found in _all_files(folder) if found.st_dev == device
            )
    if sum(sizes.values()) * 512 / 2**20 < _SMALL_MIB:  # as the memory is in which answers are handed over
        return 0.0
    mapped: Counter[tuple[int, int]] = Counter()
    for pid in pids:
        mapped.update(_mapped_kib(pid, sizes.keys()))
    return sum(max(0.0, blocks / 2 - mapped[file]) for file, blocks in sizes.items()) / 1024


def are_countable(folders: Iterable[Path]) -> bool:
    """Return whether no folder has more entries, or more levels, than are counted; one that is gone has none."""
    try:
        for folder in folders:
            with contextlib.suppress(FileNotFoundError, PermissionError):
                for _ in _all_files(folder):
                    pass
    except OSError:
        return False
    return True


def _mapped_kib(pid: int, files: Collection[tuple[int, int]]) -> Counter[tuple[int, int]]:
    """Return what a process has resident of some files, KiB by device and inode; pages are shared out.

    Args:
        pid: of the process.
        files: device and inode of each.
    """
    mapped: Counter[tuple[int, int]] = Counter()
    file = (0, 0)
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps", "rb") as lines:  # noqa: PTH123 - read many times a second
        for line in lines:
            first, _, rest = line.partition(b" ")
            if not first.endswith(b":"):
                _, _, device, inode, *_ = rest.split()
                major, _, minor = device.partition(b":")
                file = (os.makedev(int(major, 16), int(minor, 16)), int(inode))
            elif first == b"Pss:" and file in files:
                mapped[file] += int(rest.split()[0])
    return mapped


def _all_files(folder: Path) -> Iterator[os.stat_result]:
    """Yield what is under a folder; raise OSError where that is too much to be counted.

    Folders that are mounted there belong to others: packages that a sandbox shows below `/tmp`, say.
    """
    for count, found in enumerate(_files(os.open(folder, _FOLDER), 0)):
        if count > _ENTRIES_LIMIT:
            raise OSError(errno.E2BIG, "too many entries")
        yield found


def _files(folder: int, depth: int) -> Iterator[os.stat_result]:
    """Yield what is under an open folder, which is closed; by descriptors, so that no swapped link leads elsewhere."""
    try:
        device = os.fstat(folder).st_dev
        with os.scandir(folder) as entries:
            for entry in entries:
                # Whatever vanishes meanwhile takes no room.
                with contextlib.suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    is_folder = stat.S_ISDIR(found.st_mode)
                    if is_folder and found.st_dev != device:
                        continue
                    yield found
                    if is_folder:
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

"""How much room a candidate takes on the disk and in files that are memory, also where it hides them."""

from __future__ import annotations

import contextlib
import errno
import math
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from trainer.machine.processes import descriptor_folders

_ENTRIES_LIMIT = 20_000
_DEPTH_LIMIT = 64
_SMALL_MIB = 64.0
_DELETED = b" (deleted)\n"
_SHARED_ANONYMOUS = b"/dev/zero" + _DELETED
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


FileId = tuple[int, int]
"""Device and inode."""


def used_mib(folder: Path, pids: Sequence[int], others: Collection[FileId] = ()) -> float:
    """Return what the files in `folder` take, MiB, with those that `pids` have deleted and hold open or mapped.

    Infinite when it cannot be measured: a folder gone, locked, nested beyond 64 levels, or with over 20,000 entries.

    Args:
        others: mapped files that are none of theirs.
    """
    try:
        device = folder.stat().st_dev
        sizes = {(device, found.st_ino): found.st_blocks for found in _all_files(folder)}
    except OSError:
        return math.inf
    sizes |= {file: blocks for file, blocks in _deleted(pids, others).items() if file[0] == device}
    return sum(sizes.values()) * 512 / 2**20


def unmapped_mib(
    disk: int, pids: Sequence[int], folders: Iterable[Path] = (), others: Collection[FileId] = ()
) -> float:
    """Return what files in memory take, MiB, beyond what processes have resident of them.

    Those are the files in `folders`, and those without a name that `pids` hold open or mapped: anonymous ones (memfd)
    and deleted ones. Deleted files on the device `disk` take room there. Of `others`, as in `used_mib`, none count.

    Infinite where a folder has more entries, or more levels, than are counted.
    """
    sizes = {file: blocks for file, blocks in _deleted(pids, others).items() if file[0] != disk}
    try:
        for folder in folders:
            with contextlib.suppress(FileNotFoundError, PermissionError):  # gone with its processes
                device = folder.stat().st_dev
                sizes |= {
                    (device, found.st_ino): found.st_blocks for found in _all_files(folder) if found.st_dev == device
                }
    except OSError:
        return math.inf
    if sum(sizes.values()) * 512 / 2**20 < _SMALL_MIB:  # as the memory is in which answers are handed over
        return 0.0
    mapped: Counter[FileId] = Counter()
    for pid in pids:
        mapped.update(_mapped_kib(pid, sizes.keys()))
    return sum(max(0.0, blocks / 2 - mapped[file]) for file, blocks in sizes.items()) / 1024


def mapped_files(pid: int) -> frozenset[FileId]:
    """Return the files of which a process has parts mapped: programs and libraries, unless it is up to something."""
    return frozenset(file for file, *_ in _mappings(pid))


def _mapped_kib(pid: int, files: Collection[FileId]) -> Counter[FileId]:
    """Return what a process has resident of some files, KiB by device and inode; pages are shared out.

    Args:
        files: device and inode of each.
    """
    mapped: Counter[FileId] = Counter()
    file = (0, 0)
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps", "rb") as lines:  # noqa: PTH123 - read many times a second
        for line in lines:
            first, _, rest = line.partition(b" ")
            if not first.endswith(b":"):
                _, _, device, inode, *_ = rest.split()
                file = _file(device, inode)
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


def _deleted(pids: Sequence[int], others: Collection[FileId]) -> dict[FileId, int]:
    """Return the blocks of 512 bytes of each file without a name that processes hold open or have mapped.

    How many a file has of which no descriptor is left only root is told; for others it is as long as what is mapped of
    it, and memory that processes share without a file is not counted.
    """
    sizes: dict[FileId, int] = {}
    for pid in pids:
        for file, place, end, name in _mappings(pid, _DELETED):
            if file not in others:
                try:
                    blocks = os.stat(f"/proc/{pid}/map_files/{place}").st_blocks  # noqa: PTH116 - read several times a second
                except OSError:
                    blocks = 0 if name.endswith(_SHARED_ANONYMOUS) else end // 512
                sizes[file] = max(blocks, sizes.get(file, 0))
    for pid in pids:
        for folder in descriptor_folders(pid):
            with contextlib.suppress(OSError):
                for entry in os.listdir(folder):  # noqa: PTH208 - read several times a second
                    with contextlib.suppress(OSError):
                        found = os.stat(f"{folder}/{entry}")  # noqa: PTH116 - likewise
                        if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                            sizes[found.st_dev, found.st_ino] = found.st_blocks
    return sizes


def _mappings(pid: int, ending: bytes = b"") -> Iterator[tuple[FileId, str, int, bytes]]:
    """Yield for each mapping of a file: the file, its place in `map_files`, up to which byte it goes, and the name.

    Of those alone whose name has that `ending`.
    """
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as lines:  # noqa: PTH123 - read several times a second
        for line in filter(lambda line: line.endswith(ending), lines):
            span, _, offset, device, inode, *name = line.split(maxsplit=5)
            if name:
                first, last = (int(one, 16) for one in span.split(b"-"))
                yield _file(device, inode), f"{first:x}-{last:x}", int(offset, 16) + last - first, name[0]


def _file(device: bytes, inode: bytes) -> FileId:
    """Return the file that a line of `maps` or `smaps` names."""
    major, _, minor = device.partition(b":")
    return os.makedev(int(major, 16), int(minor, 16)), int(inode)

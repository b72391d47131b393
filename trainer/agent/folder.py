"""The working folder of a command that edits files: laid out before it starts, read when all of it is dead.

Whatever it did to its folder is a finding, never a failure: files removed, replaced by links, folders or devices, too
large, or no text.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Set
from pathlib import Path

HOME = ".home"
"""The command's home and temporary folder within its working folder; nothing in it counts as changed."""

LARGEST_FILE_BYTES = 512 * 1024
MOST_OTHERS = 20
_MOST_ENTRIES = 20_000


class UnreadableFile(Exception):  # noqa: N818 - a finding
    """A file cannot be read as text; the message says why."""


def lay_out(folder: Path, files: Mapping[str, str]) -> dict[str, str]:
    """Write files into an empty folder, with the home folder, and return the digest of each by its name."""
    (folder / HOME).mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="")
    return {name: _digest(text.encode()) for name, text in files.items()}


def read_back(folder: Path, names: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the texts of files by name, and by name why others cannot be read."""
    texts: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for name in names:
        try:
            texts[name] = _read(folder, name).decode("utf-8")
        except UnicodeDecodeError:
            unreadable[name] = "is no text in UTF-8"
        except UnreadableFile as finding:
            unreadable[name] = str(finding)
    return texts, unreadable


def other_changes(folder: Path, digests: Mapping[str, str], edited: Set[str]) -> Iterator[str]:
    """Yield the names of files that were made, changed or removed, but for the edited ones and the home folder."""
    unseen = set(digests) - edited
    for count, name in enumerate(_names(folder)):
        if count > _MOST_ENTRIES:
            return
        if name in unseen:
            unseen.remove(name)
            if _has_changed(folder, name, digests[name]):
                yield name
        elif name not in digests and name not in edited:
            yield name
    yield from sorted(unseen)


def _names(folder: Path) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):  # which follows no links
        if Path(parent) == folder and HOME in folders:
            folders.remove(HOME)
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]  # noqa: PTH114, PTH118 - many
        for name in sorted([*files, *links]):
            yield str(Path(parent, name).relative_to(folder))


def _has_changed(folder: Path, name: str, digest: str) -> bool:
    try:
        return _digest(_read(folder, name)) != digest
    except UnreadableFile:
        return True


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.parent.resolve() != folder.resolve() / Path(name).parent:
        raise UnreadableFile("lies behind a symbolic link")
    try:
        found = path.lstat()
    except OSError:
        raise UnreadableFile("is not there any more") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a symbolic link" if stat.S_ISLNK(found.st_mode) else "no ordinary file"
        raise UnreadableFile(f"is {kind}")
    if found.st_size > LARGEST_FILE_BYTES:
        raise UnreadableFile(f"has {found.st_size:,} bytes, more than the {LARGEST_FILE_BYTES:,} allowed")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableFile(f"cannot be read: {error.strerror}") from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

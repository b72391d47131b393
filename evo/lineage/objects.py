"""Git's loose objects, written and checked in this process: no git command per candidate."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_MODE = 0o444  # as git gives it
_UNFINISHED = "obj"


@dataclass(frozen=True)
class GitObject:
    """An object as git stores it; `kind` is blob, tree or commit."""

    kind: str
    body: bytes

    @cached_property
    def name(self) -> str:
        """The hexadecimal name, which is the hash of the content."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()

    @property
    def content(self) -> bytes:
        """What git hashes and compresses: a head and the body."""
        return f"{self.kind} {len(self.body)}\0".encode() + self.body


class LooseObjects:
    """The folder `objects` of a repository.

    Objects are not synchronised to the disk one by one: the store is the authority, and an object that a power cut left
    empty or damaged is written again by the next `write` of the same content.

    Attributes:
        written: how many objects `write` has found missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self.written = 0
        self._folder = folder

    def write(self, item: GitObject) -> None:
        """Write an object unless it is there intact."""
        if self.is_intact(item.name):
            return
        path, unfinished = self._path(item.name), self._folder / f"{_UNFINISHED}{item.name}"
        path.parent.mkdir(exist_ok=True)
        # A better ratio would take more time than a small object is worth.
        unfinished.write_bytes(zlib.compress(item.content, zlib.Z_BEST_SPEED))
        unfinished.chmod(_MODE)
        unfinished.replace(path)  # also a damaged one, whose name git would trust
        self.written += 1

    def is_intact(self, name: str) -> bool:
        """Return whether the loose object is there and its content has the hash that names it."""
        try:
            content = zlib.decompress(self._path(name).read_bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, zlib.error):
            return False
        return hashlib.sha1(content, usedforsecurity=False).hexdigest() == name

    def remove_unfinished(self) -> None:
        """Remove the temporary files of writes that a kill interrupted."""
        for leftover in self._folder.glob(f"{_UNFINISHED}*"):
            leftover.unlink()

    def _path(self, name: str) -> Path:
        return self._folder / name[:2] / name[2:]

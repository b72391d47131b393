"""Documents kept on disk while they are prepared, so that memory stays bounded and the source is read once."""

from __future__ import annotations

import hashlib
import os
from array import array
from pathlib import Path
from typing import Self

from trainer.corpus.documents import Document
from trainer.corpus.pieces import cut, piece_bytes


class Spool:
    """A file of documents, one after another; memory holds only where each ends and what it was read from."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._digest = hashlib.sha256()
        self._ends = array("q")
        self._sources: list[str] = []  # many references to few names
        self.bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, number: int) -> bytes:
        start = self._ends[number - 1] if number else 0
        return os.pread(self._file.fileno(), self._ends[number] - start, start)

    def size(self, number: int) -> int:
        """Return the length of a document, bytes."""
        return self._ends[number] - (self._ends[number - 1] if number else 0)

    def source(self, number: int) -> str:
        """Return what a document was read from."""
        return self._sources[number]

    def append(self, document: Document) -> None:
        """Add a document at the end."""
        self._file.write(document.utf8)
        self._digest.update(len(document.utf8).to_bytes(8, "little") + document.utf8)
        self.bytes += len(document.utf8)
        self._ends.append(self.bytes)
        self._sources.append(document.source)

    def finish(self) -> str:
        """End the writing, cut long documents into pieces that count as documents, and return the sha256 of it all."""
        self._file.flush()
        target = piece_bytes(len(self), self.bytes)
        ends, sources = array("q"), []
        start = 0
        for number in range(len(self)):
            pieces = cut(self[number], target)
            ends.extend(start + end for end in pieces)
            sources.extend([self._sources[number]] * len(pieces))
            start = ends[-1]
        self._ends, self._sources = ends, sources
        return self._digest.hexdigest()

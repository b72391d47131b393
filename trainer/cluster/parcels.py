"""Data that every node needs: sent through Ray's object store once, and kept on the node under their digest."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.corpus import load
from trainer.corpus.cache import default_cache, locked, replaced
from trainer.errors import EvoError, MachineError
from trainer.script.frozen import content_files, digest_of

_CHUNK_BYTES = 64 << 20

CORPUS = "corpus"
FROZEN = "frozen"


@dataclass(frozen=True, slots=True)
class Content:
    """A file or a folder that a node needs.

    Attributes:
        kind: `corpus` for a prepared corpus, `frozen` for a frozen file or folder of a script task.
        digest: of its content, as `kind` counts it.
        name: of the file or folder.
    """

    kind: str
    digest: str
    name: str

    @property
    def place(self) -> Path:
        """Where a node keeps it."""
        return default_cache() / "received" / self.digest / self.name

    def is_sound(self) -> bool:
        """Return whether this machine has it, with the content that its digest names."""
        try:
            found = load(self.place).digest if self.kind == CORPUS else digest_of(self.place)
        except (EvoError, OSError):
            return False
        return found == self.digest


def pack(path: Path, put: Callable[[bytes], Any]) -> list[Any]:
    """Hand a file or folder over in chunks of at most 64 MiB, as a tar archive; return what `put` returned for each."""
    chunks = _Chunks(put)
    with tarfile.open(fileobj=chunks, mode="w|", dereference=False) as archive:
        for file in content_files(path):
            # A link to a file is a copy of it there: what it leads to need not exist on the node.
            source = file.resolve() if file.is_file() else file
            archive.add(source, str(file.relative_to(path.parent)), recursive=False)
    chunks.flush()
    return chunks.handed_over


def unpack(content: Content, chunks: Sequence[Callable[[], bytes]]) -> None:
    """Keep what `pack` handed over, and check it.

    Raises:
        MachineError: it cannot be written, or is not what its digest says.
    """
    folder = content.place.parent
    try:
        with locked(folder, lambda: None):
            if content.is_sound():
                return
            with replaced(folder) as draft, tarfile.open(fileobj=_Reader(chunks), mode="r|") as archive:
                archive.extractall(draft, filter="fully_trusted")  # noqa: S202 - of the driver's, whose user's they are
    except (OSError, tarfile.TarError) as error:
        raise MachineError(f"{content.name} could not be kept in {folder}: {error}.") from error
    if not content.is_sound():
        raise MachineError(f"{content.name} arrived in {folder} with another content than it was sent with.")


class _Chunks(io.RawIOBase):
    """A file that hands over what is written to it."""

    def __init__(self, put: Callable[[bytes], Any]) -> None:
        self._put = put
        self._waiting = bytearray()
        self.handed_over: list[Any] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        if len(self._waiting) >= _CHUNK_BYTES:
            self.flush()
        return len(data)

    def flush(self) -> None:
        if self._waiting:
            self.handed_over.append(self._put(bytes(self._waiting)))
            self._waiting.clear()


class _Reader(io.RawIOBase):
    """A file of chunks, each of which is fetched when it is read."""

    def __init__(self, chunks: Sequence[Callable[[], bytes]]) -> None:
        self._chunks = iter(chunks)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._chunks, lambda: b"")())
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

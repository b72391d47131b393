"""Documents in local files: .txt and .md (one document a file), .jsonl and .parquet (one a line or row)."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.corpus.documents import Document
from trainer.corpus.pieces import boundary
from trainer.errors import DatasetError

SUFFIXES = (".txt", ".md", ".jsonl", ".parquet")

_CHUNK_BYTES = 8 << 20
"""Longer text files are read in chunks of about this size, cut between paragraphs, to bound memory."""
_PARQUET_ROWS = 256
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class TextFiles:
    """A file of text, or every such file in a folder and its subfolders, in the order of their paths.

    Hidden files and folders are left out. Parquet files and JSON lines carry their text under `text`.

    Attributes:
        path: absolute.
    """

    path: Path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.name or "files"

    @property
    def dataset(self) -> str:
        """The absolute path."""
        return str(self.path)

    def fingerprint(self) -> str:
        """Return the path, size and modification time of every file."""
        lines = [
            f"{path.relative_to(self.path)}\t{status.st_size}\t{status.st_mtime_ns}" for path, status in self._files()
        ]
        return "\n".join([f"files:{self.path}", *lines])

    def size_bytes(self) -> int:
        """Return the size of all files; of compressed ones (parquet) the size on disk."""
        return sum(status.st_size for _, status in self._files())

    def documents(self) -> Iterator[Document]:
        """Yield the documents of every file; raise DatasetError naming a file that cannot be read."""
        readers = {".jsonl": _json_lines, ".parquet": _parquet_rows}
        for path, _ in self._files():
            source = self.path.name if path == self.path else path.relative_to(self.path).as_posix()
            try:
                yield from readers.get(path.suffix.lower(), _plain_text)(path, source)
            except OSError as error:
                raise DatasetError(
                    f"Expected a readable file, but {path} failed: {error}. Remove or repair it."
                ) from error

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        paths = sorted(self._walk()) if self.path.is_dir() else [self.path]
        if not paths or paths[0].suffix.lower() not in SUFFIXES:
            raise DatasetError(
                f"Expected files ending in {', '.join(SUFFIXES)} at {self.path}, but found none. "
                "Give a folder or file of text."
            )
        try:
            files = [(path, path.stat()) for path in paths]
        except OSError as error:
            raise DatasetError(f"Expected a readable file, but {error.filename} failed: {error.strerror}.") from error
        for path, status in files:
            if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device could last for ever
                raise DatasetError(f"Expected an ordinary file, but {path} is none. Remove it.")
        return files

    def _walk(self) -> Iterator[Path]:
        def fail(error: OSError) -> None:
            raise DatasetError(f"Expected a readable folder, but {error.filename} failed: {error.strerror}.") from error

        for folder, subfolders, files in os.walk(self.path, onerror=fail):
            subfolders[:] = [name for name in subfolders if not name.startswith(".")]
            for name in files:
                if name.lower().endswith(SUFFIXES) and not name.startswith("."):
                    yield Path(folder, name)


def _plain_text(path: Path, source: str) -> Iterator[Document]:
    """Yield a file whole, or in chunks of whole paragraphs when it is longer than `_CHUNK_BYTES`."""
    with path.open("rb") as file:
        chunk, position = file.read(_CHUNK_BYTES).removeprefix(_BYTE_ORDER_MARK), 0
        while chunk:
            more = file.read(_CHUNK_BYTES)
            end = boundary(chunk, len(chunk) // 2, len(chunk) - 1) if more else len(chunk)
            _require_utf8(chunk[:end], path, position)
            yield Document(source, chunk[:end])
            position += end
            chunk = chunk[end:] + more


def _require_utf8(utf8: bytes, path: Path, position: int) -> None:
    try:
        utf8.decode()
    except UnicodeDecodeError as error:
        raise DatasetError(
            f"Expected UTF-8 text, but {path} is not, at byte {position + error.start}. "
            "Convert it (iconv -t UTF-8) or remove it."
        ) from error


def _json_lines(path: Path, source: str) -> Iterator[Document]:
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line.removeprefix(_BYTE_ORDER_MARK))
            except ValueError as error:  # not JSON, or not UTF-8
                raise DatasetError(f"Expected a JSON object in line {number} of {path}, but: {error}.") from error
            if not isinstance(record, dict) or not isinstance(text := record.get("text"), str):
                raise DatasetError(
                    f'Expected an object with a string under "text" in line {number} of {path}, '
                    f"but it was {line[:60].decode(errors='replace')!r}. Rename the key or repair the line."
                )
            yield Document.of_text(source, text, f"line {number}")


def _parquet_rows(path: Path, source: str) -> Iterator[Document]:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DatasetError(
            f"{path} needs the `pyarrow` package, which is not installed: pip install evo-train[parquet]"
        ) from error
    try:
        with ParquetFile(path) as file:
            names = file.schema_arrow.names
            if "text" not in names:
                raise DatasetError(
                    f"Expected a column `text` in {path}, but its columns are {', '.join(names)}. Rename one."
                )
            number = 0
            for batch in file.iter_batches(_PARQUET_ROWS, columns=["text"]):
                for text in batch.column("text").to_pylist():
                    number += 1
                    if isinstance(text, str):
                        yield Document.of_text(source, text, f"row {number}")
    except (ArrowException, UnicodeDecodeError) as error:
        raise DatasetError(f"Expected a parquet file of UTF-8 text, but {path} is not: {error}.") from error

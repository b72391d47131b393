"""The manifest of a prepared corpus: what is in its folder, and whether that is still so."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import asdict, dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, NamedTuple

from trainer.corpus.sources import EMBEDDED
from trainer.corpus.vocabulary import DEFAULT_SIZE
from trainer.errors import DatasetError

FORMAT = 1
"""Raised whenever the same source would give other files or another manifest."""

MANIFEST_FILE = "manifest.json"
VOCABULARY_FILE = "vocabulary.json"

WHOLE_FILE_BYTES = 256 << 20
"""Larger files are checked by their size, beginning and end alone: reading gigabytes would delay every run."""
_EDGE_BYTES = 1 << 20


def token_file(part: str) -> str:
    """Return the name of the token file of a part: raw little-endian int32."""
    return f"{part}.i32"


class Part(NamedTuple):
    """How much a part of a corpus holds; `bytes` is the length of its text."""

    documents: int
    bytes: int
    tokens: int


class FileRecord(NamedTuple):
    """What a file must be like; `edges_sha256` is of its first and last MiB."""

    bytes: int
    sha256: str
    edges_sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was prepared from which source.

    Attributes:
        dataset: what `prepare` was given; a path is absolute.
        source_sha256: of all documents read, each preceded by its length.
        complete: False where only the beginning of a very large source was read.
        near_duplicates: documents left out because an earlier one is nearly the same.
        parts: by the name of the part.
        held_out: by the name of the split, what each of its documents was read from.
        files: by file name; every file of the folder but the manifest.
    """

    name: str
    dataset: str
    vocab_size: int
    separator: int
    source_sha256: str
    source_bytes: int
    complete: bool
    near_duplicates: int
    parts: dict[str, Part]
    held_out: dict[str, list[str]]
    files: dict[str, FileRecord]

    @property
    def digest(self) -> str:
        """The sha256 that names the prepared content: equal digests mean equal tokens, splits and vocabulary."""
        content = [FORMAT, self.vocab_size, sorted((name, file.sha256) for name, file in self.files.items())]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()

    @property
    def repair_command(self) -> str:
        """The command that prepares the corpus again."""
        dataset = "" if self.dataset == EMBEDDED else f" --dataset {shlex.quote(self.dataset)}"
        size = "" if self.vocab_size == DEFAULT_SIZE else f" --vocab-size {self.vocab_size}"
        return f"evo prepare{dataset}{size}"

    def save(self, folder: Path) -> None:
        """Write the manifest into `folder`."""
        data: dict[str, Any] = {"format": FORMAT, "digest": self.digest, **asdict(self)}
        data["parts"] = {name: part._asdict() for name, part in self.parts.items()}
        data["files"] = {name: file._asdict() for name, file in self.files.items()}
        data["checksum"] = _checksum(data)
        (folder / MANIFEST_FILE).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Manifest:
        """Read the manifest of `folder`.

        Raises:
            DatasetError: there is none, it is damaged, or another version wrote it.
        """
        path = folder / MANIFEST_FILE
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise DatasetError(f"Expected a prepared corpus, but there is no {path}. Run: evo prepare") from error
        except (OSError, ValueError) as error:
            raise _damaged(path, str(error)) from error
        if not isinstance(data, dict) or data.pop("format", None) != FORMAT:
            raise DatasetError(f"{path} is not of format {FORMAT}: another version of evo wrote it. Run: evo prepare")
        if data.pop("checksum", None) != _checksum({"format": FORMAT, **data}):
            raise _damaged(path, "its checksum differs")
        data.pop("digest")
        parts = {name: Part(**part) for name, part in data.pop("parts").items()}
        files = {name: FileRecord(**file) for name, file in data.pop("files").items()}
        return cls(**data, parts=parts, files=files)

    def verify(self, folder: Path) -> None:
        """Raise DatasetError naming the first file of `folder` that is not what the manifest says."""
        for name, expected in self.files.items():
            path = folder / name
            try:
                with path.open("rb") as file:
                    complaint = _complaint(file, path.stat().st_size, expected)
            except OSError as error:
                complaint = str(error.strerror)
            if complaint:
                raise _damaged(path, complaint, self.repair_command)


def record(path: Path) -> FileRecord:
    """Return what a file is like now."""
    with path.open("rb") as file:
        return FileRecord(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest(), _edges_sha256(file))


def _complaint(file: BufferedReader, size: int, expected: FileRecord) -> str:
    if size != expected.bytes:
        return f"expected {expected.bytes} bytes, found {size}"
    if size > WHOLE_FILE_BYTES:
        return "" if _edges_sha256(file) == expected.edges_sha256 else "its beginning or end has another checksum"
    return "" if hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256 else "its checksum differs"


def _edges_sha256(file: BufferedReader) -> str:
    file.seek(0)
    head = file.read(_EDGE_BYTES)
    file.seek(max(0, file.seek(0, 2) - _EDGE_BYTES))
    return hashlib.sha256(head + file.read(_EDGE_BYTES)).hexdigest()


def _checksum(data: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


def _damaged(path: Path, complaint: str, command: str = "evo prepare") -> DatasetError:
    return DatasetError(f"The prepared corpus is damaged: {path}: {complaint}. Repair it with: {command}")

"""Frozen files: what every genome of a script task is given, under the same names, with the same content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trainer.errors import ConfigError

_CACHES = frozenset(("__pycache__", ".git", ".ipynb_checkpoints"))


@dataclass(frozen=True, slots=True)
class Frozen:
    """One frozen file or folder.

    Attributes:
        name: where a command finds it, relative to its working folder.
        path: where it is; absolute, without links.
        sha256: of its content.
        signature: changes whenever the file system saw it written to; cheap to compare.
    """

    name: str
    path: Path
    sha256: str
    signature: str

    def unchanged(self) -> bool:
        """Return whether it still has the content that it was frozen with."""
        try:
            return _signature(self.path) == self.signature or _digest(self.path) == self.sha256
        except OSError:
            return False


def freeze(names: Iterable[str], root: Path) -> tuple[Frozen, ...]:
    """Return files and folders as they are now.

    Args:
        names: relative to `root`, or to the home folder with a leading `~/`.
        root: the project's folder.

    Raises:
        ConfigError: one is missing or cannot be read.
    """
    return tuple(_freeze(name, root) for name in names)


def _freeze(name: str, root: Path) -> Frozen:
    path = (Path(name).expanduser() if name.startswith("~/") else root / name).resolve()
    if not path.exists():
        raise ConfigError(f"`task.frozen` names {name!r}, but there is no {path}.")
    try:
        # The signature first: what is written in between shows as a change.
        signature = _signature(path)
        return Frozen(name.removeprefix("~/"), path, _digest(path), signature)
    except OSError as error:
        raise ConfigError(f"`task.frozen` names {name!r}, which cannot be read: {error}.") from error


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or the files in a folder in a fixed order; Python's caches are no content."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path, followlinks=True, onerror=_fail):
        folders[:] = sorted(set(folders) - _CACHES)
        yield from (Path(folder, name) for name in sorted(names))


def _fail(error: OSError) -> None:
    raise error


def _signature(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(path):
        status = file.stat()
        # The time of change, which no program can set back.
        facts = (file.relative_to(path), status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update(repr(tuple(map(str, facts))).encode())
    return digest.hexdigest()


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(path):
        with file.open("rb") as content:
            own = hashlib.file_digest(content, "sha256").hexdigest()
        digest.update(f"{file.relative_to(path)}\0{own}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()

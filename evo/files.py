"""Files of users, and files that are replaced at once: a reader finds the old content or the new one."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_PRIVATE_NAMES = frozenset({"runs", "__pycache__", "node_modules", "venv", "env", "site-packages", "results.tsv"})


def is_private(name: str) -> bool:
    """Return whether a file or folder of this name is no part of a project: hidden, installed, or made by runs."""
    return name.startswith(".") or name in _PRIVATE_NAMES


def exists(path: Path) -> bool:
    """Return whether something is at a path; False, too, where `Path.exists` raises: a text may be no possible name."""
    return os.path.exists(path)  # noqa: PTH110


def is_file(path: Path) -> bool:
    """Return whether a file is at a path, likewise."""
    return os.path.isfile(path)  # noqa: PTH113


def read_text(path: Path) -> str:
    """Return the text of a file that a user may have edited, without the mark that editors of Windows put first.

    Raises:
        OSError: it cannot be read.
        UnicodeDecodeError: it is not UTF-8.
    """
    return path.read_text(encoding="utf-8").removeprefix("\ufeff")


def replace_file(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Replace the content of a file, or make it; with `durable` it is on the disk when this returns.

    A kill leaves the old content or the new one, never a part of it.

    Raises:
        OSError: the file could not be written; it is as it was.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with draft.open("wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise

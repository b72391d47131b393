"""Files of users, and files that are replaced at once: a reader finds the old content or the new one."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

_MOST_BYTES = 64 * 2**20
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


def read_text(path: Path, *, is_given: bool = False) -> str:
    """Return the text of a file that a user may have edited, without the mark that editors of Windows put first.

    Raises:
        OSError: as of `read_bytes`.
        UnicodeDecodeError: it is not UTF-8.
    """
    return read_bytes(path, is_given=is_given).decode("utf-8").removeprefix("\ufeff")


def read_bytes(path: Path, *, is_given: bool = False) -> bytes:
    """Return the content of a file at a place where anything may stand.

    Args:
        path: of the file.
        is_given: the user names it now, so that it may be a pipe that is written to meanwhile.

    Raises:
        OSError: it cannot be read, is no file, or is larger than any text.
    """
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not (stat.S_ISREG(mode) or is_given):
        raise OSError(errno.EINVAL, "Is a pipe or a device", str(path))
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if is_given else os.O_NONBLOCK)), "rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError(errno.EFBIG, f"Is larger than {_MOST_BYTES // 2**20} MiB", str(path))
    return content


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

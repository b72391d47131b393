"""The files with numbers that a command leaves: copied out of its working folder, so that they can be read later."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath

TABLES = (".csv", ".tsv")
"""Ends of the names of files with a header line and a line for each step."""
JSON_LINES = (".jsonl", ".ndjson")
"""Ends of the names of files with one JSON document a line."""

_ENDINGS = (".json", *JSON_LINES, *TABLES)
_LARGEST_BYTES = 2**20
_MOST_FILES = 50
_DEEPEST = 4  # folders
_MOST_VISITED = 5000


def copy_left(folder: Path, target: Path, known: Collection[str]) -> None:
    """Copy the small JSON files and tables that a command left.

    Links and hidden files are left out, since candidates are not trusted.

    Args:
        folder: that the command ran in.
        target: an existing folder.
        known: names of files and folders that it had been given.
    """
    for number, path in enumerate(_left(folder, known)):
        if number == _MOST_FILES:
            break
        place = target / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place, follow_symlinks=False)


def _left(folder: Path, known: Collection[str]) -> Iterator[Path]:
    waiting, visited = [folder], 0
    while waiting and visited < _MOST_VISITED:
        for path in sorted(waiting.pop().iterdir()):
            visited += 1
            name = path.relative_to(folder)
            if path.is_symlink() or path.name.startswith(".") or _is_known(name, known):
                continue
            if path.is_dir() and len(name.parts) <= _DEEPEST:
                waiting.append(path)
            elif path.is_file() and path.name.endswith(_ENDINGS) and path.stat().st_size <= _LARGEST_BYTES:
                yield path


def _is_known(name: Path, known: Collection[str]) -> bool:
    return any(PurePosixPath(name).is_relative_to(one) for one in known)

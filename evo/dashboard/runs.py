"""Which runs a folder holds."""

from __future__ import annotations

from pathlib import Path

from evo.errors import RunFolderError
from evo.runs.folder import RunFolder

_DEPTH = 3
"""Folders below which runs are looked for: `runs/<date>`, or `<experiment>/runs/<arm>/<run>`."""


def find_runs(path: Path) -> dict[str, RunFolder]:
    """Return the runs at or below `path` by name, the newest first.

    Raises:
        RunFolderError: there is none.
    """
    if not path.is_dir():
        raise RunFolderError(f"A run or a folder of runs was expected at {path}, but there is no such folder.")
    if (path / "evo.db").is_file():
        return {path.resolve().name: RunFolder.open(path)}
    stores = [store for depth in range(1, _DEPTH + 1) for store in path.glob("/".join(["*"] * depth) + "/evo.db")]
    folders = [RunFolder(store.parent) for store in stores]
    made = [folder for folder in folders if folder.config.is_file()]
    if not made:
        raise RunFolderError(
            f"A run or a folder of runs was expected in {path}, but it holds none. `evo run` makes one."
        )
    newest_first = sorted(made, key=lambda folder: folder.store.stat().st_mtime, reverse=True)
    return {str(folder.path.relative_to(path)): folder for folder in newest_first}

"""What generation 0 compiled, for every candidate: a copy each, so that none can change what the next one runs.

Programs that compile (torch.compile with Inductor and Triton, JAX) keep the results in folders that variables name.
Generation 0, which the user wrote, fills a store outside of the sandbox; a candidate begins with a copy of it, which
goes with its scratch folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from trainer.machine.disk import used_mib

_FOLDER = ".evo-compiled"
_VARIABLES = {
    "TORCHINDUCTOR_CACHE_DIR": "inductor",
    "TRITON_CACHE_DIR": "triton",
    "JAX_COMPILATION_CACHE_DIR": "jax",
}
_MOST_MIB = 1024.0


class CompiledStore:
    """The results of compilation that generation 0 of one task left.

    Args:
        parent: of the folders of all tasks; None for a store that stays empty.
        key: what tells the task from others, the packages that it compiles with included.
    """

    def __init__(self, parent: Path | None, key: Sequence[str]) -> None:
        digest = hashlib.sha256(repr(tuple(key)).encode()).hexdigest()[:16]
        self._folder = None if parent is None else parent / digest

    def variables(self, home: Path) -> dict[str, str]:
        """Return where a program finds and leaves what it compiles.

        Args:
            home: its working folder as it sees it.
        """
        return {} if self._folder is None else {name: str(home / _FOLDER / part) for name, part in _VARIABLES.items()}

    def give(self, scratch: Path) -> None:
        """Copy what there is into a working folder; without it, a program compiles everything itself."""
        if self._folder is None or not self._folder.is_dir():
            return
        try:
            shutil.copytree(self._folder, scratch / _FOLDER)
        except (OSError, shutil.Error):  # replaced meanwhile
            shutil.rmtree(scratch / _FOLDER, ignore_errors=True)

    def take(self, scratch: Path) -> None:
        """Keep what generation 0 left in its working folder, in place of what there was."""
        left = scratch / _FOLDER
        if self._folder is None or left.is_symlink() or not left.is_dir() or _names(left) <= _names(self._folder):
            return
        if used_mib(left, ()) > _MOST_MIB:
            return
        with contextlib.suppress(OSError, shutil.Error):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=self._folder.parent))
            shutil.copytree(left, draft / "new", symlinks=True, ignore=_links)
            if self._folder.exists():
                self._folder.rename(draft / "old")
            (draft / "new").rename(self._folder)
            shutil.rmtree(draft, ignore_errors=True)


def _names(folder: Path) -> set[str]:
    return {str(Path(at, name).relative_to(folder)) for at, _, names in os.walk(folder) for name in names}


def _links(folder: str, names: list[str]) -> list[str]:
    """Return what is no plain file or folder, and so could lead elsewhere."""
    paths = [Path(folder, name) for name in names]
    return [one.name for one in paths if one.is_symlink() or not (one.is_file() or one.is_dir())]

"""The floor that works everywhere: it ends runaways, and hides neither files nor the network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.machine.control_group import ControlGroup
from trainer.sandbox.levels import (
    CONFINED,
    Access,
    Command,
    Level,
    Unavailable,
    limit_resources,
    refuse_new_privileges,
    start,
)
from trainer.sandbox.seccomp import build_filter
from trainer.settings import Limits

_COPIED_BYTES = 16 * 2**20


class ProcessGroupSandbox:
    """A session of its own with limits (`trainer.sandbox.levels.Sandbox`), and a seccomp filter where there is one.

    There is no mount namespace: a command sees paths as they are, and is itself the process that was started.
    """

    level: Level = Level.PROCESS_GROUP
    keeper = ""
    memory_folders: Sequence[str] = ()

    def __init__(self, limits: Limits, access: Access = CONFINED) -> None:
        self._limits = limits
        self._access = access
        try:
            self._filter: Any = build_filter(self.level, access)
        except Unavailable:
            self._filter = None  # this level works everywhere

    def home(self, scratch: Path) -> Path:
        """Return the folder itself."""
        return scratch

    def exit_code(self, returncode: int) -> int:
        """Return it as it is."""
        return returncode

    def read_only_path(self, path: Path) -> Path:
        """Return it as it is."""
        return path

    def launch(self, command: Command, group: ControlGroup | None = None) -> subprocess.Popen[bytes]:
        """Start a command in a session of its own, confined before its first instruction."""
        _lay_out(command.scratch, command.frozen)
        return start(command, group, lambda: self._confine(command))

    def _confine(self, command: Command) -> None:  # noqa: ARG002 - for stronger levels
        """Confine the calling process; runs between fork and exec."""
        limit_resources(self._limits, self._access)
        if self._filter is not None:
            refuse_new_privileges()
            self._filter.load()


def _lay_out(scratch: Path, frozen: Mapping[str, Path]) -> None:
    """Put frozen files into a scratch folder under their names.

    Files are copied up to a size that costs no time: Python imports from the real folder of a script, so a linked one
    would not find what lies beside its link. Folders and large files are linked.
    """
    for name, path in frozen.items():
        place = Path(os.path.normpath(scratch / name))
        if place.parent == scratch.parent and not place.is_symlink():
            place.symlink_to(path)  # every command of this supervisor finds it there
        if not place.is_relative_to(scratch):
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and path.stat().st_size <= _COPIED_BYTES:
            shutil.copy(path, place)  # keeps the mode: a program stays executable
        else:
            place.symlink_to(path)

"""The floor that works everywhere: it ends runaways, and hides neither files nor the network."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainer.sandbox.levels import Level, limit_resources, start
from trainer.settings import Limits


class ProcessGroupSandbox:
    """A session of its own with limits (`trainer.sandbox.levels.Sandbox`)."""

    level = Level.PROCESS_GROUP
    keeper = ""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def home(self, scratch: Path) -> Path:
        """Return the folder itself."""
        return scratch

    def exit_code(self, returncode: int) -> int:
        """Return it as it is."""
        return returncode

    def read_only_path(self, path: Path) -> Path:
        """Return it as it is."""
        return path

    def launch(
        self, command: Sequence[str], scratch: Path, descriptors: Sequence[int], environment: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a session of its own."""
        return start(command, scratch, descriptors, environment, lambda: limit_resources(self._limits))

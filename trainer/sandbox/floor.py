"""The floor that works everywhere: it ends runaways, and hides neither files nor the network."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from trainer.sandbox.levels import InPlace, Level, lay_out, limit_resources, start
from trainer.settings import Limits


class ProcessGroupSandbox(InPlace):
    """A session of its own with limits (`trainer.sandbox.levels.Sandbox`)."""

    level = Level.PROCESS_GROUP

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def launch(
        self,
        command: Sequence[str],
        scratch: Path,
        descriptors: Sequence[int],
        environment: Mapping[str, str],
        frozen: Mapping[str, Path] = MappingProxyType({}),
    ) -> subprocess.Popen[bytes]:
        """Start `command` in a session of its own."""
        lay_out(scratch, frozen)
        return start(command, scratch, descriptors, environment, lambda: limit_resources(self._limits))

"""Weights & Biases, and trackio, which has the same interface: curves, and the best genome as an artifact.

W&B writes offline into `tracking/` of the run's folder (`wandb sync` uploads it) unless WANDB_MODE says otherwise;
trackio writes into its own folder on this machine, which `trackio show` reads. Neither has runs within runs: each
result names its individual.
"""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

from evo.followers.trackers.protocol import TrackedResult, TrackedRun

_PROJECT = "evo"


class _Logging:
    """What both share."""

    def __init__(self, library: str) -> None:
        self._library = library
        self._run: Any = None

    def _options(self, run: TrackedRun, kept: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def begin(self, run: TrackedRun, kept: dict[str, Any]) -> None:
        """Make the run, or go on with the one of its name."""
        run.folder.mkdir(exist_ok=True)
        self._module = import_module(self._library)
        self._name = run.name
        project = os.environ.get(f"{self._library.upper()}_PROJECT", _PROJECT)
        self._run = self._module.init(
            project=project, name=run.name, config=dict(run.settings), resume="allow", **self._options(run, kept)
        )

    def result(self, result: TrackedResult) -> None:
        """Log a result."""
        facts = {"individual": result.individual, "operator": result.operator, "status": result.status}
        self._run.log({**result.metrics(), **facts}, step=result.number)
        if result.best_genome:
            artifact = self._module.Artifact("best", type="genome", metadata={"individual": result.best})
            with tempfile.TemporaryDirectory() as folder:
                for name, text in result.best_genome.items():
                    file = Path(folder, name)
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text, encoding="utf-8")
                artifact.add_dir(folder)
                self._run.log_artifact(artifact)

    def flush(self) -> None:
        """Nothing to do: the library's own process keeps what is logged."""

    def end(self, state: str) -> None:
        """End the run."""
        self._run.log({"state": state})
        self._run.finish()


class Wandb(_Logging):
    """Tracks with wandb."""

    def __init__(self) -> None:
        super().__init__("wandb")

    def _options(self, run: TrackedRun, kept: dict[str, Any]) -> dict[str, Any]:
        os.environ.setdefault("WANDB_MODE", "offline")
        os.environ.setdefault("WANDB_SILENT", "true")
        kept.setdefault("id", os.urandom(4).hex())
        return {"id": kept["id"], "dir": str(run.folder)}


class Trackio(_Logging):
    """Tracks with trackio."""

    def __init__(self) -> None:
        super().__init__("trackio")

    def _options(self, run: TrackedRun, kept: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG002 - trackio knows the name
        return {"embed": False, "auto_log_gpu": False, "auto_log_cpu": False}

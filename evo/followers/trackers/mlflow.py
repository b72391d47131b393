"""MLflow: a run with its curves and the best genome, and a child run for each individual that was evaluated.

Without MLFLOW_TRACKING_URI it writes where MLflow does by itself: `mlflow.db` in the working directory.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from evo.followers.trackers.protocol import TrackedResult, TrackedRun

if TYPE_CHECKING:
    from mlflow import MlflowClient

_EXPERIMENT = "evo"
_STATES = {"finished": "FINISHED", "stopped": "KILLED", "killed": "KILLED"}
_MOST_CHARACTERS = 5000  # of a tag's value


class MLflow:
    """Tracks with MLflow's client, in the experiment that MLFLOW_EXPERIMENT_NAME names, or `evo`."""

    def begin(self, run: TrackedRun, kept: dict[str, Any]) -> None:
        """Make the run, or go on with the one that was kept."""
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # what fails is tried again here
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
        from mlflow import MlflowClient

        self._client: MlflowClient = MlflowClient()
        self._kept = kept
        self._children: dict[str, str] = kept.setdefault("children", {})
        if "run" in kept:
            self._client.update_run(kept["run"], status="RUNNING")
            return
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", _EXPERIMENT)
        found = self._client.get_experiment_by_name(name)
        kept["experiment"] = found.experiment_id if found else self._client.create_experiment(name)
        kept["run"] = self._client.create_run(kept["experiment"], run_name=run.name).info.run_id
        for key, value in run.settings.items():
            self._client.log_param(kept["run"], key, value)

    def result(self, result: TrackedResult) -> None:
        """Log a result in the run and in the child of its individual."""
        at = int(1000 * result.at)
        child = self._child(result)
        for name, value in result.metrics().items():
            self._client.log_metric(self._kept["run"], name, value, at, result.number)
        for name, value in result.objectives.items():
            self._client.log_metric(child, name, value, at, result.number)
        self._client.set_tag(child, "evo.status", result.status)
        for name, text in result.best_genome.items():
            self._client.log_text(self._kept["run"], text, f"best/{name}")
        if result.best_genome:
            self._client.set_tag(self._kept["run"], "evo.best", result.best)

    def flush(self) -> None:
        """Nothing waits: every call has written."""

    def end(self, state: str) -> None:
        """End the run."""
        self._client.set_terminated(self._kept["run"], status=_STATES[state])

    def _child(self, result: TrackedResult) -> str:
        """Return the run of an individual; it is not left running, since its last evaluation cannot be foreseen."""
        name = str(result.individual)
        if name not in self._children:
            tags = {
                "mlflow.parentRunId": self._kept["run"],
                "evo.individual": name,
                "evo.parents": " ".join(map(str, result.parents)),
                "evo.operator": result.operator,
                "evo.idea": result.idea[:_MOST_CHARACTERS],
            }
            child = self._client.create_run(self._kept["experiment"], run_name=f"individual {name}", tags=tags)
            self._client.set_terminated(child.info.run_id)
            self._children[name] = child.info.run_id
        return self._children[name]

"""Trackers of experiments, by name. Each loads its library, an extra, when a run begins.

protocol      what a tracker is told: the run, every result, the end
mlflow        MLflow
tensorboard   TensorBoard
wandb         Weights & Biases, and trackio with the same interface

A new tracker is a file with a class that satisfies `protocol.Tracker`, and an entry in each of the tables below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evo.followers.trackers.mlflow import MLflow
from evo.followers.trackers.protocol import TrackedResult, TrackedRun, Tracker
from evo.followers.trackers.tensorboard import TensorBoard
from evo.followers.trackers.wandb import Trackio, Wandb

TRACKERS: Mapping[str, Callable[[], Tracker]] = {
    "mlflow": MLflow,
    "tensorboard": TensorBoard,
    "trackio": Trackio,
    "wandb": Wandb,
}

LIBRARIES: Mapping[str, str] = {
    "mlflow": "mlflow",
    "tensorboard": "tensorboardX",
    "trackio": "trackio",
    "wandb": "wandb",
}
"""The package that each imports."""

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "mlflow": ("MLFLOW_", "DATABRICKS_", "AWS_", "AZURE_", "GOOGLE_"),
    "tensorboard": (),
    "trackio": ("TRACKIO_", "HF_"),
    "wandb": ("WANDB_",),
}
"""Prefixes of the variables that tell each where to write and who writes; no other process of a run gets them."""

__all__ = ["LIBRARIES", "TRACKERS", "VARIABLES", "TrackedResult", "TrackedRun", "Tracker"]

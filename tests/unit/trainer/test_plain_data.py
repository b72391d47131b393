"""Budgets, jobs, verdicts and settings: their invariants, and their way through JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from trainer.errors import ConfigError
from trainer.evaluation import Budget, Clock, CurvePoint, Evaluation, Job, Split, Status, Timings
from trainer.settings import DeviceSettings, Limits, Settings

BUDGET = Budget(10.0, Clock.CPU)


def verdict(**changes: object) -> Evaluation:
    fields: dict[str, object] = {
        "status": Status.OK,
        "seed": 3,
        "device": "cpu",
        "clock": Clock.CPU,
        "sandbox": "process-group",
        "objectives": {"val_bpb": 1.5, "train_seconds": 10.0},
        "split_bpb": {"S": 1.5, "G": 1.6},
        "log_tail": "é\n",
        "curve": (CurvePoint(0.5, 1, 7.25), CurvePoint(1.0, 2, 6.5)),
        "timings": Timings(10.0, 10.5, 1.5, 12.25, {"forward": 0.25, "elsewhere": 0.75}),
        "train_tokens_per_second": 4e4,
    }
    return Evaluation(**(fields | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["train_seconds", "setup_seconds", "score_seconds"])
@pytest.mark.parametrize("value", [0.0, -1.0, math.nan, math.inf])
def test_a_budget_is_of_positive_finite_seconds(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be a positive number of seconds, but it was {value}"):
        Budget(**({"train_seconds": 1.0, "clock": Clock.WALL} | {name: value}))  # type: ignore[arg-type]


def test_a_job_measures_what_selection_needs() -> None:
    with pytest.raises(ValueError, match="splits must contain"):
        Job("", 0, (Split.HOLDOUT,))


def test_a_job_survives_json() -> None:
    job = Job("x = 'é\0\ud800'", 2**63, (Split.SELECTION, Split.FINAL), holdout_below=1.25, floor_tokens_per_second=4e3)
    assert Job.from_json(json.loads(json.dumps(job.to_json()))) == job


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_only_ok_carries_objectives(status: Status) -> None:
    assert verdict(status=status, objectives={}).objectives == {}
    with pytest.raises(ValueError, match="must carry no objectives"):
        verdict(status=status)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_objectives_are_finite(value: float) -> None:
    with pytest.raises(ValueError, match="objectives must be finite"):
        verdict(objectives={"val_bpb": value})


def test_a_verdict_survives_json() -> None:
    original = verdict()
    copy = Evaluation.from_json(json.loads(json.dumps(original.to_json())))
    assert copy == original
    assert isinstance(copy.curve[0], CurvePoint)
    assert copy.status is Status.OK


@pytest.mark.parametrize(("timings", "outside"), [(Timings(10, 10.5, 1.5, 12.25), 0.25), (Timings(0, 2, 1, 2.9), 0.0)])
def test_seconds_outside_training_and_scoring(timings: Timings, outside: float) -> None:
    assert timings.outside_seconds == outside


@pytest.mark.parametrize(
    "settings",
    [
        Settings(corpus=Path("/corpora/a b"), device="cpu", budget=BUDGET, sequence_length=128, score_tokens=32768),
        Settings(
            corpus=Path("é"),
            device="cuda",
            budget=Budget(300.0, Clock.WALL, 60.0, 30.0),
            sequence_length=2048,
            score_tokens=2**20,
            device_id="GPU-aa11",
            threads=4,
            limits=Limits(1.0, 2.0, 3.0, 4),
            scratch=Path("/scratch"),
        ),
    ],
)
def test_settings_survive_json(settings: Settings) -> None:
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_a_device_is_recorded_with_its_id() -> None:
    assert DeviceSettings(device="cuda", device_id="MIG-1").device_name == "cuda:MIG-1"
    assert DeviceSettings(device="cpu").device_name == "cpu"

"""What an evaluation is: the budget it gets, the job that asks for it, and the verdict that comes back."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, NamedTuple

from trainer.errors import ConfigError


class Status(StrEnum):
    """How an evaluation ended; only `OK` carries objectives that may become a fitness."""

    OK = "ok"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DIVERGED = "diverged"
    TOO_SLOW = "too_slow"
    """Trained far slower than its parent, and was ended early."""
    REJECTED = "rejected"
    """Broke a rule of scoring."""
    LOST = "lost"
    """The infrastructure failed; not the candidate's fault, so it runs again."""


class Clock(StrEnum):
    """Which clock the training budget is measured on."""

    WALL = "wall"
    CPU = "cpu"
    """CPU seconds of the candidate's process tree, so that a busy machine does not change a score."""


class Split(StrEnum):
    """The held-out parts of a corpus."""

    SELECTION = "S"
    HOLDOUT = "G"
    FINAL = "F"


SMOKE_SECONDS = 1.0
"""Training seconds that are left to the program of a smoke run, whatever its budget is."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Time limits of one evaluation, in seconds.

    Attributes:
        train_seconds: training time on `clock`, counted from the moment the training data is handed over.
        clock: what `train_seconds` is measured on.
        setup_seconds: wall-clock cap on import, model building and compilation before the data is asked for.
        score_seconds: wall-clock cap on scoring one split.
    """

    train_seconds: float
    clock: Clock
    setup_seconds: float = 300.0
    score_seconds: float = 300.0

    def shared(self, budget_fraction: float) -> Budget:
        """Return this budget with a fraction of the training time; set-up and scoring keep theirs."""
        return replace(self, train_seconds=budget_fraction * self.train_seconds)

    def __post_init__(self) -> None:
        """Raise ConfigError unless every limit is a positive finite number."""
        for name in ("train_seconds", "setup_seconds", "score_seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name} must be a positive number of seconds, but it was {value}.")


@dataclass(frozen=True, slots=True)
class Job:
    """One request to train and score a genome; the selection split is always among `splits`.

    Attributes:
        holdout_below: bits per byte; when the selection split comes out below, the holdout split is scored as well,
            and every block is probed.
        budget_fraction: of the budget's training time that this training gets.
        floor_tokens_per_second: end the training early when it is slower than that; 0 for never.
        wall_seconds: a script's commands are each ended after that; None for the limit of the settings.
        longest_seconds: a script with a fixed time runs longer than that against the rules; None for no such limit.
        is_reference: whether this is generation 0 at the start of a run, with which the task itself is verified.
        losses: how often it was lost before; a candidate that is killed then, and nothing tells by whom, is taken to
            kill itself.
        widest_gap: bits per byte; a score on the holdout split that is worse than on the selection split by more is no
            score of a model that knows neither.
        is_smoke: whether this is a smoke run, which only shows that the program works: it trains for a moment and
            answers for training text, or runs the `smoke` command of a script. Nothing is measured.
    """

    genome: str
    seed: int
    splits: tuple[Split, ...] = (Split.SELECTION,)
    holdout_below: float | None = None
    budget_fraction: float = 1.0
    floor_tokens_per_second: float = 0.0
    wall_seconds: float | None = None
    longest_seconds: float | None = None
    is_reference: bool = False
    losses: int = 0
    widest_gap: float | None = None
    is_smoke: bool = False

    def __post_init__(self) -> None:
        """Keep the invariant that every evaluation measures what selection needs."""
        if Split.SELECTION not in self.splits:
            raise ValueError(f"splits must contain {Split.SELECTION!r}, but they were {self.splits}")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Job:
        """Rebuild a job from the output of `to_json`."""
        return cls(**{**data, "splits": tuple(Split(name) for name in data["splits"])})


TRAINING_LOSS = "training loss"
"""What the curve of a language-model task follows: the loss that its genome logs."""


class CurvePoint(NamedTuple):
    """One point of a training curve.

    `seconds` is the supervisor's clock since the data was handed over, or a script began. `loss` is what the curve
    follows, and `step` counts the points where a program logs no steps.
    """

    seconds: float
    step: int
    loss: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the wall-clock seconds of a worker went during one evaluation.

    Attributes:
        train_seconds: training time on the budget's clock (the only entry that is not always wall time).
        train_wall_seconds: wall time between handing over the data and the end of training.
        score_seconds: wall time of scoring, start of the serving process's work to the last block.
        total_seconds: wall time from the job's arrival to the verdict.
        train_parts: the share of the training that the program's Python code spent on each part of it
            (`trainer.stack_samples`), as its own process has sampled; empty where that is unknown.
    """

    train_seconds: float = 0.0
    train_wall_seconds: float = 0.0
    score_seconds: float = 0.0
    total_seconds: float = 0.0
    train_parts: dict[str, float] = field(default_factory=dict)

    @property
    def outside_seconds(self) -> float:
        """Worker seconds spent neither training nor scoring: start, import, build, save, clean-up."""
        return max(0.0, self.total_seconds - self.train_wall_seconds - self.score_seconds)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The verdict on one job.

    Attributes:
        objectives: measured values by objective name; empty unless `status` is OK.
        split_bpb: bits per byte by name of every split that was scored.
        reason: one sentence; empty when OK.
        log_tail: the end of what the candidate printed, size-limited, control characters removed.
        sandbox: the level of isolation the candidate ran under.
        curve_name: what `curve` follows: the training loss, or what a script printed while it ran.
        train_tokens_per_second: what the training went through by the genome's own count; None where it counted none.
        raw_objectives: what the device measured, where `objectives` are on the scale of another class of devices
            (`evo.standings.device_classes`); empty where they are as measured.
        raw_split_bpb: the same of `split_bpb`.
    """

    status: Status
    seed: int
    device: str
    clock: Clock
    sandbox: str
    objectives: dict[str, float] = field(default_factory=dict)
    split_bpb: dict[str, float] = field(default_factory=dict)
    reason: str = ""
    log_tail: str = ""
    curve: tuple[CurvePoint, ...] = ()
    curve_name: str = TRAINING_LOSS
    timings: Timings = Timings()
    train_tokens_per_second: float | None = None
    raw_objectives: dict[str, float] = field(default_factory=dict)
    raw_split_bpb: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Keep the invariant that only a finite score from OK can become a fitness."""
        if self.status is not Status.OK and self.objectives:
            raise ValueError(f"an evaluation that ended {self.status} must carry no objectives")
        if not all(math.isfinite(value) for value in self.objectives.values()):
            raise ValueError(f"objectives must be finite, but they were {self.objectives}")

    @property
    def training_curve(self) -> tuple[CurvePoint, ...]:
        """The curve of the training loss; empty where the curve follows something else."""
        return self.curve if self.curve_name == TRAINING_LOSS else ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        # `asdict` would copy each number of a curve by itself.
        whole = {one.name: getattr(self, one.name) for one in fields(self)}
        return whole | {"timings": asdict(self.timings)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Evaluation:
        """Rebuild an evaluation from the output of `to_json`."""
        return cls(
            **{
                **data,
                "status": Status(data["status"]),
                "clock": Clock(data["clock"]),
                "curve": tuple(CurvePoint(*point) for point in data["curve"]),
                "timings": Timings(**data["timings"]),
            }
        )

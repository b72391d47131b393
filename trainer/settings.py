"""What a supervisor has to know before its first job: the corpus, the device, the budget and the limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.evaluation import Budget, Clock, Job

SPARE_SECONDS = 600.0
"""For what no limit counts: starting and ending processes, and files, on a busy machine."""

_LONGEST_TRAINING = 12  # wall seconds for each second of the budget, which may be of CPU time


@dataclass(frozen=True, slots=True)
class Limits:
    """What a candidate's process tree may use.

    Attributes:
        memory_mib: resident memory of the whole tree.
        output_mib: what it may print; more ends it.
        disk_mib: what it may keep in its scratch folder, the weights included.
        processes: how many may live in it at once.
        threads: how many all of its processes may have.
    """

    memory_mib: float = 8192.0
    output_mib: float = 64.0
    disk_mib: float = 4096.0
    processes: int = 256
    threads: int = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSettings:
    """One supervisor's settings whatever its task.

    Attributes:
        device: `cpu`, `mps` or `cuda`.
        device_id: what CUDA_VISIBLE_DEVICES is set to: UUIDs of GPUs or MIG instances, with commas; empty otherwise.
        threads: CPU threads that candidates are told to compute with.
        scratch: folder under which each candidate gets its own; the system's temporary folder when None.
        sandbox: `auto`, `strict` or a level by name (`trainer.sandbox.choose_level`).
        live: file for the curve of what runs (`trainer.supervisor.live`); None for none.
    """

    device: str
    device_id: str = ""
    threads: int = 1
    limits: Limits = Limits()
    scratch: Path | None = None
    sandbox: str = "auto"
    live: Path | None = None

    @property
    def device_name(self) -> str:
        """What an evaluation records as its device."""
        return f"{self.device}:{self.device_id}" if self.device_id else self.device

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        return asdict(self, dict_factory=_plain)

    @staticmethod
    def shared(data: dict[str, Any]) -> dict[str, Any]:
        """Return `data` with the fields of this class rebuilt from JSON."""
        paths = {name: Path(data[name]) if data[name] else None for name in ("scratch", "live")}
        return {**data, "limits": Limits(**data["limits"]), **paths}


def _plain(items: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in items}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(DeviceSettings):
    """One supervisor's settings for the language-model task.

    Attributes:
        corpus: folder of a prepared corpus (`trainer.corpus`).
        sequence_length: T of the scored blocks, tokens.
        score_tokens: tokens scored of each split (all of it if it is shorter).
    """

    corpus: Path
    budget: Budget
    sequence_length: int
    score_tokens: int

    @property
    def clock(self) -> Clock:
        """Which clock training is measured on."""
        return self.budget.clock

    def longest_seconds(self, job: Job) -> float:
        """Return what an evaluation takes at most, with much to spare: its supervisor ends each part earlier."""
        budget = self.budget.shared(job.budget_fraction)
        processes = 3  # one trains, two serve
        splits = len(job.splits) + 1  # with the holdout split, where that is scored too
        training = _LONGEST_TRAINING * budget.train_seconds
        return training + processes * 2 * budget.setup_seconds + splits * budget.score_seconds + SPARE_SECONDS

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Settings:
        """Rebuild settings from the output of `to_json`."""
        budget = Budget(**{**data["budget"], "clock": Clock(data["budget"]["clock"])})
        return cls(**{**cls.shared(data), "corpus": Path(data["corpus"]), "budget": budget})

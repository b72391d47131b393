"""What a supervisor has to know before its first job: the corpus, the device, the budget and the limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainer.evaluation import Budget, Clock


@dataclass(frozen=True, slots=True)
class Limits:
    """What a candidate's process tree may use.

    Attributes:
        memory_mib: resident memory of the whole tree.
        output_mib: what it may print; more ends it.
        disk_mib: what it may keep in its scratch folder, the weights included.
        processes: how many may live in it at once; threads do not count.
    """

    memory_mib: float = 8192.0
    output_mib: float = 64.0
    disk_mib: float = 4096.0
    processes: int = 256


@dataclass(frozen=True, slots=True)
class Settings:
    """One supervisor's settings for the language-model task.

    Attributes:
        corpus: folder of a prepared corpus (`trainer.corpus`).
        device: `cpu`, `mps` or `cuda`.
        device_id: what CUDA_VISIBLE_DEVICES is set to (the UUID of a GPU or MIG instance); empty for other devices.
        threads: CPU threads a candidate may compute with.
        sequence_length: T of the scored blocks, tokens.
        score_tokens: tokens scored of each split (all of it if it is shorter).
        scratch: folder under which each candidate gets its own; the system's temporary folder when None.
        sandbox: `auto`, `strict` or a level by name (`trainer.sandbox.choose_level`).
    """

    corpus: Path
    device: str
    budget: Budget
    sequence_length: int
    score_tokens: int
    device_id: str = ""
    threads: int = 1
    limits: Limits = Limits()
    scratch: Path | None = None
    sandbox: str = "auto"

    @property
    def device_name(self) -> str:
        """What an evaluation records as its device."""
        return f"{self.device}:{self.device_id}" if self.device_id else self.device

    @property
    def clock(self) -> Clock:
        """Which clock training is measured on."""
        return self.budget.clock

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        data = asdict(self)
        return {**data, "corpus": str(self.corpus), "scratch": str(self.scratch) if self.scratch else None}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Settings:
        """Rebuild settings from the output of `to_json`."""
        budget = Budget(**{**data["budget"], "clock": Clock(data["budget"]["clock"])})
        scratch = Path(data["scratch"]) if data["scratch"] else None
        return cls(
            **{
                **data,
                "corpus": Path(data["corpus"]),
                "budget": budget,
                "limits": Limits(**data["limits"]),
                "scratch": scratch,
            }
        )

"""What the supervisor of a script task has to know before its first job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainer.evaluation import Clock
from trainer.script.frozen import Frozen
from trainer.settings import Limits

KIND = "script"


@dataclass(frozen=True, slots=True)
class Reading:
    """Where an objective's value stands.

    Attributes:
        pattern: a regular expression with one group, searched in every printed line; or empty.
        take: `only` or `last`.
        json: a JSON file in the working folder; or empty.
        key: dotted path of the value in it.
    """

    name: str
    pattern: str = ""
    take: str = "only"
    json: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class ScriptSettings:
    """One supervisor's settings for a script task.

    Attributes:
        root: the project's folder, from which programs named with a slash are taken.
        genome: names of the files that evolve, relative to the working folder.
        frozen: given to every command.
        held_out: given to `score` alone.
        command: what is run; `{seed}` and `{seconds}` are filled in.
        score: what is run afterwards and alone reports the objectives; empty if `command` reports them itself.
        readings: where the objectives stand.
        wall_seconds: each of the commands is ended after that.
        fixed_seconds: the time that the command gives itself, if it does.
        environment: variables beside those that every candidate has.
        device: `cpu`, `mps` or `cuda`.
        device_id: what CUDA_VISIBLE_DEVICES is set to: UUIDs of one or several GPUs with commas; empty otherwise.
        threads: CPU threads that commands are told to compute with.
        scratch: folder under which each command gets its own; the system's temporary folder when None.
        sandbox: `auto`, `strict` or a level by name (`trainer.sandbox.choose_level`).
    """

    root: Path
    genome: tuple[str, ...]
    frozen: tuple[Frozen, ...]
    command: tuple[str, ...]
    readings: tuple[Reading, ...]
    wall_seconds: float
    device: str
    held_out: tuple[Frozen, ...] = ()
    score: tuple[str, ...] = ()
    fixed_seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    device_id: str = ""
    threads: int = 1
    limits: Limits = field(default_factory=Limits)
    scratch: Path | None = None
    sandbox: str = "auto"

    @property
    def device_name(self) -> str:
        """What an evaluation records as its device."""
        return f"{self.device}:{self.device_id}" if self.device_id else self.device

    @property
    def clock(self) -> Clock:
        """Which clock its times are measured on."""
        return Clock.WALL

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form that `from_json` inverts."""
        data = asdict(self)
        for one in (*data["frozen"], *data["held_out"]):
            one["path"] = str(one["path"])
        scratch = str(self.scratch) if self.scratch else None
        return {**data, "kind": KIND, "root": str(self.root), "scratch": scratch}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ScriptSettings:
        """Rebuild settings from the output of `to_json`."""
        own = {name: value for name, value in data.items() if name != "kind"}
        return cls(
            **{
                **own,
                "root": Path(data["root"]),
                "genome": tuple(data["genome"]),
                "frozen": _frozen(data["frozen"]),
                "held_out": _frozen(data["held_out"]),
                "command": tuple(data["command"]),
                "score": tuple(data["score"]),
                "readings": tuple(Reading(**one) for one in data["readings"]),
                "limits": Limits(**data["limits"]),
                "scratch": Path(data["scratch"]) if data["scratch"] else None,
            }
        )


def _frozen(data: list[dict[str, str]]) -> tuple[Frozen, ...]:
    return tuple(Frozen(one["name"], Path(one["path"]), one["sha256"], one["signature"]) for one in data)

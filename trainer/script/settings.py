"""What the supervisor of a script task has to know before its first job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.evaluation import Clock, Job
from trainer.script.frozen import Frozen
from trainer.script.seeds import SeedPlace
from trainer.settings import SPARE_SECONDS, DeviceSettings

_LISTS = ("genome", "command", "score", "smoke")


@dataclass(frozen=True, slots=True)
class Reading:
    """Where an objective's value stands.

    Attributes:
        pattern: a regular expression with one group, searched in every printed line; or empty.
        take: `only` or `last`.
        json: a JSON file in the working folder; or empty.
        key: dotted path of the value in it.
        unit: which a value that is printed with another unit of its kind is told in.
        required: whether an evaluation without the value has failed.
    """

    name: str
    pattern: str = ""
    take: str = "only"
    json: str = ""
    key: str = ""
    unit: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptSettings(DeviceSettings):
    """One supervisor's settings for a script task.

    Attributes:
        root: the project's folder, from which programs named with a slash are taken.
        genome: names of the files that evolve, relative to the working folder.
        frozen: given to every command.
        held_out: given to `score` alone.
        command: what is run; `{seed}` and `{seconds}` are filled in.
        score: what is run afterwards and alone reports the objectives; empty if `command` reports them itself.
        smoke: what a smoke run runs in the place of both; empty where there are none.
        readings: where the objectives stand.
        wall_seconds: each of the commands is ended after that.
        fixed_seconds: the time that the command gives itself, if it does.
        environment: variables beside those that every candidate has.
        compiled: folder that keeps what generation 0 compiles (`trainer.script.compiled`); None for none.
        left: folder that takes copies of the files with numbers that `command` leaves (`trainer.script.left`).
        seeds: literals that are replaced in the copies that `command` is given (`trainer.script.seeds`).
    """

    root: Path
    genome: tuple[str, ...]
    frozen: tuple[Frozen, ...]
    command: tuple[str, ...]
    readings: tuple[Reading, ...]
    wall_seconds: float
    held_out: tuple[Frozen, ...] = ()
    score: tuple[str, ...] = ()
    smoke: tuple[str, ...] = ()
    fixed_seconds: float | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    seeds: tuple[SeedPlace, ...] = ()
    compiled: Path | None = None
    left: Path | None = None

    @property
    def clock(self) -> Clock:
        """Which clock its times are measured on."""
        return Clock.WALL

    def longest_seconds(self, job: Job) -> float:
        """Return what an evaluation takes at most, with much to spare: its supervisor ends each command earlier."""
        wall_seconds = self.wall_seconds if job.wall_seconds is None else job.wall_seconds
        return wall_seconds * (2 if self.score else 1) + SPARE_SECONDS

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ScriptSettings:
        """Rebuild settings from the output of `to_json`."""
        rebuilt = {
            "root": Path(data["root"]),
            **{name: Path(data[name]) if data[name] else None for name in ("compiled", "left")},
            "frozen": tuple(Frozen(**{**one, "path": Path(one["path"])}) for one in data["frozen"]),
            "held_out": tuple(Frozen(**{**one, "path": Path(one["path"])}) for one in data["held_out"]),
            "readings": tuple(Reading(**one) for one in data["readings"]),
            "seeds": tuple(SeedPlace(**one) for one in data["seeds"]),
        }
        return cls(**cls.shared(data) | rebuilt | {name: tuple(data[name]) for name in _LISTS})

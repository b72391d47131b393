"""The quantities that an evaluation measures, each with its direction and unit."""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Whether smaller or larger values are better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True)
class Objective:
    """One measured quantity of an individual."""

    name: str
    direction: Direction
    unit: str

    @property
    def weight(self) -> float:
        """-1.0 when minimised, +1.0 when maximised: the sign DEAP gives to a fitness value."""
        return -1.0 if self.direction is Direction.MINIMIZE else 1.0


LANGUAGE_MODEL_OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("val_bpb", Direction.MINIMIZE, "bits per byte"),
        Objective("tokens_per_second", Direction.MAXIMIZE, "tokens/s"),
        Objective("train_seconds", Direction.MINIMIZE, "s"),
        Objective("peak_memory_mib", Direction.MINIMIZE, "MiB"),
        Objective("parameters", Direction.MINIMIZE, "parameters"),
        Objective("code_lines", Direction.MINIMIZE, "lines"),
    )
}
"""What the trusted side measures for every genome of the language-model task, by name."""

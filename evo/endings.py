"""How a search can end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Ending(StrEnum):
    """Why a search stopped."""

    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    NO_OFFSPRING = "no_offspring"
    OPERATOR_UNAVAILABLE = "operator_unavailable"
    COST_LIMIT = "cost_limit"
    TIME_LIMIT = "time_limit"
    GPU_LIMIT = "gpu_limit"
    USD_LIMIT = "usd_limit"
    TARGET = "target"
    STAGNATION = "stagnation"
    FAILED = "failed"
    """An error ended it."""

    @property
    def is_by_rule(self) -> bool:
        """Whether the run ended as its user wanted: by its budget or by another rule of stopping."""
        return self in _BY_RULE


_BY_RULE = frozenset(
    (
        Ending.COMPLETE,
        Ending.TIME_LIMIT,
        Ending.GPU_LIMIT,
        Ending.USD_LIMIT,
        Ending.TARGET,
        Ending.STAGNATION,
    )
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a search ended; `reason` is for a person."""

    ending: Ending
    reason: str

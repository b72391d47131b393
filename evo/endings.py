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
    FAILED = "failed"
    """An error ended it."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a search ended; `reason` is for a person."""

    ending: Ending
    reason: str

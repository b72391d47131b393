"""What a user can ask of a run, and its form as JSON."""

from __future__ import annotations

import getpass
import math
import re
import secrets
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from trainer.errors import UsageError, counted

INJECTED = "injected"
"""The operator of an individual that a user wrote."""

MOST_SEEDS = 50
MOST_HINT_CHARACTERS = 4_000
MOST_GENERATIONS = 1_000_000
LATEST = 4e9
"""Seconds since 1970: in the year 2096."""

_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


class Verb(StrEnum):
    """What is asked."""

    PAUSE = "pause"
    """Propose and launch nothing more; what runs ends."""
    CONTINUE = "continue"
    STOP = "stop"
    """End after saving, as Ctrl-C does."""
    HINT = "hint"
    """Tell the language model something from the next proposal on; an empty text withdraws all hints."""
    PIN = "pin"
    """An individual is always a candidate parent, and a finalist."""
    BAN = "ban"
    """An individual is never a parent."""
    RELEASE = "release"
    """An individual is neither pinned nor banned any more."""
    INJECT = "inject"
    """A program of the user's becomes an individual."""
    AGAIN = "again"
    """Evaluate an individual with more seeds."""
    WEIGHTS = "weights"
    """Draw operators by other weights; an empty table returns to those of the configuration."""
    EXTEND = "extend"
    """Search for another number of generations, or until another time."""

    @property
    def is_of_individual(self) -> bool:
        """Whether it names an individual."""
        return self in (Verb.PIN, Verb.BAN, Verb.RELEASE, Verb.AGAIN)


@dataclass(frozen=True, slots=True)
class Action:
    """One request.

    Attributes:
        id: tells requests apart; the same one that arrives twice acts once.
        who: asked, such as `ann@host`.
        at: when it was asked, seconds since 1970, UTC.
        individual: that it is about; for `inject` the parent.
        text: of a hint, or the source of a program.
        idea: of an injected program.
        seeds: how many more.
        weights: by operator.
        gens: generations of the whole run; None for as many as it has.
        until: when the search is over, seconds since 1970; 0 for no such time, None for what holds.
    """

    verb: Verb
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    who: str = field(default_factory=lambda: user())
    at: float = field(default_factory=time.time)
    individual: int | None = None
    text: str = ""
    idea: str = ""
    seeds: int = 1
    weights: Mapping[str, float] = field(default_factory=dict)
    gens: int | None = None
    until: float | None = None

    def __post_init__(self) -> None:
        """Raise UsageError for what no run could carry out."""
        if not _ID.fullmatch(self.id):
            raise UsageError(f"The id of a request must be 8 to 64 letters, digits, - or _, but it was {self.id!r}.")
        if self.verb.is_of_individual and self.individual is None:
            raise UsageError(f"Expected the number of an individual to {self.verb}, but got none.")
        if not 1 <= self.seeds <= MOST_SEEDS:
            raise UsageError(f"The number of seeds must be 1 to {MOST_SEEDS}, but it was {self.seeds}.")
        if self.verb is Verb.HINT and len(self.text) > MOST_HINT_CHARACTERS:
            raise UsageError(
                f"A hint may have {MOST_HINT_CHARACTERS:,} characters, but this one has {len(self.text):,}. Put long "
                "instructions into the file that `llm.program` names."
            )
        for name, weight in self.weights.items():
            if not (math.isfinite(weight) and weight >= 0):
                raise UsageError(f"The weight of operator {name} must be 0 or more, but it was {weight}.")
        if self.verb is Verb.EXTEND:
            self._check_budget()

    def _check_budget(self) -> None:
        if self.gens is None and self.until is None:
            raise UsageError("Expected the generations of the run, or a time at which it ends, but got neither.")
        if self.gens is not None and not 1 <= self.gens <= MOST_GENERATIONS:
            raise UsageError(f"The generations must be 1 to {MOST_GENERATIONS:,}, but they were {self.gens}.")
        if self.until is not None and not 0 <= self.until <= LATEST:
            raise UsageError(f"The end must be a time in seconds since 1970, or 0 for none, but it was {self.until}.")

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form, without what is not given: a driver of an older version reads it, too."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Return the action in a JSON object; raise UsageError for anything else."""
        if not isinstance(data, dict):
            raise UsageError(f"A request must be a JSON object, but it was {type(data).__name__}.")
        if unknown := sorted(map(str, data.keys() - _TYPES.keys())):
            raise UsageError(f"A request has no field {', '.join(unknown)}.")
        for name, value in data.items():
            if not isinstance(value, _TYPES[name]) or isinstance(value, bool):
                raise UsageError(f"The field {name} of a request cannot be {value!r}.")
        if data.get("verb") not in [*Verb]:
            raise UsageError(
                f"A request must have one of the verbs {', '.join(Verb)}, but it was {data.get('verb')!r}."
            )
        weights = data.get("weights", {})
        if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in weights.values()):
            raise UsageError("The weights of a request must be numbers.")
        return cls(**{**data, "verb": Verb(data["verb"])})

    def __str__(self) -> str:
        """Return what was asked in a few words."""
        match self.verb:
            case Verb.HINT:
                return f"hint: {self.text}" if self.text else "withdraw all hints"
            case Verb.AGAIN:
                return f"evaluate #{self.individual} with {counted(self.seeds, 'more seed')}"
            case Verb.INJECT:
                return f"inject a program: {self.idea}" if self.idea else "inject a program"
            case Verb.WEIGHTS:
                given = ", ".join(f"{name}={weight:g}" for name, weight in self.weights.items())
                return f"weights {given}" if given else "weights of the configuration"
            case Verb.EXTEND:
                return f"search {' and '.join(self._budget())}"
            case _ if self.individual is not None:
                return f"{self.verb} #{self.individual}"
        return str(self.verb)

    def _budget(self) -> Iterator[str]:
        if self.gens is not None:
            yield f"for {counted(self.gens, 'generation')} in all"
        if self.until is not None:
            yield (
                f"until {datetime.fromtimestamp(self.until, UTC):%Y-%m-%d %H:%M} UTC"
                if self.until
                else "without an end by time"
            )


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "verb": str,
    "id": str,
    "who": str,
    "at": (int, float),
    "individual": (int, type(None)),
    "text": str,
    "idea": str,
    "seeds": int,
    "weights": dict,
    "gens": (int, type(None)),
    "until": (int, float, type(None)),
}


def user() -> str:
    """Return who asks from this process."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no entry for this user id: OSError from Python 3.13 on
        name = "unknown"
    return f"{name}@{socket.gethostname()}"


def dated(text: str, at: float) -> str:
    """Return a hint as the model is told it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}: {text}"

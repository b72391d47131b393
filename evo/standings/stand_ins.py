"""Which language models were asked instead of others, which had refused a prompt or could not be used."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from evo.store import STOOD_IN, StoreView
from trainer.errors import counted


@dataclass(frozen=True, slots=True)
class StandIns:
    """The calls that others answered in the place of one model.

    Attributes:
        model: that was to be asked.
        by: how many calls each of the others answered.
        reason: of the last time.
    """

    model: str
    by: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""

    def __str__(self) -> str:
        """Return two sentences."""
        others = ", ".join(f"{name} in {counted(count, 'call')}" for name, count in self.by.items())
        return f"In the place of {self.model}: {others}. The last time: {self.reason}"


def read_stand_ins(store: StoreView) -> tuple[StandIns, ...]:
    """Return whom others stood in for, by name."""
    # A call that a killed driver had sent is made again, and may then go to another model.
    places = ("proposal", "lessons", "turn")
    calls = {tuple(event.payload.get(one) for one in places): event.payload for event in store.events(STOOD_IN)}
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    reasons: dict[str, str] = {}
    for call in calls.values():
        counts[call["model"]][call["stand_in"]] += 1
        reasons[call["model"]] = call["reason"]
    return tuple(StandIns(model, dict(counts[model].most_common()), reasons[model]) for model in sorted(counts))


class Answering:
    """Knows which model gave the last answer of a proposal where that is not the one that was drawn."""

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._models: dict[int, str] = {}
        self._read = -1

    def of(self, proposal: int) -> str | None:
        """Return the model, or None where the one that was drawn answered."""
        for event in self._store.events(STOOD_IN, after=self._read):
            self._models[event.payload["proposal"]] = event.payload["stand_in"]
            self._read = event.id
        return self._models.get(proposal)

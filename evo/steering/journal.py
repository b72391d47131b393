"""What was asked of a run so far, from the events of its store, and what holds of it when a proposal begins."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from evo.steering.actions import Action, Verb, dated
from evo.store import Event, Store, StoreView

EVENT = "steered"


@dataclass(frozen=True, slots=True)
class Steered:
    """A request that a driver took up.

    Attributes:
        taken_at: seconds since 1970, UTC.
        newest_proposal: the newest one begun by then; the request holds for those after it.
        refused: why it did nothing, one sentence; empty where it acted.
        individual: that an injected program became; None otherwise.
    """

    action: Action
    taken_at: float
    newest_proposal: int
    refused: str = ""
    individual: int | None = None

    @classmethod
    def of(cls, event: Event) -> Steered:
        """Return the request of an event."""
        data: dict[str, Any] = {**event.payload}
        return cls(
            action=Action.from_json(data["action"]),
            taken_at=event.at,
            newest_proposal=data["newest_proposal"],
            refused=data["refused"],
            individual=data["individual"],
        )

    def __str__(self) -> str:
        """Return what came of it in a sentence."""
        said = str(self.action)
        if self.individual is not None:
            said = f"{said}, which became #{self.individual}"
        return f"{self.action.who} asked: {said}" + (f" (refused: {self.refused})" if self.refused else "")


@dataclass(frozen=True, slots=True)
class Course:
    """What holds of all that was asked.

    Attributes:
        is_paused: whether nothing new begins.
        hints: to the language model, dated, oldest first.
        pinned: always candidate parents, and finalists.
        banned: never parents.
        weights: of operators, in place of the configured ones; empty for these.
    """

    is_paused: bool = False
    hints: tuple[str, ...] = ()
    pinned: frozenset[int] = frozenset()
    banned: frozenset[int] = frozenset()
    weights: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        individuals = {"pinned": sorted(self.pinned), "banned": sorted(self.banned)}
        return {"is_paused": self.is_paused, "hints": list(self.hints), **individuals, "weights": dict(self.weights)}

    def after(self, action: Action) -> Course:
        """Return what holds once `action` was taken up."""
        one = frozenset() if action.individual is None else frozenset([action.individual])
        match action.verb:
            case Verb.PAUSE | Verb.CONTINUE:
                return replace(self, is_paused=action.verb is Verb.PAUSE)
            case Verb.HINT:
                return replace(self, hints=(*self.hints, dated(action.text, action.at)) if action.text else ())
            case Verb.PIN:
                return replace(self, pinned=self.pinned | one, banned=self.banned - one)
            case Verb.BAN:
                return replace(self, pinned=self.pinned - one, banned=self.banned | one)
            case Verb.RELEASE:
                return replace(self, pinned=self.pinned - one, banned=self.banned - one)
            case Verb.WEIGHTS:
                return replace(self, weights=dict(action.weights))
        return self


class SteeringJournal:
    """The requests that a run has taken up.

    Args:
        store: of the run; `record` needs it open for writing.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._courses: list[Course] = []
        self._since: list[int] = []
        self._ids: set[str] = set()
        self._read = 0
        self.refresh()

    def refresh(self) -> list[Steered]:
        """Take in what the store holds beyond what is known, and return it."""
        found = [event for event in self._store.events(EVENT) if event.id > self._read]
        steered = [Steered.of(event) for event in found]
        if found:
            self._read = found[-1].id
        for one in steered:
            self._take_in(one)
        return steered

    @property
    def course(self) -> Course:
        """What holds now."""
        return self._courses[-1] if self._courses else Course()

    def at(self, proposal: int) -> Course:
        """Return what held when a proposal began."""
        place = bisect_left(self._since, proposal)
        return self._courses[place - 1] if place else Course()

    def knows(self, action: Action) -> bool:
        """Return whether a request was taken up before."""
        return action.id in self._ids

    def record(self, store: Store, action: Action, refused: str = "", individual: int | None = None) -> Steered:
        """Record in the transaction under way that a request is taken up; the source of a program stands elsewhere."""
        kept = replace(action, text="") if action.verb is Verb.INJECT else action
        newest = store.last_proposal_number() or 0
        payload = {"newest_proposal": newest, "refused": refused, "individual": individual}
        store.record_event(EVENT, {"action": kept.to_json(), **payload})
        (steered,) = self.refresh()
        return steered

    def _take_in(self, steered: Steered) -> None:
        self._ids.add(steered.action.id)
        if not steered.refused:
            self._courses.append(self.course.after(steered.action))
            self._since.append(steered.newest_proposal)

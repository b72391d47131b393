"""Texts that change while a run goes on, as of any proposal: the user's instructions, and the lessons."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from evo.store import StoreView

INSTRUCTIONS = "instructions"
"""The kind of the event that holds the text of `program.md` from then on."""


class TextBook:
    """Knows every text that the events of a kind have brought.

    Attributes:
        texts: oldest first.
    """

    def __init__(self, store: StoreView, kind: str) -> None:
        self.texts: list[str] = []
        self._since: list[int] = []
        self._store = store
        self._kind = kind
        self._read = -1
        self.refresh()

    @property
    def newest(self) -> str | None:
        """The text that holds now; None before the first."""
        return self.texts[-1] if self.texts else None

    def text_at(self, proposal: int) -> str:
        """Return the text that held when a proposal began; empty before the first."""
        place = bisect_left(self._since, proposal)
        return self.texts[place - 1] if place else ""

    def refresh(self) -> None:
        """Take in what the store has received since the last time."""
        for event in self._store.events(self._kind, after=self._read):
            self._read = event.id
            self._take_in(event.payload)

    def _take_in(self, payload: Mapping[str, Any]) -> None:
        if payload["text"] is not None:
            self.texts.append(payload["text"])
            self._since.append(payload["newest_proposal"])

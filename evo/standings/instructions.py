"""What the user's instructions to language models were, as of any proposal."""

from __future__ import annotations

from bisect import bisect_left

from evo.store import StoreView

INSTRUCTIONS = "instructions"
"""The kind of the event that holds the text of `program.md` from then on."""


class InstructionsBook:
    """Knows every text that the instructions of a run had.

    Args:
        store: of the run.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._texts: list[str] = []
        self._since: list[int] = []
        self._read = -1
        self.refresh()

    @property
    def newest(self) -> str | None:
        """The text that holds now; None before the first."""
        return self._texts[-1] if self._texts else None

    def at(self, proposal: int) -> str:
        """Return the text that held when a proposal began; empty before the first."""
        place = bisect_left(self._since, proposal)
        return self._texts[place - 1] if place else ""

    def refresh(self) -> None:
        """Take in what the store has received since the last time."""
        for event in self._store.events(INSTRUCTIONS, after=self._read):
            self._read = event.id
            self._texts.append(event.payload["text"])
            self._since.append(event.payload["newest_proposal"])

"""What the user's instructions to language models were, as of any proposal."""

from __future__ import annotations

from evo.standings.texts import TextHistory
from evo.store import StoreView

INSTRUCTIONS = "instructions"
"""The kind of the event that holds the text of `program.md` from then on."""


class InstructionsBook(TextHistory):
    """Knows every text that the instructions of a run had."""

    def __init__(self, store: StoreView) -> None:
        super().__init__()
        self._store = store
        self._read = -1
        self.refresh()

    def refresh(self) -> None:
        """Take in what the store has received since the last time."""
        for event in self._store.events(INSTRUCTIONS, after=self._read):
            self._read = event.id
            self.add(event.payload["text"], event.payload["newest_proposal"])

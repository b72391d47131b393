"""The user's instructions to language models: the text of `program.md`, taken up whenever it changes.

The store is the authority on them, as it is on the lessons: each text is an event before any prompt tells it, so that a
proposal that is made again after a kill is told the same.
"""

from __future__ import annotations

from pathlib import Path

from evo.search.observer import Deferred
from evo.search.watched import WatchedFile
from evo.standings.texts import INSTRUCTIONS, TextBook
from evo.store import Store

_SETTLE_SECONDS = 1.0


class InstructionsKeeper:
    """Keeps what `program.md` says, as of any proposal.

    The user edits it in `file`; None for nowhere.
    """

    def __init__(self, store: Store, book: TextBook, file: Path | None, news: Deferred) -> None:
        self._store = store
        self._book = book
        self._news = news
        self._file = None if file is None else WatchedFile(file, news, _SETTLE_SECONDS)

    def take_in(self) -> None:
        """Record in the transaction under way what the user has changed."""
        text = None if self._file is None else self._file.changed()
        if text is None or text == self._book.newest:
            return
        is_edit = self._book.newest is not None
        newest = self._store.last_proposal_number() or 0
        self._store.record_event(INSTRUCTIONS, {"newest_proposal": newest, "text": text})
        self._book.refresh()
        if is_edit and self._file is not None:
            self._news.note(f"Your edit of {self._file.path.name} is applied.")

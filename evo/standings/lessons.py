"""What a run has learnt: a list that a language model keeps, and that the user may edit, as of any proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from evo.standings.texts import TextHistory
from evo.store import StoreView

LESSONS = "lessons"
"""The kind of the event that holds the whole list from then on, or says why a call brought none."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BULLET = re.compile(r"^[-*+]\s+")


@dataclass(frozen=True, slots=True)
class Lessons:
    """The list of a run.

    Attributes:
        lines: of it.
        result_number: of the newest result that the model has drawn lessons from; None before the first.
        problem: why the last call for them brought none; empty if it did not fail.
    """

    lines: tuple[str, ...] = ()
    result_number: int | None = None
    problem: str = ""


class LessonsBook:
    """Knows every state of the list."""

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._history = TextHistory()
        self._read = -1
        self.asked = 0
        self._result_number: int | None = None
        self._problem = ""
        self.refresh()

    @property
    def texts(self) -> list[str]:
        """All states of the file, oldest first."""
        return self._history.texts

    @property
    def lessons(self) -> Lessons:
        """The newest list."""
        return Lessons(lesson_lines(self._history.newest or ""), self._result_number, self._problem)

    def at(self, proposal: int) -> tuple[str, ...]:
        """Return the lines that held when a proposal began."""
        return lesson_lines(self._history.at(proposal))

    def refresh(self) -> None:
        """Take in what the store has received since the last time."""
        for event in self._store.events(LESSONS, after=self._read):
            self._read = event.id
            if (result_number := event.payload["told"]) is not None:
                self.asked, self._problem = result_number, event.payload["problem"]
                self._result_number = self._result_number if self._problem else result_number
            if event.payload["text"] is not None:
                self._history.add(event.payload["text"], event.payload["newest_proposal"])


def lesson_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a list in Markdown, without comments and headings."""
    return tuple(_lines(_COMMENT.sub("", text)))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        stripped = _BULLET.sub("", line.strip())
        if stripped and not re.match(r"#+ ", stripped):
            yield stripped

"""What a run has learnt: a list that a language model keeps, and that the user may edit, as of any proposal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evo.standings.texts import TextBook
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


class LessonsBook(TextBook):
    """Knows every state of the list.

    Attributes:
        asked: the newest result for which the model was asked, 0 before the first.
    """

    def __init__(self, store: StoreView) -> None:
        self.asked = 0
        self._result_number: int | None = None
        self._problem = ""
        super().__init__(store, LESSONS)

    @property
    def lessons(self) -> Lessons:
        """The newest list."""
        return Lessons(lesson_lines(self.newest or ""), self._result_number, self._problem)

    def _take_in(self, payload: Mapping[str, Any]) -> None:
        super()._take_in(payload)
        if (result_number := payload["told"]) is not None:
            self.asked, self._problem = result_number, payload["problem"]
            self._result_number = self._result_number if self._problem else result_number


def lesson_lines(text: str) -> tuple[str, ...]:
    """Return the lines of a list in Markdown, without comments and headings."""
    return tuple(_lines(_COMMENT.sub("", text)))


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        stripped = _BULLET.sub("", line.strip())
        if stripped and not re.match(r"#+ ", stripped):
            yield stripped

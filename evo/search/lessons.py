"""Lessons: now and then a language model says what the run has taught, and the next prompts tell it.

The list stands in `lessons.md` in the run's folder. The store is the authority on it: each state, the user's edits
included, is an event before any prompt tells it, so that a proposal that is made again after a kill is told the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from evo.files import read_text, replace_file
from evo.search.observer import Deferred
from evo.search.watched import WatchedFile
from evo.standings.lessons import LESSONS, LessonsBook
from evo.store import Store
from operators.errors import CostLimitReached, OperatorUnavailable
from operators.proposal import LessonsRequest, Memory, NoOffspring, Teacher
from trainer.errors import counted

_HEAD = (
    "<!-- What this run has learnt: written by the language model, and part of its prompts. Edit it as you like; edits "
    "apply at once. Lines without the number of an individual are yours, and stay. -->\n\n"
)

Recall = Callable[[int], tuple[Memory, dict[str, float]]]
"""Returns every idea of the run up to a result, and the noise of the objectives."""


class LessonKeeper:
    """Keeps the list of lessons of a run.

    Args:
        book: every state of the list.
        teacher: draws the lessons; None where no language model is at hand.
        recall: what they are drawn from.
        every: results between two calls; 0 for never.
        file: where the user reads and edits the list; None for nowhere.
        news: told of changes.
        unavailable: told why no model could be asked.
    """

    def __init__(
        self,
        store: Store,
        book: LessonsBook,
        teacher: Teacher | None,
        recall: Recall,
        every: int,
        file: Path | None,
        news: Deferred,
        unavailable: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._unavailable = unavailable
        self._book = book
        self._teacher = teacher
        self._recall = recall
        self._every = every if teacher is not None else 0
        self._file = None if file is None else WatchedFile(file, news)
        self._news = news
        self._task: asyncio.Task[Sequence[str]] | None = None
        self._asked_at = 0
        self._asked_with = 0
        self._written = book.newest
        self._is_stale = self._was_left_behind()

    @property
    def tasks(self) -> list[asyncio.Task[Sequence[str]]]:
        """The call under way, if any."""
        return [] if self._task is None else [self._task]

    def take_in(self) -> None:
        """Record in the transaction under way what the user has changed, and what the model has answered."""
        self._take_in_edit()
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            if not task.cancelled():
                self._take_in_answer(task)

    def start(self, result_number: int) -> None:
        """Ask for lessons when enough results have come since the last time."""
        if not self._every or self._task is not None or self._teacher is None or self._teacher.is_away:
            return
        due = result_number // self._every * self._every
        if due <= self._book.asked:
            return
        memory, noise = self._recall(due)
        request = LessonsRequest(
            number=due,
            memory=memory,
            lessons=self._book.lessons.lines,
            noise=noise,
            date=f"{datetime.now(UTC):%Y-%m-%d}",
            journal=self._store.lessons_journal(due),
        )
        self._asked_at, self._asked_with = due, len(self._book.texts)
        self._task = asyncio.create_task(self._teacher.distil(request))

    def committed(self) -> None:
        """Write the file, now that the store holds what it says."""
        if self._file is None or not self._is_stale or self._written is None:
            return
        try:
            replace_file(self._file.path, self._written)
            self._file.skip()
        except OSError as error:
            self._news.note(f"{self._file.path} could not be written: {error.strerror}. The store has the lessons.")
        self._is_stale = False

    def cancel(self) -> None:
        """Give up the call under way, which a resumed run makes again."""
        for task in self.tasks:
            task.cancel()

    def _take_in_answer(self, task: asyncio.Task[Sequence[str]]) -> None:
        match task.exception():
            case None if len(self._book.texts) != self._asked_with:
                self._record(None, told=self._asked_at, problem="the list was edited while the model wrote a new one")
            case None:
                lines = task.result()
                self._record(_HEAD + "".join(f"- {line}\n" for line in lines), told=self._asked_at)
                self._is_stale = True
                self._news.note(f"{counted(len(lines), 'lesson')} after result {self._asked_at}: lessons.md")
            case NoOffspring() | OperatorUnavailable() | CostLimitReached() as problem:
                self._record(None, told=self._asked_at, problem=str(problem))
                if isinstance(problem, OperatorUnavailable):
                    self._unavailable(str(problem))
            case error:
                raise error

    def _take_in_edit(self) -> None:
        if self._file is None or self._is_stale:
            return
        text = self._file.changed()
        if text is not None and text != self._written:
            self._record(text)
            self._news.note("Your edit of lessons.md is applied.")

    def _record(self, text: str | None, told: int | None = None, problem: str = "") -> None:
        newest = self._store.last_proposal_number() or 0
        payload = {"told": told, "newest_proposal": newest, "text": text, "problem": problem}
        self._store.record_event(LESSONS, payload)
        self._book.refresh()
        if text is not None:
            self._written = text

    def _was_left_behind(self) -> bool:
        """Return whether the file lacks the newest list of the store, because a kill came between the two."""
        if self._file is None or self._written is None:
            return False
        try:
            return read_text(self._file.path) in self._book.texts[:-1]
        except FileNotFoundError:
            return True
        except (OSError, UnicodeDecodeError):
            return False

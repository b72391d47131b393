"""A text file that a user edits while a run goes on."""

from __future__ import annotations

import time
from pathlib import Path

from evo.files import read_text
from evo.search.observer import Deferred

_MOST_CHARACTERS = 100_000
_Stamp = tuple[int, int]


class WatchedFile:
    """Tells when a file has another text; whatever happens to it, the run goes on with the text that it has.

    Args:
        path: of the file, which may be absent.
        news: told of what cannot be taken up.
        settle_seconds: for so long an edited file must have been left alone before it is read, because an editor may
            have written the half of it.
    """

    def __init__(self, path: Path, news: Deferred, settle_seconds: float = 0.0) -> None:
        self.path = path
        self._news = news
        self._settle_seconds = settle_seconds
        self._stamp: _Stamp | None = None
        self._has_text = False
        self._unsettled: tuple[_Stamp, float] | None = None

    def changed(self) -> str | None:
        """Return the text of a file that has changed since the last time and can be used, else None."""
        stamp = self._stamp_now()
        if stamp == self._stamp:
            return None
        if stamp is None:
            self._news.note(f"{self.path} is gone; prompts keep its last text.")
        elif self._has_text and not self._has_settled(stamp):
            return None
        self._stamp, self._has_text = stamp, True
        return None if stamp is None else self._read()

    def skip(self) -> None:
        """Take the file as it is now for known."""
        self._stamp = self._stamp_now()

    def _read(self) -> str | None:
        try:
            text = read_text(self.path)
        except (OSError, UnicodeDecodeError) as error:
            self._news.note(f"{self.path} is not used: it cannot be read as UTF-8 ({error}).")
            return None
        if len(text) > _MOST_CHARACTERS:
            self._news.note(f"{self.path} is not used: it has more than {_MOST_CHARACTERS:,} characters.")
            return None
        return text

    def _has_settled(self, stamp: _Stamp) -> bool:
        modified_ns, _ = stamp
        if time.time() - modified_ns / 1e9 >= self._settle_seconds:
            return True
        if self._unsettled is None or self._unsettled[0] != stamp:  # the clock of a file server may be ahead
            self._unsettled = stamp, time.monotonic()
        return time.monotonic() - self._unsettled[1] >= self._settle_seconds

    def _stamp_now(self) -> _Stamp | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

"""A text that changes while a run goes on, as of any proposal."""

from __future__ import annotations

from bisect import bisect_left


class TextHistory:
    """Every text that there was.

    Attributes:
        texts: oldest first.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._since: list[int] = []

    def add(self, text: str, newest_proposal: int) -> None:
        """Add the text that holds for every proposal after `newest_proposal`."""
        self.texts.append(text)
        self._since.append(newest_proposal)

    @property
    def newest(self) -> str | None:
        """The text that holds now; None before the first."""
        return self.texts[-1] if self.texts else None

    def at(self, proposal: int) -> str:
        """Return the text that held when a proposal began; empty before the first."""
        place = bisect_left(self._since, proposal)
        return self.texts[place - 1] if place else ""

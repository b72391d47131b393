"""What a running search tells whoever watches it."""

from __future__ import annotations

from typing import Protocol

from evo.standings.standings import Standings
from evo.store import IndividualRecord, Outcome


class Observer(Protocol):
    """Told of everything a person would want to see while a run goes on; it must not raise."""

    def launched(self, running: int) -> None:
        """Report that an evaluation started; `running` are under way now."""
        ...

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Report an accepted result; `reason` says why it failed, if it did."""
        ...

    def note(self, message: str) -> None:
        """Report anything else worth a line."""
        ...

    def stopping(self) -> None:
        """Report that the run ends soon; from now on the process may end at any moment without another word."""
        ...


class Silent:
    """Watches nothing."""

    def launched(self, running: int) -> None:
        """Ignore."""

    def finished(self, record: IndividualRecord, outcome: Outcome, standings: Standings, reason: str) -> None:
        """Ignore."""

    def note(self, message: str) -> None:
        """Ignore."""

    def stopping(self) -> None:
        """Ignore."""

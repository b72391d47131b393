"""What follows a run beside the terminal: the log of events, a dashboard."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trainer.errors import UsageError

if TYPE_CHECKING:
    from evo.commands.views.live import LiveView
    from evo.search.observer import Observer

EventsOption = Annotated[
    str | None,
    typer.Option("--events", metavar="FILE", help="Append every event to this file as a line of JSON; - for stdout."),
]
DashboardOption = Annotated[
    bool, typer.Option("--dashboard", help="Show the run live in a browser; prints the address. See: evo dashboard")
]
PortOption = Annotated[
    int | None,
    typer.Option("--dashboard-port", min=0, max=65535, help="Port of the dashboard. [default: a free one]"),
]


@dataclass(frozen=True, slots=True)
class Following:
    """What was asked for.

    Attributes:
        events: the file for the events, `-` for stdout; None for none.
        port: of the dashboard, 0 for a free one; None for no dashboard.
    """

    events: str | None
    port: int | None

    @classmethod
    def asked(cls, events: str | None, port: int | None, *, dashboard: bool) -> Following:
        """Return what flags ask for; a port asks for a dashboard."""
        return cls(events, 0 if dashboard and port is None else port)

    @contextmanager
    def of(self, run: Path, view: LiveView) -> Iterator[Observer]:
        """Yield an observer that tells the view and what follows the run.

        Args:
            run: its folder, which may be made later.
            view: what shows the run on the terminal.

        Raises:
            UsageError: the file for the events cannot be written.
        """
        from evo.search.event_log import EventLog
        from evo.search.events import CallbackObserver
        from evo.search.observer import Observers

        with ExitStack() as following:
            callbacks = [] if self.events is None else [following.enter_context(EventLog(self.events))]
            if self.port is not None:
                _show(run, self.port, view, following)
            yield Observers(view, CallbackObserver(callbacks, stop=lambda: None)) if callbacks else view


def _show(run: Path, port: int, view: LiveView, following: ExitStack) -> None:
    """Start a dashboard and announce its address; a port that is in use is no reason not to search."""
    from evo.dashboard.beside import dashboard_beside

    try:
        view.announce(f"dashboard: {following.enter_context(dashboard_beside(run, port))}")
    except UsageError as error:
        view.announce(f"{error} The run goes on without it.")

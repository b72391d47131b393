"""What follows a run beside the terminal: the log of events, a dashboard, trackers, notifications."""

from __future__ import annotations

import importlib.util
import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from evo.commands.options import comma_separated, is_time_of_day
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

TrackOption = Annotated[
    str | None,
    typer.Option("--track", metavar="NAMES", help="Trackers, comma-separated: mlflow, tensorboard, trackio, wandb."),
]
NotifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--notify",
        metavar="URL|COMMAND",
        help="Send a message at a new best, a stall and the end: to an address of apprise, to the stdin of a command, "
        "or to env:NAME, a variable with either. May be repeated.",
    ),
]
NotifyAtOption = Annotated[
    str | None,
    typer.Option("--notify-at", metavar="HH:MM", help="Send a digest of what was found, every day at this time."),
]

_OF_NETWORKS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, slots=True)
class Following:
    """What was asked for.

    Attributes:
        events: the file for the events, `-` for stdout; None for none.
        port: of the dashboard, 0 for a free one; None for no dashboard.
        targets: addresses and commands for notifications.
        digest_at: the time of day of a digest, such as `07:00`; None for none.
    """

    events: str | None
    port: int | None
    trackers: tuple[str, ...]
    targets: tuple[str, ...] = field(repr=False)  # they may hold secrets
    digest_at: str | None = None

    @classmethod
    def asked(
        cls,
        events: str | None,
        port: int | None,
        track: str | None,
        notify: Sequence[str] | None,
        notify_at: str | None = None,
        *,
        dashboard: bool,
    ) -> Following:
        """Return what flags ask for; a port asks for a dashboard.

        Raises:
            UsageError: there is no such tracker, its library is missing, or a notification can go nowhere or never.
        """
        from evo.followers.channels import resolved_target

        trackers = tuple(dict.fromkeys(comma_separated("--track", track) or []))
        for name in trackers:
            _require_tracker(name)
        targets = tuple(map(resolved_target, notify or []))
        if notify_at is not None:
            _require_time(notify_at, targets)
        return cls(events, 0 if dashboard and port is None else port, trackers, targets, notify_at)

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
            for name in self.trackers:
                following.enter_context(_tracked(run, name))
            if self.targets:
                following.enter_context(_notified(run, self.targets, self.digest_at))
            yield Observers(view, CallbackObserver(callbacks, stop=lambda: None)) if callbacks else view


def _show(run: Path, port: int, view: LiveView, following: ExitStack) -> None:
    """Start a dashboard and announce its address; a port that is in use is no reason not to search."""
    from evo.dashboard.beside import dashboard_beside

    try:
        view.announce(f"dashboard: {following.enter_context(dashboard_beside(run, port))}")
    except UsageError as error:
        view.announce(f"{error} The run goes on without it.")


def _tracked(run: Path, name: str) -> AbstractContextManager[None]:
    from evo.followers.companion import companion
    from evo.followers.trackers import VARIABLES
    from evo.followers.tracking import ENDING_SECONDS

    return companion(
        "evo.followers.tracking",
        str(run.absolute()),
        name,
        environment=_variables(VARIABLES[name]),
        patience_seconds=ENDING_SECONDS + 5,
    )


def _notified(run: Path, targets: Sequence[str], digest_at: str | None) -> AbstractContextManager[None]:
    from evo.followers.companion import companion
    from evo.followers.notifying import ENDING_SECONDS

    return companion(
        "evo.followers.notifying",
        str(run.absolute()),
        told=json.dumps([time.time(), targets, digest_at]),
        environment=_variables(()),
        patience_seconds=ENDING_SECONDS,
    )


def _variables(prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return the variables with these prefixes, and those that say how the network is reached."""
    return {
        name: value
        for name, value in os.environ.items()
        if (prefixes and name.startswith(prefixes)) or name.upper() in _OF_NETWORKS
    }


def _require_time(of_day: str, targets: Sequence[str]) -> None:
    if not is_time_of_day(of_day):
        raise UsageError(f"--notify-at expects a time of day such as 07:00, but got {of_day!r}.")
    if not targets:
        raise UsageError("--notify-at says when a digest is sent, but not where to: add --notify.")


def _require_tracker(name: str) -> None:
    from evo.followers.trackers import LIBRARIES

    if name not in LIBRARIES:
        raise UsageError(f"--track expects {', '.join(LIBRARIES)}, comma-separated, but got {name!r}.")
    if importlib.util.find_spec(LIBRARIES[name]) is None:
        raise UsageError(
            f"--track {name} needs the package {LIBRARIES[name]}. Install it: pip install 'evo-train[{name}]'"
        )

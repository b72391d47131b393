"""What each start of a run's driver found: the programs and devices that its results may depend on."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import zip_longest

from evo.config.resolved import ResolvedConfig
from evo.store import Store, StoreView
from operators.registry import REPLIES_REVISION, REVISION

_EVENT = "started"
_PACKAGES = {
    "evo": "evo-train",
    "torch": "torch",
    "DEAP": "deap",
    "LibCST": "libcst",
    "numpy": "numpy",
    "SciPy": "scipy",
    "Optuna": "optuna",
    "CMA-ES": "cmaes",
    "anthropic": "anthropic",
}
_DECISIVE = ("torch", "Python")
"""Programs under whose other versions the same genome may score otherwise."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a driver, be it of a new or of a resumed run.

    Attributes:
        event: number of the event that records it.
        at: seconds since 1970, UTC.
        versions: of programs, by name.
        devices: what its workers trained on, each once.
        newest_proposal: number of the last proposal before it.
        revision: of its classical operators (`operators.registry.REVISION`).
        replies_revision: of how it read replies (`operators.registry.REPLIES_REVISION`).
    """

    event: int
    at: float
    versions: Mapping[str, str]
    devices: tuple[str, ...]
    newest_proposal: int = 0
    revision: int = 0
    replies_revision: int = 1

    def differences(self, first: Start) -> Iterator[str]:
        """Yield in words what differs from the first start and may change what is measured."""
        for name in _DECISIVE:
            now, then = (start.versions.get(name, "absent") for start in (self, first))
            if now != then:
                yield f"{name} {now} instead of {then}"
        if set(self.devices) != set(first.devices):
            yield f"{', '.join(self.devices)} instead of {', '.join(first.devices)}"


def record_start(store: Store, config: ResolvedConfig) -> None:
    """Remember what the driver that starts now has found."""
    devices = tuple(dict.fromkeys(f"{device.kind} ({device.name})" for device in config.devices))
    revisions = {"revision": REVISION, "replies_revision": REPLIES_REVISION}
    found = {"versions": installed_versions(), "devices": devices, **revisions}
    store.record_event(_EVENT, found | {"newest_proposal": store.last_proposal_number() or 0})


def read_starts(store: StoreView) -> tuple[Start, ...]:
    """Return every recorded start of a run, oldest first."""
    return tuple(
        Start(
            event.id,
            event.at,
            event.payload["versions"],
            tuple(event.payload["devices"]),
            event.payload.get("newest_proposal", 0),
            event.payload.get("revision", 0),
            event.payload.get("replies_revision", 1),
        )
        for event in store.events(_EVENT)
    )


def newest_of_other_operators(starts: Sequence[Start]) -> float:
    """Return the last proposal that was begun by other classical operators than today's; infinity where all were."""
    return _newest(starts, lambda start: start.revision != REVISION)


def newest_of_another_reading(starts: Sequence[Start]) -> float:
    """Return the last proposal that was begun when replies were read otherwise than today; infinity where all were."""
    return _newest(starts, lambda start: start.replies_revision != REPLIES_REVISION)


def _newest(starts: Sequence[Start], is_another: Callable[[Start], bool]) -> float:
    newest: float = 0
    for start, following in zip_longest(starts, starts[1:]):
        if is_another(start):
            newest = following.newest_proposal if following else math.inf
    return newest


def comparability(starts: tuple[Start, ...]) -> str:
    """Return one line on what differs between the last start and the first; empty when nothing that matters does."""
    changes = ", ".join(starts[-1].differences(starts[0])) if starts else ""
    return f"The run continues with {changes}: earlier results may not be comparable." if changes else ""


def installed_versions() -> dict[str, str]:
    """Return the versions of the programs of this environment, by name; nothing is imported."""
    versions = {"Python": platform.python_version()}
    for name, package in _PACKAGES.items():
        with suppress(PackageNotFoundError):  # looking at runs needs no torch
            versions[name] = version(package)
    return versions

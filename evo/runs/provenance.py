"""What each start of a run's driver found: the programs and devices that its results may depend on."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from evo.config.resolved import ResolvedConfig
from evo.store import Store, StoreView

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
    """

    event: int
    at: float
    versions: Mapping[str, str]
    devices: tuple[str, ...]

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
    store.record_event(_EVENT, {"versions": installed_versions(), "devices": devices})


def read_starts(store: StoreView) -> tuple[Start, ...]:
    """Return every recorded start of a run, oldest first."""
    return tuple(
        Start(event.id, event.at, event.payload["versions"], tuple(event.payload["devices"]))
        for event in store.events(_EVENT)
    )


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

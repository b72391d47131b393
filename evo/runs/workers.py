"""The workers of a run: which are there, on what device, how busy, how noisy. From the store alone, for every kind."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import stdev

from evo.runs.lifecycle import Viewed
from evo.runs.provenance import read_starts
from evo.standings.sentinels import device_of
from evo.store import SlotUse
from evo.workers.pool import joined_and_left, retirements


class Doing(StrEnum):
    """What a worker does."""

    EVALUATES = "evaluates"
    IDLE = "idle"
    OUT_OF_SERVICE = "out of service"
    LEFT = "left"
    """Its node is not there any more."""
    ENDED = "ended"
    """The driver is."""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """What is known of one worker since the newest start of the run's driver.

    Attributes:
        name: as evaluations record it.
        device_class: of its device; empty before its first result, unless it has joined a run on a cluster.
        individual: that it evaluates; None unless it does.
        seconds: since it began with that; None unless it does.
        results: that it gave.
        lost: evaluations that it lost or had to give back.
        busy: share of the time since it was first there in which it evaluated.
        sentinels: how often generation 0 ran with the sentinels' seed on its device, in the whole run.
        sentinel_spread: standard deviation of these in the first objective; None before two.
        sentinel_sigmas: how far the newest one is off, in standard deviations of one evaluation; positive where it is
            better; None before one can be judged.
    """

    name: str
    device_class: str
    doing: Doing
    individual: int | None
    seconds: float | None
    results: int
    lost: int
    busy: float
    sentinels: int
    sentinel_spread: float | None
    sentinel_sigmas: float | None


def read_workers(viewed: Viewed) -> list[WorkerState]:
    """Return the workers of the newest start of a run, by name."""
    store, is_live = viewed.store, viewed.folder.driver() is not None
    starts = read_starts(store)
    begun = starts[-1] if starts else None
    since = begun.at if begun else 0.0
    end = time.time() if is_live else (store.period() or (0.0, 0.0))[1]
    joined, left = joined_and_left(store, begun.event if begun else 0)
    retired = {one.worker for one in retirements(store) if begun is None or one.event > begun.event}
    uses: dict[str, list[SlotUse]] = {name: [] for name in joined}
    for use in store.slot_uses():
        if use.launched_at >= since:
            uses.setdefault(use.device, []).append(use)

    def state(name: str, used: Sequence[SlotUse]) -> WorkerState:
        running = next((use for use in used if use.state == "running"), None) if is_live else None
        classes = [use.device_class for use in used if use.device_class]
        doing = Doing.EVALUATES if running else Doing.IDLE if is_live else Doing.ENDED
        doing = Doing.LEFT if name in left else Doing.OUT_OF_SERVICE if name in retired else doing
        readings = viewed.standings.sentinels.readings(device_of(name))
        newest = viewed.standings.sentinels.newest(device_of(name))
        return WorkerState(
            name=name,
            device_class=joined.get(name) or (classes[-1] if classes else ""),
            doing=doing,
            individual=running.individual if running else None,
            seconds=end - running.launched_at if running else None,
            results=sum(use.state == "accepted" for use in used),
            lost=sum(use.state == "released" for use in used),
            busy=_busy(used, end),
            sentinels=len(readings),
            sentinel_spread=stdev(readings) if len(readings) > 1 else None,
            sentinel_sigmas=newest.sigmas if newest else None,
        )

    return [state(name, uses[name]) for name in sorted(uses)]


def _busy(uses: Sequence[SlotUse], end: float) -> float:
    """Return the share of the time from the first use to the end in which a slot was used."""
    if not uses:
        return 0.0
    whole = end - min(use.launched_at for use in uses)
    used = sum((end if use.ended_at is None else use.ended_at) - use.launched_at for use in uses)
    return min(1.0, used / whole) if whole > 0 else 1.0

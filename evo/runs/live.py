"""The curves of what a run's workers train now, as their supervisors leave them (`trainer.supervisor.live`).

Candidates decide what values they hold, so a file counts only if it is a small plain one with numbers in it.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo.runs.lifecycle import Viewed
from evo.store import EvaluationRecord, StoreView

_MOST_BYTES = 2**16
_MOST_POINTS = 200
_CLOCKS_APART_SECONDS = 1.0

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Live:
    """The curve of an evaluation that runs.

    Attributes:
        name: of what is followed.
        points: seconds and value, the oldest first.
        parent: its first parent; None for generation 0.
        parent_points: the same of the parent's newest training; empty where the store has none.
        parent_value: the parent's mean, where an objective is followed.
    """

    evaluation: int
    name: str
    points: Points
    parent: int | None
    parent_points: Points
    parent_value: float | None


def live_curves(viewed: Viewed) -> Iterator[Live]:
    """Yield the curves of what runs now; what reports nothing has none."""
    for record in viewed.store.running():
        _, _, number = (record.device or "").rpartition("/")
        if number.isdecimal() and (found := _read(viewed.folder.live / f"{number}.json", record)):
            name, points = found
            parent = next(iter(viewed.store.individual(record.individual).parents), None)
            known = None if parent is None else viewed.standings.measured.get(parent)
            value = known.means.get(name) if known else None
            curve = () if parent is None else _newest_curve(viewed.store, parent, name)
            yield Live(record.id, name, points, parent, curve, value)


def _newest_curve(store: StoreView, individual: int, name: str) -> Points:
    for record in reversed(store.evaluations_of(individual)):
        if record.result and record.result.curve and record.result.curve_name == name:
            return _thinned([(point.seconds, point.loss) for point in record.result.curve if math.isfinite(point.loss)])
    return ()


def _thinned(points: list[tuple[float, float]]) -> Points:
    step = max(1, math.ceil(len(points) / _MOST_POINTS))
    return (*points[::step], *points[-1:])


def _read(path: Path, record: EvaluationRecord) -> tuple[str, Points] | None:
    """Return name and points of a curve; None where there is none of this evaluation."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(_MOST_BYTES + 1)
        data = json.loads(content)
        if len(content) > _MOST_BYTES or data["began"] < (record.launched_at or 0.0) - _CLOCKS_APART_SECONDS:
            return None
        points = tuple((_number(seconds), _number(value)) for seconds, value in data["points"][:_MOST_POINTS])
        return (str(data["name"])[:100], points) if points else None
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number

"""The workers of a run as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from evo.commands.views.terminal import literal, print_table, print_whole
from evo.runs.workers import WorkerState
from evo.text import duration

_HEADER = ("worker", "now", "results", "lost", "busy", "sentinels", "device")


def print_workers(console: Console, workers: Sequence[WorkerState]) -> None:
    """Print a line for each worker."""
    if not workers:
        print_whole(console, "No worker has evaluated anything yet.")
        return
    print_table(console, _HEADER, map(_row, workers), left=("worker", "now", "sentinels", "device"))


def _row(worker: WorkerState) -> tuple[str, ...]:
    now = literal(str(worker.doing))
    if worker.individual is not None and worker.seconds is not None:
        now = f"#{worker.individual} for {duration(worker.seconds)}"
    return (
        literal(worker.name),
        now,
        str(worker.results),
        str(worker.lost),
        f"{worker.busy:.0%}",
        _sentinels(worker),
        literal(worker.device_class),
    )


def _sentinels(worker: WorkerState) -> str:
    """Return how often generation 0 ran on the device, how far that spread, and how far off the last one is."""
    said = str(worker.sentinels)
    if worker.sentinel_spread is not None:
        said += f", ± {worker.sentinel_spread:.2g}"
    if worker.sentinel_sigmas is not None:
        said += f", last {worker.sentinel_sigmas:+.1f} σ"
    return said

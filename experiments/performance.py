"""What the driver costs, all in one: run by `make bench`, recorded under records/.

Takes about eight minutes on an otherwise idle machine; other load makes every figure worse.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from experiments import driver_cost, slots_busy, startup, worker_overhead
from experiments.recording import write_record

_PARTS: tuple[tuple[str, Callable[[], str], Callable[[], str]], ...] = (
    ("Driver cost per candidate", driver_cost.measure, partial(driver_cost.measure, 240)),
    ("Slots busy", slots_busy.measure, partial(slots_busy.measure, 16, 0.1, 0.1)),
    ("Worker seconds outside the budget", worker_overhead.measure, partial(worker_overhead.measure, 2, 1.0)),
    ("Start of the command", startup.measure, partial(startup.measure, 3)),
)


def main(*, quick: bool) -> None:
    """Measure everything and print it; record it unless it is `quick`, which only shows that the programs work."""
    sections = []
    for title, measure, measure_quickly in _PARTS:
        section = f"## {title}\n\n{measure_quickly() if quick else measure()}"
        print(section, flush=True)
        sections.append(section)
    if not quick:
        print(write_record("performance", "\n".join(sections)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, no record")
    main(quick=parser.parse_args().quick)

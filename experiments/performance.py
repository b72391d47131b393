"""What the driver costs, all in one: run by `make bench`, recorded under records/.

Takes about eight minutes on an otherwise idle machine; other load makes every figure but the busy slots worse.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from experiments import driver_cost, sandbox_cost, slots_busy, startup, worker_overhead
from experiments.recording import write_record


class _Part(NamedTuple):
    title: str
    measure: Callable[[], str]
    measure_quickly: Callable[[], str]


def _scoring(*sizes: int) -> str:
    from experiments import scoring_cost  # it imports torch, which would be counted as memory of the driver

    return scoring_cost.measure(*sizes)


_PARTS = {
    "driver": _Part("Driver cost per candidate", driver_cost.measure, partial(driver_cost.measure, 60)),
    "slots": _Part("Slots busy", slots_busy.measure, partial(slots_busy.measure, 16, 0.1, 0.1)),
    "worker": _Part(
        "Worker seconds outside the budget", worker_overhead.measure, partial(worker_overhead.measure, 2, 0.5)
    ),
    "sandbox": _Part("Sandbox", sandbox_cost.measure, partial(sandbox_cost.measure, 3, 1)),
    "scoring": _Part("Scoring and its probes", _scoring, partial(_scoring, 1, 4096)),
    "startup": _Part("Start of the command", startup.measure, partial(startup.measure, 3)),
}


def main(parts: Sequence[str], *, quick: bool) -> None:
    """Measure the parts and print them; record them unless it is `quick`, which only shows that the programs work."""
    sections = []
    for name in parts:
        part = _PARTS[name]
        section = f"## {part.title}\n\n{part.measure_quickly() if quick else part.measure()}"
        print(section, flush=True)
        sections.append(section)
    if not quick:
        print(write_record("-".join(("performance", *parts)), "\n".join(sections)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--quick", action="store_true", help="small sizes, no record")
    arguments = parser.parse_args()
    main(arguments.parts, quick=arguments.quick)

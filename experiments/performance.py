"""What the driver costs, all in one: run by `make bench`, recorded under records/.

Takes about eight minutes on an otherwise idle machine; other load makes every figure worse.
"""

from __future__ import annotations

from experiments import driver_cost, slots_busy, startup, worker_overhead
from experiments.recording import write_record

_PARTS = (
    ("Driver cost per candidate", driver_cost.measure),
    ("Slots busy", slots_busy.measure),
    ("Worker seconds outside the budget", worker_overhead.measure),
    ("Start of the command", startup.measure),
)


def main() -> None:
    """Measure everything, print it and record it."""
    sections = []
    for title, measure in _PARTS:
        section = f"## {title}\n\n{measure()}"
        print(section, flush=True)
        sections.append(section)
    print(write_record("performance", "\n".join(sections)))


if __name__ == "__main__":
    main()

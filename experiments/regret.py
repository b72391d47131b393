"""Regret after 640 noisy evaluations over seven recorded tables: the product's search beside other methods.

Run `python -m experiments.regret` (an hour and a half on two cores); `--seeds` and `--methods` make it shorter. Needs
`pip install .[bench]`. Regret is 0 for the best configuration of a table and 1 at the edge of its best 1%, by the mean
over all recorded seeds of what a method chose; no method sees more than the single trainings that it asked for, each
drawn again from the recorded ones.
"""

from __future__ import annotations

import math
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

import pandas as pd

from experiments.recording import report, seeds_parser
from experiments.table_baselines import METHODS, Configuration
from experiments.table_search import CLASSICAL, configuration, search_table
from experiments.tables import TABLES, load_table

EVALUATIONS = 640
_TUNED = {**{name: weight / 2 for name, weight in CLASSICAL.items()}, "tuning": 0.5}
OWN: dict[str, dict[str, dict[str, Any]]] = {
    "evo": {},
    "evo, one look": {"noise": {"leaders": 0}},
    "evo, tuning and bandit": {"operators": {"weights": _TUNED, "adaptive": True}},
}
"""The product's search, with what differs from its defaults in `[noise]` and `[operators]`."""
_RESAMPLES = 2000


def measure(job: tuple[str, str, str, int]) -> tuple[str, str, int, float]:
    """Return method, table, seed and regret of one whole search."""
    method, benchmark, data_set, seed = job
    table = load_table(benchmark, data_set)
    chosen: Configuration
    if method in OWN:
        chosen = search_table(table, configuration(seed, EVALUATIONS, **OWN[method]))
    else:
        chosen = METHODS[method](table, seed, EVALUATIONS)
    return method, data_set, seed, table.regret(chosen)


def interval(values: pd.DataFrame) -> tuple[float, float]:
    """Return the bootstrap 95% interval of the mean over tables of the means over seeds; seeds are resampled."""
    columns = [list(column) for _, column in values.items()]
    chance = random.Random(0)
    means = sorted(fmean(fmean(chance.choices(one, k=len(one))) for one in columns) for _ in range(_RESAMPLES))
    return means[math.floor(0.025 * _RESAMPLES)], means[math.ceil(0.975 * _RESAMPLES) - 1]


def summary(frame: pd.DataFrame) -> str:
    """Return one line a method: mean regret with its interval, and on each table with its standard error."""
    names = [data_set for data_sets in TABLES.values() for data_set in data_sets]
    lines = ["| method | mean | 95% interval | " + " | ".join(names) + " |", "|---" * (len(names) + 3) + "|"]
    for method in frame["method"].unique():
        own = frame[frame["method"] == method]
        part = own.pivot_table(index="seed", columns="table", values="regret")[names]
        low, high = interval(part)
        cells = " | ".join(f"{part[name].mean():.3f} ± {part[name].sem():.3f}" for name in names)
        lines.append(f"| {method} | {part.mean().mean():.4f} | {low:.4f} to {high:.4f} | {cells} |")
    return "\n".join(lines)


def main(methods: list[str], seeds: int, processes: int | None, record: str | None) -> None:
    """Measure and print; with the name of a record, write it down."""
    places = [(benchmark, data_set) for benchmark, data_sets in TABLES.items() for data_set in data_sets]
    jobs = [(method, *place, seed) for method in methods for place in places for seed in range(seeds)]
    rows = []
    with ProcessPoolExecutor(processes) as pool:
        for row in pool.map(measure, jobs, chunksize=max(1, seeds // 20)):
            rows.append(row)
            if len(rows) % seeds == 0:
                method, data_set, *_ = row
                print(f"{method}, {data_set}: {fmean(regret for *_, regret in rows[-seeds:]):.4f}", file=sys.stderr)
    frame = pd.DataFrame(rows, columns=["method", "table", "seed", "regret"])
    text = (
        f"{EVALUATIONS} evaluations, {seeds} seeds a table. 16 evaluations at a time; greedy, and TPE where it does "
        f"not say otherwise, have one.\n\n{summary(frame)}"
    )
    report(text, record)


if __name__ == "__main__":
    parser = seeds_parser(__doc__, 100, "regret")
    parser.add_argument("--methods", nargs="+", choices=[*OWN, *METHODS], default=[*OWN, *METHODS])
    arguments = parser.parse_args()
    main(arguments.methods, arguments.seeds, arguments.processes, arguments.record)

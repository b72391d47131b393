"""Pareto fronts after 640 evaluations over recorded tables: the product's search beside other NSGA-II.

Run `python -m experiments.fronts` (a quarter of an hour of one core); `--seeds` and `--methods` make it shorter. Needs
`pip install .[bench]`. A method's hypervolume ratio is the hypervolume of what it answers with over that of the exact
front, which is enumerated from the table (`experiments.front_tables`). Every method has the whole budget; the product's
search spends a tenth of it on what these tables without noise do not need: replicates, sentinels, second looks,
confirmation. The seeds below 10,000 were there to choose by.
"""

from __future__ import annotations

import argparse
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean

import pandas as pd

from experiments.front_baselines import METHODS
from experiments.front_tables import DATA_SETS, OBJECTIVES, FrontTable, load_front_table
from experiments.recording import report
from experiments.regret import EVALUATIONS, interval
from experiments.table_search import configuration, searched
from operators.source.constants import Value

OWN = "evo"
_FIRST_SEED = 10_000


def measure(job: tuple[str, str, int]) -> tuple[str, str, int, float]:
    """Return method, table, seed and hypervolume ratio of one whole search."""
    method, data_set, seed = job
    table = load_front_table(data_set)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pymoo, about its compiled parts
        chosen = own_front(table, seed) if method == OWN else METHODS[method](table, seed, EVALUATIONS)
    return method, data_set, seed, table.hypervolume_ratio(chosen)


def own_front(table: FrontTable, seed: int) -> list[dict[str, Value]]:
    """Return the front of a whole search of the product."""
    directions = {objective.name: objective.direction.value for objective in OBJECTIVES}
    standings = searched(table, configuration(seed, EVALUATIONS, directions=directions))
    return [table.values(individual.source) for individual in standings.archive.front.individuals]


def summary(frame: pd.DataFrame) -> str:
    """Return one line a method: mean hypervolume ratio with its interval, and on each table."""
    names = list(DATA_SETS)
    lines = ["| method | mean | 95% interval | " + " | ".join(names) + " |", "|---" * (len(names) + 3) + "|"]
    for method in frame["method"].unique():
        own = frame[frame["method"] == method]
        part = own.pivot_table(index="seed", columns="table", values="ratio")[names]
        low, high = interval(part)
        cells = " | ".join(f"{part[name].mean():.4f}" for name in names)
        lines.append(f"| {method} | {fmean(part.mean()):.4f} | {low:.4f} to {high:.4f} | {cells} |")
    return "\n".join(lines)


def main(methods: list[str], seeds: int, *, record: bool) -> None:
    """Measure and print; with `record`, write it down."""
    jobs = [(method, name, _FIRST_SEED + seed) for method in methods for name in DATA_SETS for seed in range(seeds)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(measure, jobs, chunksize=max(1, seeds // 4)))
    frame = pd.DataFrame(rows, columns=["method", "table", "seed", "ratio"])
    text = (
        f"Share of the exact front's hypervolume after {EVALUATIONS} evaluations, {seeds} seeds a table. Behind other "
        f"methods stands the size of their population; that of evo is 16.\n\n{summary(frame)}"
    )
    report(text, "fronts" if record else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=[OWN, *METHODS], default=[OWN, *METHODS])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--record", action="store_true", help="write the table under experiments/records")
    arguments = parser.parse_args()
    main(arguments.methods, arguments.seeds, record=arguments.record)

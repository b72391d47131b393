"""Search over scripts that state no ranges (`experiments.scripts`): the product's operators beside other optimisers.

Run `python -m experiments.unstated_ranges` (some hours on two cores); its options make it shorter. Every method has 288
evaluations, failures and the confirmation of its best included, begins with the same script and is told no range. The
others search the product's own guess of one, a factor of 8 to both sides of the start on the scale of each number.
Regret is the share of the possible gain that the chosen script leaves: 0 at the best place, 1 for generation 0.
"""

from __future__ import annotations

import argparse
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from statistics import fmean
from typing import Any

import pandas as pd

from experiments.recording import report
from experiments.script_baselines import METHODS
from experiments.scripts import FAMILIES, landscape
from experiments.table_baselines import Configuration
from experiments.table_search import configuration, searched

EVALUATIONS = 288
_STRUCTURE = {"structures": 0.3}
"""Weight of structural mutation, beside 1 for all others, on landscapes that have more than one structure."""
OWN: dict[str, dict[str, Any]] = {
    "constants": {"weights": {"constants": 1.0}},
    "classical": {"weights": {"constants": 0.6, "uniform": 0.2, "merge": 0.2}},
    "tuning": {"weights": {"tuning": 1.0}},
    "default": {"weights": {"tuning": 0.5, "constants": 0.3, "uniform": 0.1, "merge": 0.1}},
    "adaptive": {"weights": {"tuning": 0.5, "constants": 0.5}, "adaptive": True},
}
"""The product's search: what it has in `[operators]`."""
_RESAMPLES = 2000


def measure(job: tuple[str, str, int, int]) -> tuple[str, str, int, int, float]:
    """Return method, family, slots, seed and regret of one whole search."""
    method, family, slots, seed = job
    script = landscape(family, seed)
    chosen: Configuration
    if method in OWN:
        weights = dict(OWN[method]["weights"])
        if family in _STRUCTURE:
            weights["structure"] = _STRUCTURE[family] * sum(weights.values())
        config = configuration(seed, EVALUATIONS, operators=OWN[method] | {"weights": weights})
        best = searched(script, config, slots).best()
        assert best is not None
        chosen = script.values(best.source)
    else:
        chosen = METHODS[method](script, seed, EVALUATIONS, slots)
    return method, family, slots, seed, script.regret(chosen)


def summary(frame: pd.DataFrame, reference: str) -> str:
    """Return one line a method: its mean regret, its mean difference from `reference`, and regret on each family."""
    families = list(dict.fromkeys(frame["family"]))
    lines = [f"| slots | method | mean | less than {reference} by (95% interval) | " + " | ".join(families) + " |"]
    lines.append("|---" * (4 + len(families)) + "|")
    for slots in dict.fromkeys(frame["slots"]):
        wide = frame[frame["slots"] == slots].pivot_table(index=["family", "seed"], columns="method", values="regret")
        for method in dict.fromkeys(frame["method"]):
            parts = [wide[method].loc[family] for family in families]
            cells = " | ".join(f"{part.mean():.3f}{_error(part)}" for part in parts)
            mean = fmean(part.mean() for part in parts)
            better = _interval([wide[reference].loc[one] - wide[method].loc[one] for one in families])
            lines.append(f"| {slots} | {method} | {mean:.4f} | {better} | {cells} |")
    return "\n".join(lines)


def _error(part: pd.Series) -> str:
    return f" ± {part.std() / len(part) ** 0.5:.3f}" if len(part) > 1 else ""


def _interval(columns: list[pd.Series]) -> str:
    """Return a mean over families of means over seeds, with its bootstrap 95% interval; seeds are resampled."""
    if min(map(len, columns)) == 1:
        return f"{fmean(map(fmean, columns)):.3f}"  # nothing to resample
    chance = random.Random(0)
    lists = [list(one) for one in columns]
    means = sorted(fmean(fmean(chance.choices(one, k=len(one))) for one in lists) for _ in range(_RESAMPLES))
    low, high = means[round(0.025 * _RESAMPLES)], means[round(0.975 * _RESAMPLES) - 1]
    return f"{fmean(map(fmean, lists)):.3f} ({low:.3f} to {high:.3f})"


def main(arguments: argparse.Namespace) -> None:
    """Measure and print; with the name of a record, write it down."""
    jobs = [
        (method, family, slots, seed)
        for slots in arguments.slots
        for method in arguments.methods
        for family in arguments.families
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds)
    ]
    rows = []
    with ProcessPoolExecutor(arguments.processes) as pool:
        for row in pool.map(measure, jobs):
            rows.append(row)
            if len(rows) % arguments.seeds == 0:
                mean = fmean(regret for *_, regret in rows[-arguments.seeds :])
                print(f"{row[0]}, {row[1]}, {row[2]} slots: {mean:.4f}", file=sys.stderr, flush=True)
    frame = pd.DataFrame(rows, columns=["method", "family", "slots", "seed", "regret"])
    text = (
        f"{EVALUATIONS} evaluations, {arguments.seeds} scripts a family. Regret with its standard error; the start has "
        f"1, the best place 0.\n\n{summary(frame, arguments.methods[0])}"
    )
    report(text, "unstated-ranges" if arguments.record else None)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--methods", nargs="+", choices=[*OWN, *METHODS], default=[*OWN, *METHODS])
    parser.add_argument("--families", nargs="+", choices=[*FAMILIES], default=[*FAMILIES])
    parser.add_argument("--slots", nargs="+", type=int, default=[1, 16], help="evaluations at a time")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, help="at a time; one a core without it")
    parser.add_argument("--record", action="store_true", help="write the table under experiments/records")
    main(parser.parse_args())

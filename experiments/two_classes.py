"""What unequal devices cost a search: regret on 16 devices of two classes, beside 16 of one, over recorded tables.

Run `python -m experiments.two_classes`; `--seeds`, `--evaluations` and `--arms` make it shorter. Needs `pip install
.[bench]`.
A training gives the mean of the recorded ones with normal noise, as large as it is among the best 1% of a table's
configurations; half of the devices measure more by ten times that noise, as 0.005 bits per byte lay between two models
of GPU in a public run whose noise was 0.0005. No seed is luckier on both classes. Regret is as in `experiments.regret`:
0 for the best configuration of a table and 1 at the edge of its best 1%, by the mean over all recorded seeds of what a
search chose.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import norm

from evo.workers import Slot
from experiments.recording import report, seeds_parser
from experiments.regret import EVALUATIONS, summary
from experiments.table_search import TableEvaluator, configuration, search_table
from experiments.tables import TABLES, Table, load_table
from trainer.evaluation import Job
from trainer.machine.devices import Device

SHIFT_SIGMAS = 10.0
"""0.005 bits per byte between two classes of GPU, where the noise of one training was 0.0005."""
_GOOD_SHARE = 0.01
_FAST, _SLOW = (Device("cuda", "", name) for name in ("fast", "slow"))


@dataclass
class EqualDevices(TableEvaluator):
    """All devices measure alike.

    Attributes:
        classes: of the slots, in turn.
        known: what the search is told of them.
    """

    classes: ClassVar[tuple[Device, ...]] = (_FAST,)
    known: ClassVar[tuple[Device, ...]] = (_FAST,)

    @cached_property
    def workers(self) -> list[Slot]:
        """The slots."""
        return [Slot(f"table-{number}/0", self.known[number % len(self.known)]) for number in range(self.slots)]

    @cached_property
    def noise(self) -> float:
        """Standard deviation of one training."""
        return noise_of(self._losses)

    def measure(self, slot: Slot, job: Job) -> dict[str, float]:
        """Return what a training gives on the class of its slot."""
        index = self._losses.index(self._losses.values(job.genome))
        device = self.classes[self.workers.index(slot) % len(self.classes)]
        noise = random.Random(f"{index}:{job.seed}:{device.name}").gauss(0, self.noise)
        shift = 0.0 if device is _FAST else SHIFT_SIGMAS * self.noise
        return {"loss": float(self._losses.means[index]) + noise + shift}

    @property
    def _losses(self) -> Table:
        assert isinstance(self.table, Table)
        return self.table


class UnequalDevices(EqualDevices):
    """Every other slot is of a slower class."""

    classes: ClassVar[tuple[Device, ...]] = (_FAST, _SLOW)
    known: ClassVar[tuple[Device, ...]] = classes


class UntoldDevices(UnequalDevices):
    """The same, taken for devices of one class."""

    known: ClassVar[tuple[Device, ...]] = (_FAST,)


ARMS = {
    "one class": EqualDevices,
    "two classes": UnequalDevices,
    "two classes, taken for one": UntoldDevices,
}


def noise_of(table: Table) -> float:
    """Return the standard deviation of one training, over the best 1% of a table's configurations."""
    good = table.losses[table.means <= np.quantile(table.means, _GOOD_SHARE)]
    return float(np.sqrt(np.nanmean(np.nanvar(good, axis=1, ddof=1))))


def measure(job: tuple[str, str, str, int, int]) -> tuple[str, str, int, float]:
    """Return arm, table, seed and regret of one whole search."""
    arm, benchmark, data_set, seed, evaluations = job
    table = load_table(benchmark, data_set)
    return arm, data_set, seed, table.regret(search_table(table, configuration(seed, evaluations), evaluator=ARMS[arm]))


def comparison(frame: pd.DataFrame) -> str:
    """Return how much more regret each arm has than one class, with the 95% interval of the mean over seeds."""
    wide = frame.pivot_table(index=["table", "seed"], columns="method", values="regret")
    one, *others = ARMS
    base = wide[one].to_numpy(dtype=float).mean()
    lines = []
    for arm in (arm for arm in others if arm in wide):
        by_seed = (wide[arm] - wide[one]).groupby("seed").mean().to_numpy(dtype=float)
        low, high = norm.interval(0.95, by_seed.mean(), by_seed.std(ddof=1) / math.sqrt(len(by_seed)))
        lines.append(
            f"{arm}: {by_seed.mean() / base:+.1%} of the regret of {one} ({low / base:+.1%} to {high / base:+.1%})."
        )
    return "\n".join(lines)


def outcome(rows: Sequence[tuple[str, str, int, float]], evaluations: int) -> str:
    """Return what was measured, as Markdown."""
    frame = pd.DataFrame(rows, columns=["method", "table", "seed", "regret"])
    return (
        f"{evaluations} evaluations, {frame['seed'].nunique()} seeds a table, 16 evaluations at a time; of two "
        f"classes, eight each. The shift between them is {SHIFT_SIGMAS:g} times the noise of a training.\n\n"
        f"{summary(frame)}\n\n{comparison(frame)}\n"
    )


def main(arms: Sequence[str], evaluations: int, seeds: int, processes: int | None, record: str | None) -> None:
    """Measure and print; with the name of a record, write it down."""
    places = [(benchmark, data_set) for benchmark, data_sets in TABLES.items() for data_set in data_sets]
    jobs = [(arm, *place, seed, evaluations) for seed in range(seeds) for place in places for arm in arms]
    rows = []
    with ProcessPoolExecutor(processes) as pool:
        for row in pool.map(measure, jobs):
            rows.append(row)
            if len(rows) % (len(jobs) // seeds) == 0:
                means = {arm: fmean(one[3] for one in rows if one[0] == arm) for arm in arms}
                print(row[2] + 1, {arm: round(mean, 4) for arm, mean in means.items()}, file=sys.stderr)
    report(outcome(rows, evaluations), record)


if __name__ == "__main__":
    parser = seeds_parser(__doc__, 100, "two-classes")
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS)
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="NAME", help="which; all without it"
    )
    arguments = parser.parse_args()
    main(arguments.arms, arguments.evaluations, arguments.seeds, arguments.processes, arguments.record)

"""What `evo compare` finds where the truth is known: false claims, power, and how often its intervals hold the truth.

Run `python -m experiments.planted_truth` (about two minutes on two cores). Outcomes are drawn by
`experiments.landscape` and judged by the functions that every report is made of; nothing is searched.
"""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
from scipy import stats

from evo.compare.statistics.effect_sizes import difference, interquartile_mean, superiority, trimmed
from evo.compare.statistics.power import detectable_effect, power, runs_needed
from evo.compare.statistics.rank_tests import ALPHA, Claim, comparisons, counted
from experiments.landscape import SIGMA, Landscape
from experiments.recording import write_record

NULLS = 200
"""Experiments without a difference of which no more than the nominal rate may claim one."""

_Answer = TypeVar("_Answer")

_FAMILY = 4
"""Comparisons with the first of five arms."""
_LEVEL = ALPHA / _FAMILY
_NULL = (0.0,) * (_FAMILY + 1)
_RUN = math.sqrt(2)
"""`SIGMA` in what a test sees: a paired difference has the luck of two runs, an unpaired run its own and its seed's."""

_WITHOUT_DIFFERENCE = {
    "5 arms, 10 pairs": Landscape(_NULL, repeats=10),
    "2 arms, 10 pairs": Landscape((0.0, 0.0), repeats=10),
    "5 arms, 10 unpaired runs each": Landscape(_NULL, repeats=10, paired=False),
    "5 arms, 10 pairs, lopsided luck, every fifth run failed": Landscape(
        _NULL, repeats=10, failure_rate=0.2, skewed=True
    ),
}


@dataclass(frozen=True, slots=True)
class Planted:
    """One arm of five better than the others, which are alike.

    Attributes:
        effect: in standard deviations of a paired difference, or of a run where unpaired.
    """

    name: str
    runs: int
    paired: bool
    effect: float

    @property
    def landscape(self) -> Landscape:
        """Where that is so."""
        return Landscape((0.0, _RUN * self.effect, *_NULL[2:]), repeats=self.runs, paired=self.paired)

    @property
    def promised(self) -> float:
        """How often a report says that such an effect is found, by the strictest level of the family."""
        return power(self.effect, self.runs, _LEVEL, paired=self.paired)


def claims(landscape: Landscape, seed: int) -> list[bool]:
    """Return of every arm but the first whether an experiment claims that it differs."""
    verdicts = [one.verdict for one in comparisons(landscape.results(seed))]
    return [verdict in (Claim.BETTER, Claim.WORSE) for verdict in verdicts]


def finds(landscape: Landscape, seed: int) -> bool:
    """Return whether an experiment claims that the second arm is better, as it is."""
    return comparisons(landscape.results(seed))[0].verdict is Claim.BETTER


def planted() -> Iterator[Planted]:
    """Yield the true differences."""
    for runs in (8, 10, 12):
        yield Planted("2 σ of a run", runs, True, 2.0 / _RUN)
        yield Planted("2 σ of a paired difference", runs, True, 2.0)
        least = detectable_effect(runs, _LEVEL, paired=True)
        if least is not None:
            yield Planted(f"{least:.2f} σ of a paired difference, 80% is promised", runs, True, least)
    yield Planted("2 σ of a run", 10, False, 2.0)
    for paired, name in ((True, "1 σ of a paired difference"), (False, "1 σ of a run")):
        needed = runs_needed(1.0, _LEVEL, paired=paired)
        if needed is not None:
            yield Planted(f"{name}, in as many as are said to be needed", needed, paired, 1.0)


def held(landscape: Landscape, truths: tuple[float, float, float], seed: int) -> list[bool | None]:
    """Return whether an experiment's intervals hold the truth; None where one is not given.

    Args:
        landscape: of two arms.
        truths: difference of the means, superiority, and the second arm's interquartile mean.
        seed: of the experiment.
    """
    results = landscape.results(seed)
    (comparison,) = comparisons(results)
    middle = interquartile_mean(counted(results)[results.arms[1]].dropna().to_numpy())
    return [
        None if one.low is None or one.high is None else one.low <= truth <= one.high
        for one, truth in zip((difference(comparison), superiority(comparison), middle), truths, strict=True)
    ]


def measure(pool: ProcessPoolExecutor, experiments: int) -> str:
    """Return all three tables as Markdown, each row from so many experiments."""
    parts = [
        (
            f"Each row is from {experiments} experiments, with seeds 0 to {experiments - 1}; in brackets 95% intervals "
            "(Clopper and Pearson)."
        ),
        "## No difference: how often any is claimed",
        _null_table(pool, experiments),
        "## A difference: how often it is claimed",
        (
            "Five arms, the second better than the others. Holm's procedure may find more than is promised, which is "
            "for the strictest level of the four comparisons."
        ),
        _power_table(pool, experiments),
        "## Intervals: how often 95% intervals hold the truth",
        (
            "Two arms, the second better by 1 σ of a paired difference. A share that is 1 in an experiment has the "
            "interval of Clopper and Pearson, the others are bootstrap intervals."
        ),
        _coverage_table(pool, experiments),
    ]
    return "\n\n".join(parts)


def _null_table(pool: ProcessPoolExecutor, experiments: int) -> str:
    rows = [f"| design | claimed in the first {NULLS} | claimed in all | nominal |", "|---|---|---|---|"]
    for name, landscape in _WITHOUT_DIFFERENCE.items():
        any_claimed = [any(one) for one in _each(pool, partial(claims, landscape), experiments)]
        rows.append(f"| {name} | {_share(any_claimed[:NULLS])} | {_share(any_claimed)} | at most {ALPHA:.0%} |")
    return "\n".join(rows)


def _power_table(pool: ProcessPoolExecutor, experiments: int) -> str:
    rows = ["| design | true difference | promised | claimed |", "|---|---|---|---|"]
    for one in planted():
        found = _each(pool, partial(finds, one.landscape), experiments)
        design = f"{one.runs} pairs" if one.paired else f"{one.runs} unpaired runs each"
        rows.append(f"| {design} | {one.name} | {one.promised:.1%} | {_share(found)} |")
    return "\n".join(rows)


def _coverage_table(pool: ProcessPoolExecutor, experiments: int) -> str:
    rows = ["| design | mean difference | share better | interquartile mean |", "|---|---|---|---|"]
    for skewed in (False, True):
        for runs in (8, 10, 16, 32):
            landscape = Landscape((0.0, _RUN), repeats=runs, skewed=skewed)
            found = _each(pool, partial(held, landscape, _truths(landscape)), experiments)
            cells = [[one for one in column if one is not None] for column in zip(*found, strict=True)]
            name = f"{runs} pairs{', lopsided luck' if skewed else ''}"
            rows.append(f"| {name} | " + " | ".join(_share(column) for column in cells) + " |")
    return "\n".join(rows)


def _truths(landscape: Landscape) -> tuple[float, float, float]:
    """Return the truths that `held` asks for: the first is planted, the others are those of a million repeats."""
    outcomes, _ = replace(landscape, repeats=1_000_000).draw(np.random.default_rng(0))
    first, second = outcomes.T
    return landscape.gains[1] * SIGMA, float(np.mean(second < first)), float(trimmed(second))


def _each(pool: ProcessPoolExecutor, experiment: Callable[[int], _Answer], experiments: int) -> list[_Answer]:
    return list(pool.map(experiment, range(experiments), chunksize=25))


def _share(found: Sequence[object]) -> str:
    """Return a share and its interval, to a tenth of a per cent."""
    count = sum(map(bool, found))
    bounds = stats.binomtest(count, len(found)).proportion_ci()
    return f"{count / len(found):.1%} ({bounds.low:.1%} to {bounds.high:.1%})"


def main(experiments: int, *, record: bool) -> None:
    """Measure and print; with `record`, write it down."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        text = measure(pool, experiments)
    print(text)
    if record:
        print(write_record("planted-truth", text))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=500, help=f"a row, at least {NULLS}")
    parser.add_argument("--record", action="store_true", help="write the tables under experiments/records")
    arguments = parser.parse_args()
    if arguments.experiments < NULLS:
        parser.error(f"argument --experiments: expected at least {NULLS}, but it was {arguments.experiments}")
    main(arguments.experiments, record=arguments.record)

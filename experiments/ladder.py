"""What a ladder reaches at the large scale beside a search there alone, with the same seconds and known correlations.

Run `python -m experiments.ladder`; `--seeds` and `--seconds` make it shorter. Searches, stores, comparisons and the
division of the seconds are the product's; only evaluations are simulated. A program's quality is a sum over its
constants, each a random smooth function of the constant's logarithm; the small scale adds a second such sum,
independent of the first, so that the qualities at both scales correlate by a given number over random programs. An
evaluation at the large scale counts for ten times the seconds of one at the small scale. The noise of an evaluation
is a tenth of the spread over random programs.

What was reached is the quality, without noise, of the individual that was chosen at the large scale over that of
generation 0, in spreads over random programs.
"""

from __future__ import annotations

import asyncio
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple
from zlib import crc32

from evo.runs import lifecycle as runs
from evo.runs.generation_zero import Programs
from evo.scales.bench import Bench
from evo.scales.climbing import Climbing
from evo.scales.definition import Definition, define
from evo.scales.folder import LadderFolder
from evo.scales.running import begin, prepared
from evo.scales.standing import read_ladder_state
from evo.scales.view import View
from evo.search.observer import Observer
from evo.workers.evaluator import Slot
from experiments.recording import report, seeds_parser
from operators.source.constants import find_constants
from trainer.evaluation import Clock, Evaluation, Job, Status, Timings

CORRELATIONS = (0.9, 0.5, 0.0)
_CONSTANTS = 8
_BINS = 13
_NOISE = 0.1
_SMALL_SECONDS, _LARGE_SECONDS = 1.0, 10.0
_POP = 8
_FINAL_SEEDS = 3

_PROJECT = f"""
[task]
kind = "script"
genome = "run.py"
command = "python run.py"
objectives.score = {{ direction = "maximize", pattern = '^score: (\\S+)' }}

[search]
pop = {_POP}

[operators.weights]
constants = 0.6
uniform = 0.2
merge = 0.2

[ladder]
name = "simulated"
final_seeds = {_FINAL_SEEDS}

[[ladder.scale]]
name = "small"
evaluation_seconds = {_SMALL_SECONDS}

[[ladder.scale]]
name = "large"
evaluation_seconds = {_LARGE_SECONDS}
"""


class Outcome(NamedTuple):
    """What one ladder and one search alone reached.

    Attributes:
        measured: the rank correlation that the ladder found.
        small_share: of the ladder's seconds, spent at the small scale.
    """

    correlation: float
    seed: int
    ladder: float
    alone: float
    measured: float
    small_share: float


class Landscape:
    """The qualities of programs at two scales.

    Args:
        correlation: of the two over random programs.
        seed: of the landscape.
    """

    def __init__(self, correlation: float, seed: int) -> None:
        chance = random.Random(f"landscape {seed}")
        self._correlation = correlation
        self._large, self._other = ([_smooth(chance) for _ in range(_CONSTANTS)] for _ in range(2))

    def quality(self, source: str, scale: int) -> float:
        """Return the quality of a program at the small scale, 0, or the large one, 1."""
        places = [_bin(constant.value) for constant in find_constants(source).values()]
        large, other = (
            sum(table[place] for table, place in zip(tables, places, strict=True)) / math.sqrt(_CONSTANTS)
            for tables in (self._large, self._other)
        )
        return large if scale else self._correlation * large + math.sqrt(1 - self._correlation**2) * other


class SimulatedScale:
    """Evaluates at one scale (`evo.workers.Evaluator`)."""

    def __init__(self, landscape: Landscape, scale: int) -> None:
        self._landscape = landscape
        self._scale = scale

    @cached_property
    def workers(self) -> Sequence[Slot]:
        """One slot."""
        return (Slot("simulated/0"),)

    async def evaluate(self, slot: Slot, job: Job) -> Evaluation:  # noqa: ARG002 - there is one
        """Answer at once."""
        await asyncio.sleep(0)
        noise = random.Random(f"{crc32(job.genome.encode())}:{job.seed}:{self._scale}").gauss(0, _NOISE)
        seconds = _LARGE_SECONDS if self._scale else _SMALL_SECONDS
        objectives = {
            "score": self._landscape.quality(job.genome, self._scale) + noise,
            "run_seconds": seconds,
            "peak_memory_mib": 1.0,
            "code_lines": 1.0,
        }
        timings = Timings(seconds, seconds, 0.0, seconds)
        return Evaluation(Status.OK, job.seed, "simulated", Clock.WALL, "none", objectives=objectives, timings=timings)

    def retire(self, slot: Slot) -> None:
        """Nothing to end."""

    async def close(self) -> None:
        """Nothing to end."""


def measure(job: tuple[float, int, float]) -> Outcome:
    """Return what a ladder and a search alone reach with one correlation and seed."""
    correlation, seed, seconds = job
    landscape = Landscape(correlation, seed)
    with tempfile.TemporaryDirectory() as temporary:
        definition = _definition(Path(temporary), seed, seconds)
        zero = landscape.quality(definition.scales[-1].generation_zero, 1)
        best, measured, small_share = _climbed(definition, landscape, Path(temporary) / "ladder")
        alone = _searched(definition, landscape, Path(temporary) / "alone", seconds)
    values = [landscape.quality(source, 1) - zero for source in (best, alone)]
    return Outcome(correlation, seed, values[0], values[1], measured, small_share)


def _definition(folder: Path, seed: int, seconds: float) -> Definition:
    constants = "\n".join(f"X{number} = 1.0" for number in range(_CONSTANTS))
    (folder / "run.py").write_text(f"{constants}\nprint('score:', 0)\n", encoding="utf-8")
    text = _PROJECT.replace("[search]", f"[search]\nseed = {seed}")
    text = text.replace("[ladder]", f"[ladder]\ntotal_seconds = {seconds}")
    (folder / "evo.toml").write_text(text, encoding="utf-8")
    return define(folder / "evo.toml")


def _climbed(definition: Definition, landscape: Landscape, path: Path) -> tuple[str, float, float]:
    """Climb a ladder; return the best program, the correlation found, and the share of the small scale."""
    folder, materials = LadderFolder(path), prepared(definition, View())
    with folder.lock():
        begin(definition, folder, materials)
        bench = Bench(definition, folder, materials, View(), lambda number: SimulatedScale(landscape, number))
        Climbing(definition, folder, bench, View()).run()
    state = read_ladder_state(path)
    small, large = state.scales
    assert large.run is not None
    assert small.next is not None
    assert state.seconds <= state.total_seconds
    return _best(large.run), small.next.correlation or 0.0, small.seconds / state.seconds


def _searched(definition: Definition, landscape: Landscape, path: Path, seconds: float) -> str:
    """Return the best program of a search at the large scale alone, which takes as many seconds."""
    scale = definition.scales[-1]
    evaluations = int(seconds / _LARGE_SECONDS) - 2 * _FINAL_SEEDS
    search = scale.config.search.model_copy(update={"gens": evaluations // _POP})
    config = scale.config.model_copy(update={"search": search})
    programs = Programs(scale.generation_zero)
    runs.start(config, path, Observer(), None, SimulatedScale(landscape, 1), programs)
    return _best(path)


def _best(run: Path) -> str:
    with runs.view(run) as viewed:
        best = viewed.standings.best()
        return viewed.store.source(0 if best is None else best.id)


def _smooth(chance: random.Random) -> list[float]:
    """Return a random function over the bins: neighbours are alike, the mean is 0 and the spread 1."""
    raw = [chance.gauss(0, 1) for _ in range(_BINS + 2)]
    values = [fmean(raw[place : place + 3]) for place in range(_BINS)]
    centre, spread = fmean(values), stdev(values)
    return [(value - centre) / spread for value in values]


def _bin(value: object) -> int:
    assert isinstance(value, int | float)
    half = _BINS // 2
    return half + max(-half, min(half, round(2 * math.log2(max(abs(value), 1e-9)))))


def table(outcomes: Sequence[Outcome]) -> str:
    """Return a Markdown table, a row for each correlation."""
    lines = [
        "| correlation | measured | share of the small scale | ladder | large scale alone | difference ± error |",
        "|---|---|---|---|---|---|",
    ]
    for correlation in CORRELATIONS:
        own = [one for one in outcomes if one.correlation == correlation]
        if not own:
            continue
        differences = [one.ladder - one.alone for one in own]
        error = stdev(differences) / math.sqrt(len(own)) if len(own) > 1 else math.nan
        cells = (
            f"{correlation:g}",
            f"{fmean(one.measured for one in own):.2f}",
            f"{fmean(one.small_share for one in own):.0%}",
            f"{fmean(one.ladder for one in own):.3f}",
            f"{fmean(one.alone for one in own):.3f}",
            f"{fmean(differences):+.3f} ± {error:.3f}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(seconds: float, seeds: int, processes: int | None, record: str | None) -> None:
    """Measure and print; with the name of a record, write it down."""
    jobs = [(correlation, seed, seconds) for seed in range(seeds) for correlation in CORRELATIONS]
    outcomes = []
    with ProcessPoolExecutor(processes) as pool:
        for one in pool.map(measure, jobs):
            outcomes.append(one)
            print(len(outcomes), "of", len(jobs), *(round(value, 3) for value in one), file=sys.stderr)
    text = (
        f"{seconds:g} s each, {seeds} seeds. An evaluation counts for {_SMALL_SECONDS:g} s at the small scale and "
        f"{_LARGE_SECONDS:g} s at the large one; ± is the standard error over seeds.\n\n{table(outcomes)}\n"
    )
    report(text, record)


if __name__ == "__main__":
    parser = seeds_parser(__doc__, 20, "ladder")
    parser.add_argument("--seconds", type=float, default=1500.0)
    arguments = parser.parse_args()
    main(arguments.seconds, arguments.seeds, arguments.processes, arguments.record)

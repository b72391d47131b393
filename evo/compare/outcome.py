"""The outcome of a run: the one individual that it chose, trained again with fresh seeds on held-out data.

The seeds belong to the block, so that all of its runs and generation 0 are judged with the same ones; no search and no
confirmation uses them. Bits per byte are those of split F, which neither selection nor the confirmation of finalists
scores. A script has no such split: only its seeds are fresh.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evo.compare.experiment import Experiment
from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs.materials import Materials
from evo.search.stopping import Stopped, StopReason
from evo.standings.plan import make_plan
from evo.store import StoreView
from evo.studies.batch import Trial, Watcher, measure
from evo.studies.comparison import Sample
from evo.studies.measurement_cache import MeasurementCache
from trainer.evaluation import Split, Status

FIRST_SEED = 900
"""Searches, their second looks and their confirmations stay below 700, studies begin there (`evo.studies.batch`)."""

_CHOSEN = frozenset(
    (StopReason.COMPLETE, StopReason.GPU_LIMIT, StopReason.USD_LIMIT, StopReason.NO_OFFSPRING, StopReason.COST_LIMIT),
)
"""Endings after which a run is final: its budget is spent, or it has nothing more to try or to pay with."""


@dataclass(frozen=True)
class Judged(Sample):
    """What was measured of a program with the seeds of its block.

    Attributes:
        wanted: the number of seeds.
    """

    wanted: int

    @property
    def is_complete(self) -> bool:
        """Whether every seed was tried."""
        return len(self.measurements) == self.wanted

    @property
    def first_failure(self) -> str:
        """The first evaluation that did not end OK, with its reason; empty where all did."""
        failed = ((seed, one) for seed, one in self.measurements.items() if one.status is not Status.OK)
        return next((f"{one.status} with seed {seed}: {one.reason}" for seed, one in failed), "")


def outcome_seeds(experiment: Experiment, first_arm: Config) -> list[int]:
    """Return the seeds of a block, from the configuration of its run of the first arm."""
    plan = make_plan(first_arm)
    return [plan.training_seed(FIRST_SEED + index) for index in range(experiment.outcome.seeds)]


def judge(
    config: ResolvedConfig,
    materials: Materials,
    program: str,
    label: str,
    seeds: Sequence[int],
    path: Path,
    watcher: Watcher,
) -> bool:
    """Evaluate a program with those of the seeds that the file `path` lacks; return whether all are measured.

    Generation 0 is judged with the configuration of any run of its block.
    """
    cache = MeasurementCache(path, _conditions(config))
    trials = [Trial(label, program, seed) for seed in seeds]
    return measure(config, materials, trials, cache, watcher, Split.FINAL)


def judged(config: Config, program: str, seeds: Sequence[int], path: Path) -> Judged:
    """Return what is known of a program."""
    cache = MeasurementCache(path, _conditions(config), read_only=True)
    return Judged(Sample.of(cache, program, seeds).measurements, len(seeds))


def standing(store: StoreView) -> Stopped | None:
    """Return how a run ended for good, by its store; None for one that can be continued."""
    *_, last = (None, *store.events("stopped"))
    if last is None or last.payload["ending"] not in _CHOSEN:
        return None
    return Stopped(StopReason(last.payload["ending"]), last.payload["reason"])


def _conditions(config: Config) -> dict[str, object]:
    whole = config.model_dump(mode="json", exclude_none=True)
    return {"task": whole["task"], "budget": whole["budget"], "split": Split.FINAL.value}

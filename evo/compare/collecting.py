"""From the folder of an experiment to its results: everything is read from the runs' own stores and outcome files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import pandas as pd

from evo.compare.experiment import Experiment
from evo.compare.folder import ExperimentFolder
from evo.compare.outcome import Judged, judged, outcome_seeds, standing
from evo.compare.statistics.results import POINT_COLUMNS, PROGRESS_COLUMNS, RUN_COLUMNS, Results
from evo.config.config import Config
from evo.config.resolved import ResolvedConfig
from evo.runs.assemble import build_standings
from evo.runs.lifecycle import Viewed, view
from evo.search.stopping import Stopped
from evo.standings.standings import Standings
from evo.standings.usage import Prices, Usage, course
from evo.store import StoreView
from trainer.errors import EvoError
from trainer.evaluation import Status
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class Definition:
    """An experiment with the configurations that its arms have on this machine.

    Attributes:
        configs: resolved, by arm, with the seed of the first repeat; workers are those of the whole experiment.
    """

    experiment: Experiment
    configs: Sequence[ResolvedConfig]
    generation_zero: str

    @property
    def objective(self) -> Objective:
        """The objective that outcomes are compared in."""
        return self.configs[0].objectives(self.configs[0].search.objectives)[0]

    def config(self, arm: int, repeat: int) -> ResolvedConfig:
        """Return the configuration of a run, by the numbers of its arm and its repeat, from 0."""
        return self.configs[arm].with_search(seed=self.experiment.seed_of(arm, repeat))

    def seeds(self, repeat: int) -> list[int]:
        """Return the seeds with which the runs of a block are judged."""
        return outcome_seeds(self.experiment, self.config(0, repeat))

    def judged_zero(self, folder: ExperimentFolder, repeat: int) -> Judged:
        """Return what generation 0 measured in a block so far."""
        path = folder.generation_zero(repeat)
        return judged(self.configs[0], self.generation_zero, self.seeds(repeat), path)

    def judged_run(self, folder: ExperimentFolder, repeat: int, arm: int, viewed: Viewed) -> Judged:
        """Return what the chosen individual of a run measured so far; that of generation 0 where it chose that."""
        chosen = viewed.standings.best()
        if chosen is None or chosen.id == 0:
            return self.judged_zero(folder, repeat)
        path = folder.outcome(repeat, self.experiment.arms[arm].name)
        return judged(viewed.config, viewed.store.source(chosen.id), self.seeds(repeat), path)

    def is_done(self, folder: ExperimentFolder, repeat: int, arm: int) -> bool:
        """Return whether a run needs nothing more, as its own files say; one that cannot be read does."""
        run = folder.run(repeat, self.experiment.arms[arm].name)
        if not run.config.exists():
            return False
        try:
            with view(run.path) as viewed:
                if standing(viewed.store) is None:
                    return False
                chosen = viewed.standings.best()
                return chosen is None or chosen.id == 0 or self.judged_run(folder, repeat, arm, viewed).is_complete
        except EvoError:
            return False


@dataclass(frozen=True, slots=True)
class _Read:
    """What the files of one run say: rows of the tables of `Results` without its place, and sentences on drifts."""

    run: dict[str, Any]
    progress: Sequence[dict[str, Any]] = ()
    points: Sequence[dict[str, Any]] = ()
    drifts: Sequence[str] = ()


def collect(definition: Definition, folder: ExperimentFolder) -> Results:
    """Return the results so far; a run that cannot be read has failed."""
    experiment, config = definition.experiment, definition.configs[0]
    objectives = config.objectives(config.search.front)
    runs, progress, points, drifts = [], [], [], []
    for repeat, (number, arm) in product(range(experiment.repeats), enumerate(experiment.arms)):
        read = _read(definition, folder, repeat, number)
        if read is None:
            continue
        place = {"arm": arm.name, "repeat": repeat}
        runs.append(place | read.run)
        progress += [place | row for row in read.progress]
        points += [place | row for row in read.points]
        drifts += [f"{folder.failure_key(repeat, arm.name)}: {drift}." for drift in read.drifts]
    names = [objective.name for objective in objectives]
    return Results(
        name=experiment.name,
        arms=tuple(arm.name for arm in experiment.arms),
        repeats=experiment.repeats,
        paired=experiment.paired,
        objective=definition.objective,
        objectives=objectives,
        budget=str(experiment.budget),
        runs=pd.DataFrame(runs, columns=[*RUN_COLUMNS]),
        progress=pd.DataFrame(progress, columns=[*PROGRESS_COLUMNS]),
        points=pd.DataFrame(points, columns=[*POINT_COLUMNS, *names]),
        rehearsal=experiment.rehearsal,
        drifts=tuple(drifts),
        held_out=config.script is None,
        claim=config.claim,
    )


def _read(definition: Definition, folder: ExperimentFolder, repeat: int, arm: int) -> _Read | None:
    """Return what is known of a run; None before it was begun."""
    name = definition.experiment.arms[arm].name
    failure = folder.failures.get(folder.failure_key(repeat, name), "")
    run = folder.run(repeat, name)
    try:
        if run.config.exists():
            with view(run.path) as viewed:
                return _Read(
                    run=_row(definition, folder, repeat, arm, viewed, failure),
                    progress=[*_progress(viewed.config, viewed.store, viewed.standings)],
                    points=[*_points(viewed.standings)],
                    drifts=[*map(str, viewed.standings.sentinels.drifts)],
                )
    except EvoError as error:
        failure = failure or str(error)
    return _Read(_nothing(definition, folder, repeat, arm, failure)) if failure else None


def _row(
    definition: Definition, folder: ExperimentFolder, repeat: int, arm: int, viewed: Viewed, failure: str
) -> dict[str, Any]:
    """Return a row of `RUN_COLUMNS` but for its place."""
    store, objective = viewed.store, definition.objective
    zero, own = definition.judged_zero(folder, repeat), definition.judged_run(folder, repeat, arm, viewed)
    chosen, stopped = viewed.standings.best(), standing(store)
    state, reason = _state(viewed, stopped, zero, own, failure)
    base = _base(zero, objective)
    outcome = {"finished": _number(own.mean(objective)), "failed": base}.get(state, math.nan)
    used, spending = Usage.of(store, Prices.of(viewed.config)), store.spending()
    statuses = viewed.standings.statuses
    return {
        "seed": viewed.config.search.seed,
        "state": state,
        "outcome": outcome,
        "generation_zero": base,
        "chosen": chosen.id if chosen else None,
        "evaluations": viewed.standings.spent,
        "failures": sum(count for status, count in statuses.items() if status is not Status.OK),
        "gpu_seconds": used.gpu_seconds,
        "usd": math.nan if spending.unpriced_calls else used.usd,
        "wall_seconds": _wall_seconds(store),
        "reason": reason,
    }


def _state(viewed: Viewed, stopped: Stopped | None, zero: Judged, own: Judged, failure: str) -> tuple[str, str]:
    """Return the state of a run and the reason for it."""
    if stopped is None:
        return ("failed", failure) if failure else ("unfinished", "the search is not complete")
    if viewed.standings.best() is None:
        return "failed", f"nothing was measured: {stopped.reason}"
    if not (zero.is_complete and own.is_complete):
        return ("failed", failure) if failure else ("unfinished", "the outcome is not measured yet")
    if own.first_failure:
        return "failed", f"the chosen individual failed when it was judged: {own.first_failure}"
    return "finished", "" if stopped.stop_reason.is_by_rule else stopped.reason


def _nothing(definition: Definition, folder: ExperimentFolder, repeat: int, arm: int, failure: str) -> dict[str, Any]:
    """Return the row of a run that failed before it had a store."""
    base = _base(definition.judged_zero(folder, repeat), definition.objective)
    unused = {"evaluations": 0, "failures": 0, "gpu_seconds": 0.0, "usd": 0.0, "wall_seconds": 0.0}
    seed = definition.experiment.seed_of(arm, repeat)
    outcome = {"state": "failed", "outcome": base, "generation_zero": base, "chosen": None, "reason": failure}
    return {"seed": seed, **outcome, **unused}


def _points(standings: Standings) -> Iterator[dict[str, Any]]:
    """Yield a row of `POINT_COLUMNS` and the objectives, but for its place, for every member of a run's front."""
    front = standings.archive.front
    for one in front.individuals:
        means = one.means()
        yield {"individual": one.id, **{objective.name: means[objective.name] for objective in front.objectives}}


def _progress(config: Config, store: StoreView, final: Standings) -> Iterator[dict[str, Any]]:
    """Yield a row of `PROGRESS_COLUMNS`, but for its place, for every result of a run."""
    standings, (objective, *_) = build_standings(config), final.objectives
    for outcome, (gpu_seconds, usd) in zip(store.outcomes(), course(store, Prices.of(config)), strict=True):
        standings.tell(store.individual(outcome.individual), outcome, store.source)
        best = standings.best()
        value = best.means()[objective.name] if best else math.nan
        yield {"evaluations": standings.spent, "gpu_seconds": gpu_seconds, "usd": usd, "best": value}


def _wall_seconds(store: StoreView) -> float:
    """Return how long the run was driven, by all of its drivers."""
    kept = store.meta("pace")
    return float(json.loads(kept).get("driven_seconds", 0.0)) if kept else 0.0


def _base(zero: Judged, objective: Objective) -> float:
    """Return the mean of generation 0, NaN until it is complete."""
    return _number(zero.mean(objective)) if zero.is_complete else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else value

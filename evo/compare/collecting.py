"""From the folder of an experiment to its results: everything is read from the runs' own stores and outcome files."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
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
        generation_zero: its source.
    """

    experiment: Experiment
    configs: Sequence[ResolvedConfig]
    generation_zero: str

    def config(self, arm: int, repeat: int) -> ResolvedConfig:
        """Return the configuration of a run, by the numbers of its arm and its repeat, from 0."""
        config, seed = self.configs[arm], self.experiment.seed_of(arm, repeat)
        return config.model_copy(update={"search": config.search.model_copy(update={"seed": seed})})

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
class _Tables:
    """Rows of the tables of `Results`."""

    runs: list[dict[str, Any]]
    progress: list[dict[str, Any]]
    points: list[dict[str, Any]]

    def add(
        self, place: Mapping[str, Any], row: Mapping[str, Any], viewed: Viewed, objectives: Sequence[Objective]
    ) -> None:
        """Take in a run: all of it or, where its store turns out to be damaged, nothing.

        Args:
            place: the run's arm and repeat.
            row: the others of `RUN_COLUMNS`.
            viewed: the run.
            objectives: of the front.
        """
        progress = [{**place, **one} for one in _progress(viewed.config, viewed.store, viewed.standings)]
        for one in viewed.standings.archive.front.individuals:
            means = one.means()
            self.points.append({**place, "individual": one.id, **{name.name: means[name.name] for name in objectives}})
        self.progress.extend(progress)
        self.runs.append({**place, **row})


def collect(definition: Definition, folder: ExperimentFolder) -> Results:
    """Return the results so far; a run that cannot be read has failed."""
    experiment, config = definition.experiment, definition.configs[0]
    tables = _Tables([], [], [])
    objectives = config.objectives(config.search.front)
    for repeat in range(experiment.repeats):
        for number, arm in enumerate(experiment.arms):
            place = {"arm": arm.name, "repeat": repeat}
            failure = folder.failures.get(folder.failure_key(repeat, arm.name), "")
            run = folder.run(repeat, arm.name)
            try:
                if run.config.exists():
                    with view(run.path) as viewed:
                        row = _row(definition, folder, repeat, number, viewed, failure)
                        tables.add(place, row, viewed, objectives)
                elif failure:
                    tables.runs.append(place | _nothing(definition, folder, repeat, number, failure))
            except EvoError as error:
                tables.runs.append(place | _nothing(definition, folder, repeat, number, failure or str(error)))
    names = [objective.name for objective in objectives]
    return Results(
        name=experiment.name,
        arms=tuple(arm.name for arm in experiment.arms),
        repeats=experiment.repeats,
        paired=experiment.paired,
        objective=config.objectives(config.search.objectives)[0],
        objectives=objectives,
        budget=str(experiment.budget),
        runs=pd.DataFrame(tables.runs, columns=[*RUN_COLUMNS]),
        progress=pd.DataFrame(tables.progress, columns=[*PROGRESS_COLUMNS]),
        points=pd.DataFrame(tables.points, columns=[*POINT_COLUMNS, *names]),
        rehearsal=experiment.rehearsal,
        drifts=tuple(_drifts(definition, folder)),
        held_out=config.script is None,
    )


def _drifts(definition: Definition, folder: ExperimentFolder) -> Iterator[str]:
    """Yield a sentence for every device that a run's sentinels found to drift."""
    for repeat in range(definition.experiment.repeats):
        for arm in definition.experiment.arms:
            run = folder.run(repeat, arm.name)
            if run.config.exists():
                with suppress(EvoError), view(run.path) as viewed:
                    for drift in viewed.standings.sentinels.drifts:
                        yield f"{folder.failure_key(repeat, arm.name)}: {drift}."


def _row(
    definition: Definition, folder: ExperimentFolder, repeat: int, arm: int, viewed: Viewed, failure: str
) -> dict[str, Any]:
    """Return a row of `RUN_COLUMNS` but for its place."""
    store, name = viewed.store, viewed.config.search.objectives[0]
    zero, own = definition.judged_zero(folder, repeat), definition.judged_run(folder, repeat, arm, viewed)
    chosen, stopped = viewed.standings.best(), standing(store)
    state, reason = _state(viewed, stopped, zero, own, failure)
    base = _number(zero.mean(name)) if zero.is_complete else math.nan
    outcome = {"finished": _number(own.mean(name)), "failed": base}.get(state, math.nan)
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
        return ("failed", failure) if failure else ("unfinished", "the search goes on")
    if viewed.standings.best() is None:
        return "failed", f"nothing was measured: {stopped.reason}"
    if not (zero.is_complete and own.is_complete):
        return ("failed", failure) if failure else ("unfinished", "the outcome is not measured yet")
    if own.failure:
        return "failed", f"the chosen individual failed when it was judged: {own.failure}"
    return "finished", "" if stopped.stop_reason.is_by_rule else stopped.reason


def _nothing(definition: Definition, folder: ExperimentFolder, repeat: int, arm: int, failure: str) -> dict[str, Any]:
    """Return the row of a run that failed before it had a store."""
    zero, name = definition.judged_zero(folder, repeat), definition.configs[0].search.objectives[0]
    base = _number(zero.mean(name)) if zero.is_complete else math.nan
    return {
        "seed": definition.experiment.seed_of(arm, repeat),
        "state": "failed",
        "outcome": base,
        "generation_zero": base,
        "chosen": None,
        "evaluations": 0,
        "failures": 0,
        "gpu_seconds": 0.0,
        "usd": 0.0,
        "wall_seconds": 0.0,
        "reason": failure,
    }


def _progress(config: Config, store: StoreView, result_number: Standings) -> Iterator[dict[str, Any]]:
    """Yield a row of `PROGRESS_COLUMNS`, but for its place, for every result of a run."""
    standings, (objective, *_) = build_standings(config), result_number.objectives
    for outcome, (gpu_seconds, usd) in zip(store.outcomes(), course(store, Prices.of(config)), strict=True):
        standings.tell(store.individual(outcome.individual), outcome, store.source)
        best = standings.best()
        value = best.means()[objective.name] if best else math.nan
        yield {"evaluations": standings.spent, "gpu_seconds": gpu_seconds, "usd": usd, "best": value}


def _wall_seconds(store: StoreView) -> float:
    """Return how long the run was driven, by all of its drivers."""
    kept = store.meta("pace")
    return float(json.loads(kept).get("driven_seconds", 0.0)) if kept else 0.0


def _number(value: float | None) -> float:
    return math.nan if value is None else value

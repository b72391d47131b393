"""From a run's store and standings to what its report shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice, pairwise

from evo.config.config import Config
from evo.report.data import EvaluationRow, LineStep, RunReport
from evo.runs.lifecycle import Viewed
from evo.runs.materials import describe_task
from evo.runs.provenance import installed_versions, read_starts
from evo.runs.status import State, refusals, resumed_by, state_of
from evo.standings.individuals import Standing, operator_results, read_individuals
from evo.standings.standings import Standings
from evo.standings.summary import summarize
from evo.store import MEASURED_AGAIN, EvaluationRecord, Purpose, StoreView
from evo.workers.pool import retirements
from trainer.evaluation import Evaluation, Split, Status
from trainer.objectives import Objective

_STATES = {
    State.RUNNING: "Running.",
    State.FINISHED: "Complete.",
    State.STOPPED: "Stopped early: {reason}. `{resume}` continues it.",
    State.KILLED: "Cut off: the driver died. `{resume}` continues it.",
}


class EvaluationRows:
    """The results of a run as rows of a report; one that is kept reads only what is new.

    Attributes:
        rows: in the order in which results arrived.
        places: every pair of device and sandbox level, in the order of their first result.
    """

    def __init__(self) -> None:
        self.rows: list[EvaluationRow] = []
        self.places: dict[tuple[str, str], None] = {}

    def read(self, store: StoreView, standings: Standings) -> None:
        """Take in the results that standings have taken in."""
        known = len(self.rows)
        for record in islice(store.results(known), standings.result_number - known):
            assert record.result is not None  # noqa: S101 - the store keeps one with everything that was told
            self.places[record.result.device, record.result.sandbox] = None
            self.rows.append(_row(record, record.result))


def load_report(viewed: Viewed, results: EvaluationRows | None = None) -> RunReport:
    """Return what the report of a run shows, be it live, killed or finished.

    It uses the results that `viewed.standings` has taken in, and none that a live run has added since.

    Args:
        results: those of the same run that were read before.
    """
    results = results or EvaluationRows()
    results.read(viewed.store, viewed.standings)
    config, store, standings = viewed.config, viewed.store, viewed.standings
    summary = summarize(config, store, standings)
    individuals = read_individuals(store, standings)
    front_objectives = standings.archive.front.objectives
    state, reason = state_of(viewed, viewed.folder.driver())
    first, last = store.period() or (0.0, 0.0)
    gains = {one: standings.difference(one, 0) for one in standings.measured if one}
    return RunReport(
        name=viewed.folder.path.resolve().name,
        task=describe_task(config),
        summary=summary,
        state=_STATES[state].format(reason=reason.rstrip("."), resume=resumed_by(config)),
        started=first,
        wall_seconds=last - first,
        run_seed=config.search.seed,
        generation_size=standings.plan.mu,
        train_seconds=config.budget.train_seconds,
        clock=config.budget.clock,
        devices=tuple(dict.fromkeys(device for device, _ in results.places)),
        sandbox_levels=tuple(dict.fromkeys(sandbox for _, sandbox in results.places)),
        self_reported=config.script is not None and config.script.self_reported,
        claim=config.claim,
        objectives=_objectives(config, (*standings.objectives, *front_objectives), individuals.values()),
        individuals=tuple(individuals.values()),
        evaluations=tuple(results.rows),
        leads=tuple(standings.leads),
        gains={one: gain for one, gain in gains.items() if gain},
        confirmed_split=Split.HOLDOUT.value if standings.plan.has_holdout else None,
        front_objectives=front_objectives if len(front_objectives) > 1 else (),
        best_line=_line(store, standings, summary.best.id) if summary.best else (),
        operators=operator_results(store.operator_totals(), individuals.values(), standings),
        starts=_starts(store),
        out_of_service=tuple(map(str, retirements(store))),
        refused={kind: count for kind, count in sorted(refusals(store).items()) if kind != MEASURED_AGAIN},
        device_classes=tuple(map(str, standings.class_states())),
        drifts=tuple(map(str, standings.sentinels.drifts)),
        versions=installed_versions(),
    )


def _row(record: EvaluationRecord, result: Evaluation) -> EvaluationRow:
    aside = ""
    if result.status is Status.OK and record.purpose is Purpose.SCREEN:
        aside = f"only tried with {record.budget_fraction:g} of the budget"
    elif result.status is Status.OK and record.purpose is Purpose.CALIBRATION:
        aside = f"measured on {record.device_class}"
    return EvaluationRow(
        number=record.result_number or 0,
        individual=record.individual,
        seed=record.seed,
        status=result.status,
        device=result.device,
        objectives={} if aside else result.objectives,
        reason=aside or result.reason,
        budget_fraction=record.budget_fraction,
    )


def _objectives(config: Config, first: Sequence[Objective], individuals: Iterable[Standing]) -> tuple[Objective, ...]:
    """Return the objectives of the run, followed by whatever else was measured."""
    names = {name for one in individuals for name in one.objectives}
    others = (objective for objective in config.task.measured.values() if objective.name in names)
    return tuple(dict.fromkeys((*first, *others)))


def _line(store: StoreView, standings: Standings, best: int) -> tuple[LineStep, ...]:
    """Return the line from generation 0 to the best, through the first parent of each."""
    line = [best]
    while parents := store.individual(line[-1]).parents:
        line.append(parents[0])
    line.reverse()
    steps = (LineStep(one, store.source(one), standings.difference(one, before)) for before, one in pairwise(line))
    return (LineStep(line[0], store.source(line[0])), *steps)


def _starts(store: StoreView) -> tuple[tuple[float, str], ...]:
    """Return when, and with which devices and versions of programs, the run was driven; equal ones in a row once."""
    lines: list[tuple[float, str]] = []
    for start in read_starts(store):
        versions = ", ".join(f"{name} {number}" for name, number in start.versions.items())
        line = f"{', '.join(start.devices)} with {versions}"
        if not lines or lines[-1][1] != line:
            lines.append((start.at, line))
    return tuple(lines)

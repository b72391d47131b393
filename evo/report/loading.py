"""From a run's store to what its report shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice

from evo.config.config import Config
from evo.report.data import Confirmation, EvaluationRow, IndividualRow, LineStep, OperatorCosts, RunReport
from evo.runs.lifecycle import Viewed
from evo.runs.materials import describe_task
from evo.runs.provenance import installed_versions, read_starts
from evo.search.search import StopReason
from evo.standings.incumbent import IncumbentTracker
from evo.standings.plan import CONFIRMED_OBJECTIVE, Confirmed
from evo.standings.standings import Standings
from evo.standings.summary import hypervolume_history
from evo.store import Purpose, StoreView
from evo.workers.pool import retirements
from populations.archive import ParetoFront
from populations.fitness import Fitness
from populations.individual import Individual
from trainer.evaluation import Split, Status
from trainer.objectives import Objective


def load_report(viewed: Viewed) -> RunReport:
    """Return what the report of a run shows, be it live, killed or finished.

    It rests on the results that `viewed.standings` was told, and on none that a live run has added since.
    """
    config, store, standings = viewed.config, viewed.store, viewed.standings
    evaluations, places = _evaluations(store, standings)
    measured = _measured(store, standings, evaluations)
    front = ParetoFront(standings.front.objectives)
    front.update(measured.values())
    knee = front.knee()
    best = standings.best()
    first, last = store.period() or (0.0, 0.0)
    return RunReport(
        name=viewed.folder.path.resolve().name,
        task=describe_task(config),
        state=_state(viewed, last),
        started=datetime.fromtimestamp(first, UTC),
        wall_seconds=last - first,
        worker_seconds=store.work().worker_seconds,
        run_seed=config.search.seed,
        generation_size=standings.plan.mu,
        evaluations_planned=standings.plan.evaluations,
        train_seconds=config.budget.train_seconds,
        clock=config.budget.clock,
        devices=tuple(dict.fromkeys(device for device, _ in places)),
        sandbox_levels=tuple(dict.fromkeys(sandbox for _, sandbox in places)),
        self_reported=config.script is not None and config.script.self_reported,
        cost_usd=_cost_usd(store),
        objectives=_objectives(config, (*standings.objectives, *standings.front.objectives), measured.values()),
        noise=standings.noise(),
        individuals=tuple(_individuals(store, evaluations, measured)),
        evaluations=evaluations,
        best=best.id if best else None,
        front_objectives=front.objectives if len(front.objectives) > 1 else (),
        front=tuple(one.id for one in front.individuals) if len(front.objectives) > 1 else (),
        knee=knee.id if knee else None,
        hypervolume=hypervolume_history(standings),
        confirmed_front=tuple(standings.confirmed_front()),
        best_line=_line(store, best.id) if best else (),
        operator_costs=_operator_costs(store),
        confirmation=_confirmation(viewed, best.id) if best else None,
        starts=_starts(store),
        out_of_service=tuple(map(str, retirements(store))),
        rungs={rung.budget_fraction: str(rung) for rung in standings.ladder.rungs},
        drifts=tuple(map(str, standings.sentinels.drifts)),
        versions=installed_versions(),
    )


def _evaluations(
    store: StoreView, standings: Standings
) -> tuple[tuple[EvaluationRow, ...], tuple[tuple[str, str], ...]]:
    """Return the results that standings were told, and every pair of device and sandbox level that they ran with."""
    rows = []
    places: dict[tuple[str, str], None] = {}
    incumbent_tracker = IncumbentTracker()
    for number, record in enumerate(islice(store.results(), standings.result_number), start=1):
        result = record.result
        assert result is not None  # noqa: S101 - the store keeps one with everything that was told
        if result.status is Status.OK and standings.has_holdout and record.purpose.counts:
            bpb, holdout_bpb = result.objectives[CONFIRMED_OBJECTIVE], result.split_bpb.get(Split.HOLDOUT)
            incumbent_tracker.tell(record.individual, record.seed, bpb, holdout_bpb)
        places[result.device, result.sandbox] = None
        is_tried = record.purpose is Purpose.SCREEN and result.status is Status.OK
        rows.append(
            EvaluationRow(
                number=number,
                individual=record.individual,
                seed=record.seed,
                status=result.status,
                device=result.device,
                objectives={} if is_tried else result.objectives,
                reason=f"only tried with {record.budget_fraction:g} of the budget" if is_tried else result.reason,
                incumbent=incumbent_tracker.incumbent,
                counts=record.purpose.counts,
                budget_fraction=record.budget_fraction,
                feasible=not any(
                    one.violation(result.objectives) for one in standings.constraints if result.objectives
                ),
            )
        )
    return tuple(rows), tuple(places)


def _measured(store: StoreView, standings: Standings, evaluations: Sequence[EvaluationRow]) -> dict[int, Individual]:
    """Return the individuals with an OK evaluation, by id; without their sources, which no number depends on."""
    measured: dict[int, Individual] = {}
    for row in evaluations:
        if row.status is not Status.OK or not row.counts:
            continue
        if row.individual not in measured:
            record = store.individual(row.individual)
            measured[record.id] = Individual(
                id=record.id,
                source="",
                parents=record.parents,
                operator=record.operator,
                idea=record.idea,
                fitness=Fitness(standings.objectives, constraints=standings.constraints),
            )
        measured[row.individual].tell(row.seed, row.objectives)
    return measured


def _individuals(
    store: StoreView, evaluations: Sequence[EvaluationRow], measured: Mapping[int, Individual]
) -> Iterator[IndividualRow]:
    latest = {row.individual: row for row in evaluations}
    for record in store.individuals():
        newest, scored = latest.get(record.id), measured.get(record.id)
        yield IndividualRow(
            id=record.id,
            parents=record.parents,
            operator=record.operator,
            idea=record.idea,
            status=newest.status if newest else None,
            means=scored.means() if scored else {},
            replicates=scored.replicates if scored else 0,
            reason=newest.reason if newest else "",
            feasible=scored is None or scored.fitness.feasible,
        )


def _objectives(config: Config, first: Sequence[Objective], measured: Iterable[Individual]) -> tuple[Objective, ...]:
    """Return the objectives of the run, followed by whatever else was measured."""
    names = {name for individual in measured for name in individual.means()}
    others = (objective for objective in config.task.measured.values() if objective.name in names)
    return tuple(dict.fromkeys((*first, *others)))


def _line(store: StoreView, best: int) -> tuple[LineStep, ...]:
    """Return the line from generation 0 to the best, through the first parent of each."""
    line = [best]
    while parents := store.individual(line[-1]).parents:
        line.append(parents[0])
    return tuple(LineStep(individual, store.source(individual)) for individual in reversed(line))


def _operator_costs(store: StoreView) -> dict[str, OperatorCosts]:
    return {
        totals.operator: OperatorCosts(totals.proposals, None if totals.unpriced_calls else totals.cost_usd)
        for totals in store.operator_totals()
    }


def _cost_usd(store: StoreView) -> float | None:
    spending = store.spending()
    return None if spending.unpriced_calls else spending.cost_usd


def _confirmation(viewed: Viewed, best: int) -> Confirmation | None:
    """Return the best individual's confirmation; None for generation 0, which is what the others are compared with."""
    gains = {gain.individual: gain for gain in viewed.standings.gains()}
    if best not in gains:
        return None
    gain = gains[best]
    on_text = viewed.standings.plan.confirmed is Confirmed.ON_TEXT
    return Confirmation(
        split=Split.HOLDOUT.value if on_text else None,
        best=gain.own,
        generation_zero=gain.generation_zero,
        standard_error=gain.noise,
        margin=gain.margin,
        replicates=gain.seeds,
    )


def _state(viewed: Viewed, last_work: float) -> str:
    """Return one sentence on whether the run goes on or how it ended."""
    if viewed.folder.driver() is not None:
        return "Running."
    endings = list(viewed.store.events("stopped"))
    if not endings or endings[-1].at < last_work:
        return "Cut off: the driver died. `evo resume` goes on."
    stopped = endings[-1].payload
    if stopped["ending"] == StopReason.COMPLETE:
        return "Complete."
    return f"Stopped early: {stopped['reason'].rstrip('.')}. `evo resume` goes on."


def _starts(store: StoreView) -> tuple[tuple[datetime, str], ...]:
    """Return when, and with which devices and versions of programs, the run was driven; equal ones in a row once."""
    lines: list[tuple[datetime, str]] = []
    for start in read_starts(store):
        versions = ", ".join(f"{name} {number}" for name, number in start.versions.items())
        line = f"{', '.join(start.devices)} with {versions}"
        if not lines or lines[-1][1] != line:
            lines.append((datetime.fromtimestamp(start.at, UTC), line))
    return tuple(lines)

"""What the page shows of a run, as JSON. Texts of models and candidates are texts here, and stay texts on the page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from evo.report.data import RunReport
from evo.report.diffs import Diff, diff_of
from evo.report.outcome import finding_of
from evo.runs.lifecycle import Viewed
from evo.runs.live import live_curves
from evo.runs.status import read_status, state_now
from evo.standings.differences import standard_error
from evo.standings.individuals import Standing
from evo.steering.journal import EVENT, Steered
from evo.store import EvaluationRecord, StoreView
from evo.text import duration, money, visible
from operators.proposal import Exchange
from trainer.errors import UsageError
from trainer.genome import unmarked
from trainer.objectives import Objective, quantity

_MOST_STEERED = 50
_MOST_CHARACTERS = 200_000


def overview(viewed: Viewed, report: RunReport) -> dict[str, Any]:
    """Return where a run stands."""
    status, finding = read_status(viewed), finding_of(report)
    objective = report.objective
    noise = report.summary.noise.get(objective.name)
    return {
        "name": report.name,
        "task": report.task,
        "state": status.state,
        "reason": status.reason,
        "headline": finding.headline,
        "verdict": finding.verdict,
        "tone": finding.tone,
        "claim": report.claim if report.self_reported else "",
        "objective": {"name": objective.name, "unit": objective.unit, "minimize": objective.weight < 0},
        "noise": noise,
        "shown_noise": "" if noise is None else objective.format(noise),
        "spent": round(report.summary.spent, 2),
        "budget": report.summary.budget,
        "generations": viewed.config.search.gens,
        "results": status.summary.result_number,
        "time": duration(report.wall_seconds),
        "left": "" if status.seconds_left is None else duration(status.seconds_left),
        "cost": money(report.summary.spending.known_usd),
        "best": report.best,
        "zero_seconds": viewed.store.success_seconds(),
        "running": [asdict(one) for one in status.running],
        "queued": status.queued,
        "proposing": status.proposing,
        "failures": [asdict(one) for one in status.failures],
        "refused": dict(status.refused),
        "operators": [asdict(one) for one in report.operators],
        "weights": dict(viewed.config.operators.weights),
        "statuses": dict(report.summary.statuses),
        "front": [one.name for one in report.front_objectives[:2]],
        "measured": [one.name for one in report.objectives],
        "hypervolume": bool(report.summary.hypervolume),
        "warnings": [*report.drifts, *report.out_of_service],
        "steering": status.steering.to_json(),
        "asked": list(status.asked),
        "steered": [_steered(one) for one in _newest(viewed.store)],
    }


def live(viewed: Viewed) -> dict[str, Any]:
    """Return the curve of each evaluation that runs, by its number."""
    curves = list(live_curves(viewed)) if viewed.folder.driver() else []
    return {"curves": {one.evaluation: {**asdict(one), "name": visible(one.name)} for one in curves}}


def individuals(_: Viewed, report: RunReport) -> dict[str, Any]:
    """Return every individual with its mean, the standard error of it, and its gain over generation 0."""
    name = report.objective.name
    sigma = report.summary.noise.get(name)
    shown = report.objective.format
    rows = []
    births = 0
    for one in report.individuals:
        births += bool(one.parents)
        gain, value, error = report.gains.get(one.id), one.objectives.get(name), standard_error(sigma, one.replicates)
        rows.append(
            {
                "id": one.id,
                "parents": one.parents,
                "operator": one.operator,
                "idea": visible(one.idea)[:300],
                "status": "waiting" if one.status is None else one.status,
                "value": value,
                "error": error,
                "shown": "" if value is None else shown(value, error),
                "runs": one.replicates,
                "gain": None if gain is None else gain.value,
                "shown_gain": "" if gain is None else shown(gain.value, signed=True),
                "tie": gain is None or gain.is_tie,
                "broken": one.broken,
                "generation": math.ceil(births / report.generation_size) if one.parents else 0,
            }
        )
    return {"objective": name, "best": report.best, "front": report.front, "rows": rows}


def individual(viewed: Viewed, number: int, against: int | None) -> dict[str, Any]:
    """Return everything that is known of one individual, with its change against another one.

    Args:
        against: the other one; its first parent by default.

    Raises:
        UsageError: there is no such individual.
    """
    store, standings = viewed.store, viewed.standings
    if not store.has_individual(number):
        raise UsageError(f"There is no individual {number}.")
    record, source = store.individual(number), store.source(number)
    before = record.parents[0] if against is None and record.parents else against
    if before is not None and not store.has_individual(before):
        raise UsageError(f"There is no individual {before}.")
    change = None if before is None else diff_of(store.source(before), source)
    known, is_driven = standings.measured.get(number), viewed.folder.driver() is not None
    return {
        "id": number,
        "parents": record.parents,
        "children": [one.id for one in store.children_of([number], limit=20)],
        "ancestors": _ancestors(store, number),
        "operator": record.operator,
        "idea": visible(record.idea),
        "created_at": record.created_at,
        "means": _means(viewed, number),
        "runs": len(known.evaluations) if known else 0,
        "broken": Standing.of(record, standings).broken,
        "evaluations": [_evaluation(viewed, one, is_driven=is_driven) for one in store.evaluations_of(number)],
        "exchanges": [_exchange(one) for one in store.exchanges(number)],
        "against": before,
        "diff": None if change is None else _diff(change),
        "source": visible(unmarked(source)),
    }


def listing(report: RunReport) -> dict[str, Any]:
    """Return one run among others."""
    finding = finding_of(report)
    return {
        "headline": finding.headline,
        "tone": finding.tone,
        "state": report.state,
        "objective": report.objective.name,
        "spent": round(report.summary.spent, 2),
        "budget": report.summary.budget,
    }


def _means(viewed: Viewed, number: int) -> list[dict[str, Any]]:
    known, noise = viewed.standings.measured.get(number), viewed.standings.noise()
    if known is None:
        return []
    count = len(known.evaluations)
    return [
        {"name": one.name, "value": one.format(known.means[one.name], standard_error(noise.get(one.name), count))}
        for one in _selected_first(viewed, known.means)
    ]


def _selected_first(viewed: Viewed, measured: Mapping[str, float]) -> list[Objective]:
    """Return the measured objectives, those of selection before the others."""
    selected = {one.name for one in viewed.standings.objectives}
    known = [one for name, one in viewed.config.task.measured.items() if name in measured]
    return sorted(known, key=lambda one: one.name not in selected)


def _ancestors(store: StoreView, number: int) -> list[int]:
    """Return the first parents up to generation 0, the nearest first."""
    line = []
    while parents := store.individual(number).parents:
        number = parents[0]
        line.append(number)
    return line


def _evaluation(viewed: Viewed, record: EvaluationRecord, *, is_driven: bool) -> dict[str, Any]:
    result = record.result
    measured = {} if result is None else result.objectives
    return {
        "id": record.id,
        "number": record.result_number,
        "seed": record.seed,
        "purpose": record.purpose,
        "splits": list(record.splits),
        "fraction": record.budget_fraction,
        "state": result.status if result else state_now(record.state, is_driven=is_driven),
        "device": record.device,
        "attempts": len(viewed.store.attempts_of(record.id)),
        "objectives": {one.name: one.format(measured[one.name]) for one in _selected_first(viewed, measured)},
        "splits_bpb": {} if result is None else {name: quantity(one) for name, one in result.split_bpb.items()},
        "reason": "" if result is None else visible(result.reason),
        "log": "" if result is None else visible(result.log_tail),
        "sandbox": "" if result is None else result.sandbox,
        "seconds": None if result is None else result.timings.total_seconds,
        "curve": [] if result is None else [[point.seconds, point.loss] for point in result.curve],
        "curve_name": "" if result is None else visible(result.curve_name),
    }


def _exchange(exchange: Exchange) -> dict[str, Any]:
    system = [("system", exchange.request["system"])] if "system" in exchange.request else []
    messages = [*system, *_messages(exchange.request)]
    reply = _text(exchange.reply.get("content", ""))
    return {
        "model": exchange.model,
        "cost": money(exchange.cost_usd),
        "tokens": exchange.input_tokens + exchange.output_tokens,
        "seconds": exchange.latency_seconds,
        "prompt": [{"role": role, "text": _text(content)} for role, content in messages],
        "reply": reply,
    }


def _messages(request: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(str(one.get("role", "")), one.get("content", "")) for one in request.get("messages", [])]


def _text(content: Any) -> str:
    parts = [content] if isinstance(content, str) else [part.get("text", "") for part in content]
    return visible("\n".join(map(str, parts)))[:_MOST_CHARACTERS]


def _diff(change: Diff) -> dict[str, Any]:
    hunks = [[{"sign": line.sign, "number": line.number, "text": line.text} for line in hunk] for hunk in change.hunks]
    return {"added": change.added, "removed": change.removed, "hunks": hunks}


def _newest(store: StoreView) -> list[Steered]:
    return [Steered.of(event) for event in store.events(EVENT)][: -_MOST_STEERED - 1 : -1]


def _steered(one: Steered) -> dict[str, Any]:
    return {
        "id": one.action.id,
        "who": visible(one.action.who),
        "asked_at": one.action.at,
        "taken_at": one.taken_at,
        "what": visible(str(one.action)),
        "refused": visible(one.refused),
        "individual": one.individual,
    }

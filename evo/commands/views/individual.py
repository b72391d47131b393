"""One individual with everything that is known of it, as a person reads it and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from rich.console import Console

from evo.commands.views.terminal import (
    idea_beside,
    literal,
    one_line,
    print_block,
    print_line,
    print_table,
    print_whole,
    sparkline,
)
from evo.runs.lifecycle import Viewed
from evo.runs.status import state_now
from evo.standings.incumbent import Setback
from evo.standings.individuals import Standing
from evo.store import AttemptRecord, EvaluationRecord, EvaluationState, IndividualRecord, published
from evo.text import price, tokens
from operators.proposal import Exchange
from trainer.errors import counted
from trainer.evaluation import CurvePoint, Evaluation, Split
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES, Objective

_CURVE_ROWS = 8
_CHILDREN = 12
_LABEL = 18  # columns before a fact, where no name of an objective is longer


@dataclass(frozen=True, slots=True)
class Portrait:
    """An individual with its evaluations, its evaluated children (newest first) and the calls that made it.

    Attributes:
        attempts: every launch of each of the evaluations, oldest first.
        repaired: the individual that crashed, which it mends; None for all others.
        setback: why it is not the best although it led on the selection split; None for all others.
        objectives: of the run, what selection looks at first.
        is_driven: whether a driver works on the run.
    """

    record: IndividualRecord
    standing: Standing
    evaluations: tuple[EvaluationRecord, ...]
    attempts: tuple[tuple[AttemptRecord, ...], ...]
    children: tuple[int, ...]
    exchanges: tuple[Exchange, ...]
    repaired: int | None
    setback: Setback | None
    objectives: tuple[Objective, ...]
    is_driven: bool

    @property
    def results(self) -> list[Evaluation]:
        """The verdicts so far."""
        return [one.result for one in self.evaluations if one.result]

    def to_json(self, *, prompts: bool) -> dict[str, Any]:
        """Return a JSON-serialisable form; `prompts` adds the calls of language models."""
        data = {
            **asdict(self.record, dict_factory=published),
            "objectives": self.standing.objectives,
            "broken": self.standing.broken,
            "children": self.children,
            "repaired": self.repaired,
            "setback": asdict(self.setback, dict_factory=published) if self.setback else None,
            "evaluations": [
                self._current(asdict(one, dict_factory=published))
                | {"attempts": [self._current(asdict(attempt)) for attempt in attempts]}
                for one, attempts in zip(self.evaluations, self.attempts, strict=True)
            ],
        }
        return {**data, "exchanges": [asdict(exchange) for exchange in self.exchanges]} if prompts else data

    def _current(self, facts: dict[str, Any]) -> dict[str, Any]:
        return facts | {"state": state_now(facts["state"], is_driven=self.is_driven)}


def read_portrait(viewed: Viewed, record: IndividualRecord) -> Portrait:
    """Return everything a run knows of an individual."""
    store, best = viewed.store, viewed.standings.best()
    children = store.children_of([record.id], limit=_CHILDREN)
    records = tuple(store.evaluations_of(record.id))
    return Portrait(
        record=record,
        standing=Standing.of(record, viewed.standings),
        evaluations=records,
        attempts=tuple(tuple(store.attempts_of(one.id)) for one in records),
        children=tuple(child.id for child in children),
        exchanges=tuple(store.exchanges(record.id)),
        repaired=store.repairs().get(record.id),
        # Confirmation, with its new seeds, has the last word.
        setback=viewed.standings.incumbents.setbacks.get(record.id) if best and best.id != record.id else None,
        objectives=tuple(dict.fromkeys((*viewed.standings.objectives, *viewed.config.task.measured.values()))),
        is_driven=viewed.folder.driver() is not None,
    )


def print_portrait(console: Console, portrait: Portrait, *, prompts: bool) -> None:
    """Print an individual: origin, means, every evaluation, newest training curve and output, and its calls."""
    means, broken = portrait.standing.objectives, portrait.standing.broken
    measured = [one for one in portrait.objectives if one.name in means]
    width = max(_LABEL, *(len(one.label) for one in measured), 0)
    for line in _origin(portrait, width):
        print_whole(console, line)
    for objective in measured:
        print_whole(console, f"{objective.label:<{width}} {objective.format(means[objective.name])}")
    if broken:
        print_whole(console, f"[red]{'infeasible':<{width}} breaks {' and '.join(broken)}[/]")
    if portrait.setback:
        print_whole(console, f"[yellow]{_setback(portrait.setback)}[/]")
    _print_evaluations(console, portrait)
    for attempt in (one for attempts in portrait.attempts for one in attempts if one.state == "released"):
        lost = f"attempt {attempt.number} on {attempt.device} gave no result: {attempt.reason}"
        print_whole(console, f"[yellow]{literal(lost)}[/]")
    newest = portrait.results[-1] if portrait.results else None
    if newest and newest.curve:
        _print_curve(console, newest.curve_name, newest.curve)
    if newest and newest.log_tail.strip():
        print_whole(console, "\n[bold]end of its output[/]")
        print_block(console, newest.log_tail.strip("\n"))
    for turn, exchange in enumerate(portrait.exchanges if prompts else ()):
        print_exchange(console, turn, exchange)


def _origin(portrait: Portrait, width: int) -> Iterator[str]:
    record = portrait.record
    made = datetime.fromtimestamp(record.created_at, UTC).astimezone()
    parents = " and ".join(f"#{parent}" for parent in record.parents)
    origin = f"by {literal(record.operator)} from {parents}" if parents else "generation 0"
    yield f"[bold]#{record.id}[/] {origin}, {made:%Y-%m-%d %H:%M:%S}"
    yield f"{'idea':<{width}} {idea_beside(record.operator, record.idea)}"
    if portrait.repaired is not None:
        yield f"{'repairs':<{width}} #{portrait.repaired}, which crashed"
    if portrait.children:
        newest = " ".join(f"#{child}" for child in portrait.children)
        more = " …" if len(portrait.children) == _CHILDREN else ""
        yield f"{'children':<{width}} {newest}{more}"
    if portrait.exchanges:
        yield calls_line(portrait.exchanges, width)
    yield f"{'means over':<{width}} {counted(portrait.standing.replicates, 'evaluation')}"


def calls_line(exchanges: Sequence[Exchange], width: int = _LABEL) -> str:
    """Return how many calls of a language model were made, and for how much."""
    costs = [exchange.cost_usd for exchange in exchanges]
    known = sum(cost for cost in costs if cost is not None)
    paid = price(known, len(costs), costs.count(None), digits=4)
    return f"{'language model':<{width}} {counted(len(costs), 'call')} {paid}; --prompts shows them"


def _setback(setback: Setback) -> str:
    scores = f"{setback.bpb:.4f} bits per byte against {setback.incumbent_bpb:.4f} of #{setback.incumbent}"
    return f"led on split {Split.SELECTION}, but did not hold on split {Split.HOLDOUT}: {scores}"


class _Column(NamedTuple):
    """What an evaluation measured, in a column of its own."""

    name: str
    value: Callable[[Evaluation], str]


def _print_evaluations(console: Console, portrait: Portrait) -> None:
    records = portrait.evaluations
    scored = {split for one in portrait.results for split in one.split_bpb}
    if scored:
        what = "bits per byte by split; seconds of training, scoring and the rest"
        columns = [_Column(split, partial(_bpb, split)) for split in Split if split in scored]
        columns.append(_Column("tokens/s", partial(_measured, LANGUAGE_MODEL_OBJECTIVES["tokens_per_second"])))
    else:
        what = "seconds of the run, scoring and the rest"
        columns = [_Column(one.label, partial(_measured, one)) for one in portrait.objectives]
    header = ("result", "purpose", "seed", "status", *(column.name for column in columns))
    print_whole(console, f"\n[bold]evaluations[/]: {what}")
    rows = [_evaluation_row(one, columns, is_driven=portrait.is_driven) for one in records]
    timings = ("train" if scored else "run", "score", "other", "device")
    print_table(console, (*header, *timings), rows, left=("purpose", "status", "device"))
    for one in records:
        if one.result and one.result.reason:
            print_whole(console, f"{one.result_number}: [red]{one_line(one.result.reason)}[/]")


def _bpb(split: Split, result: Evaluation) -> str:
    return f"{result.split_bpb[split]:.4f}" if split in result.split_bpb else ""


def _measured(objective: Objective, result: Evaluation) -> str:
    return objective.format(result.objectives[objective.name]) if objective.name in result.objectives else ""


def _evaluation_row(record: EvaluationRecord, columns: Sequence[_Column], *, is_driven: bool) -> list[str]:
    result = record.result
    purpose = record.purpose if record.budget_fraction == 1 else f"{record.purpose} {record.budget_fraction:g}"
    if result is None:
        state = state_now(record.state, is_driven=is_driven)
        waiting = [str(record.result_number or "-"), purpose, str(record.seed), state]
        device = "" if record.state is EvaluationState.QUEUED else record.device or ""
        return [*waiting, *("" for _ in columns), "", "", "", literal(device)]
    timings = result.timings
    return [
        str(record.result_number),
        purpose,
        str(record.seed),
        result.status,
        *(column.value(result) for column in columns),
        *(f"{part:.1f}" for part in (timings.train_seconds, timings.score_seconds, timings.outside_seconds)),
        literal(f"{result.device} ({result.sandbox})"),
    ]


def _print_curve(console: Console, name: str, curve: Sequence[CurvePoint]) -> None:
    print_whole(console, f"\n[bold]{literal(name)}[/]  {sparkline([point.loss for point in curve])}")
    step = max(1, -(-len(curve) // _CURVE_ROWS))
    shown = [*curve[:-1:step], curve[-1]]
    rows = [(f"{point.seconds:.1f}", str(point.step), f"{point.loss:.4f}") for point in shown]
    print_table(console, ("seconds", "step", name), rows, left=())


def print_exchange(console: Console, turn: int, exchange: Exchange) -> None:
    """Print a call of a language model: its price, its prompt, its reply."""
    price = "unknown price" if exchange.cost_usd is None else f"${exchange.cost_usd:.4f}"
    cached = (exchange.cache_read_tokens, exchange.cache_write_tokens)
    counts = tokens(exchange.input_tokens, *cached, exchange.output_tokens)
    counts += " (estimated: the server counts none)" if exchange.reply.get("tokens_estimated") else ""
    print_line(
        console,
        f"\n[bold]call {turn + 1}[/] to {literal(exchange.model)}: {price}, {counts}, {exchange.latency_seconds:.1f} s",
    )
    messages = exchange.request.get("messages", [])
    system = [("system", exchange.request["system"])] if "system" in exchange.request else []
    prompts = [*system, *((one["role"], one["content"]) for one in messages)]
    for role, content in (*prompts, ("reply", exchange.reply.get("content", ""))):
        print_whole(console, f"[bold]{literal(role)}[/]")
        print_block(console, _text_of(content))


def _text_of(content: Any) -> str:
    """Return the text of a message's content: a string, or a list of blocks."""
    if isinstance(content, str):
        return content
    return "\n".join(str(block.get("text") or block.get("thinking") or "") for block in content)

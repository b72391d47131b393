"""The memory of a run: every idea that was had, and what became of it, as a proposal may know it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from evo.standings.standings import Standings
from evo.store import MEASURED_AGAIN, Outcome, ProposalRecord, ProposalState, StoreView, mean_objectives
from operators.proposal import Effect, Exchange, Fate, Idea, Memory
from trainer.evaluation import Status

EPOCH_RESULTS = 32
"""Results between two states of what is settled."""


class Memories:
    """Recalls the ideas of a run; every record is read once.

    What is recalled follows from the store alone, for a given proposal and the results that it may know: a proposal
    that was begun before a kill recalls the same after it.

    Args:
        standings: what is known; their noise and effects are used.
    """

    def __init__(self, store: StoreView, standings: Standings) -> None:
        self._store = store
        self._standings = standings
        self._proposals: dict[int, ProposalRecord] = {}
        self._open: set[int] = set()
        self._outcomes: defaultdict[int, list[Outcome]] = defaultdict(list)
        self._results: list[Outcome] = []
        self._offspring: defaultdict[int, list[int]] = defaultdict(list)
        self._leaders: set[int] = set()
        self._best: tuple[float, float] | None = None
        self._refused: dict[int, str] = {}
        self._reasons: dict[int, str] = {}
        self._costs: dict[int, float] = {}
        self._settled: tuple[int, list[Idea]] = (0, [])
        self._repairs: dict[int, int] = {}

    def of(self, number: int, result_number: int) -> Memory:
        """Return what proposal `number`, begun after `result_number` results, may know."""
        self._read()
        begun_at = self._proposals[number].created_at
        epoch = result_number // EPOCH_RESULTS * EPOCH_RESULTS
        if self._settled[0] != epoch:
            self._settled = (epoch, list(self._as_of(epoch)))
        settled = [idea for idea in self._settled[1] if idea.id < number]
        known = {idea.id for idea in settled}
        earlier = [record for other, record in self._proposals.items() if 0 < other < number and other not in known]
        recent = (self._idea(record, result_number, begun_at) for record in earlier)
        return Memory(settled, [idea for idea in recent if idea is not None])

    def up_to(self, result_number: int) -> Memory:
        """Return what was settled with a result: what was measured, failed or refused by then."""
        self._read()
        return Memory(list(self._as_of(result_number)))

    def _read(self) -> None:
        """Take in what the store has received since the last time."""
        newest = max(self._proposals, default=-1)
        self._repairs = self._store.repairs()
        changed = [self._store.proposal(number) for number in self._open]
        for record in [*changed, *self._store.proposals(after=newest)]:
            self._proposals[record.number] = record
            if record.state is ProposalState.OPEN:
                self._open.add(record.number)
            else:
                self._open.discard(record.number)
                self._close(record)
        for outcome in self._store.outcomes(after=len(self._results)):
            self._take_in(outcome)

    def _close(self, record: ProposalRecord) -> None:
        self._costs[record.number] = self._store.cost_of(record.number)
        if record.state is ProposalState.REFUSED:
            exchanges = self._store.exchanges(record.number)
            self._refused[record.number] = _hypothesis(exchanges[-1]) if exchanges else ""

    def _take_in(self, outcome: Outcome) -> None:
        individual = outcome.individual
        if outcome.status is not Status.OK:
            result = self._store.evaluation(outcome.evaluation).result
            self._reasons[outcome.evaluation] = result.reason if result else ""
        elif outcome.purpose.counts and not any(map(_is_measurement, self._outcomes[individual])):
            for parent in self._proposals[individual].parents:
                self._offspring[parent].append(individual)
            self._follow_the_best(outcome)
        self._outcomes[individual].append(outcome)
        self._results.append(outcome)

    def _follow_the_best(self, outcome: Outcome) -> None:
        """Remember an individual that is better than all before it when it is first measured."""
        objective = self._standings.objectives[0]
        violation = sum(one.violation(outcome.objectives) for one in self._standings.constraints)
        value = (-violation, objective.weight * outcome.objectives[objective.name])
        if self._best is None or value > self._best:
            self._best = value
            self._leaders.add(outcome.individual)

    def _as_of(self, epoch: int) -> Iterator[Idea]:
        """Yield what was settled with the result numbered `epoch`: what was measured, failed or refused by then."""
        if not epoch:
            return
        at = self._results[epoch - 1].finished_at
        for number, record in self._proposals.items():
            idea = self._idea(record, epoch, at) if number else None
            if idea is not None and idea.fate not in (Fate.PROPOSED, Fate.WAITING):
                yield idea

    def _idea(self, record: ProposalRecord, until: int, at: float) -> Idea | None:
        """Return what was known of a proposal after the result numbered `until`; None where it had not begun."""
        number, parents, operator = record.number, record.parents, record.operator
        if record.created_at > at or record.kind == MEASURED_AGAIN:
            return None
        repaired = self._repairs.get(number)
        if record.closed_at is None or record.closed_at > at:
            return Idea(number, parents, operator, "", Fate.PROPOSED, repaired=repaired)
        cost_usd = self._costs[number]
        if record.state is ProposalState.REFUSED:
            text, reason = self._refused[number], record.reason or ""
            return Idea(number, parents, operator, text, Fate.REFUSED, reason, cost_usd=cost_usd, repaired=repaired)
        text, outcomes = record.idea or "", [one for one in self._outcomes[number] if one.result_number <= until]
        fate, outcome = self._fate(outcomes)
        sigma = self._standings.noise().get(self._standings.objectives[0].name)
        measured = self._standings.effects.mean(number, sigma, until)
        offspring = [one for one in self._offspring[number] if self._is_measured(one, until)]
        means = mean_objectives([one for one in outcomes if _is_measurement(one)])
        return Idea(
            id=number,
            parents=parents,
            operator=operator,
            text=text,
            fate=fate,
            outcome=outcome,
            value=measured[0] if measured else None,
            replicates=measured[1] if measured else 0,
            others={one.name: means[one.name] for one in self._standings.objectives[1:] if means},
            broken=tuple(str(one) for one in self._standings.constraints if means and one.violation(means)),
            effect=effect_of(self._standings, number, parents, until),
            seconds=sum(one.worker_seconds for one in outcomes),
            cost_usd=cost_usd,
            led=measured is not None and number in self._leaders,
            offspring=len(offspring),
            crossed_into=tuple(one for one in offspring if len(self._proposals[one].parents) > 1),
            repaired=repaired,
        )

    def _fate(self, outcomes: list[Outcome]) -> tuple[Fate, str]:
        if any(map(_is_measurement, outcomes)):
            return Fate.MEASURED, ""
        if not outcomes:
            return Fate.WAITING, ""
        newest = outcomes[-1]
        if newest.status is Status.OK:
            return Fate.SCREENED, f"with {newest.budget_fraction:g} of the training budget"
        reason = self._reasons[newest.evaluation]
        return Fate.FAILED, f"{newest.status}: {reason}" if reason else newest.status

    def _is_measured(self, individual: int, until: int) -> bool:
        return any(_is_measurement(one) and one.result_number <= until for one in self._outcomes[individual])


def effect_of(standings: Standings, individual: int, parents: tuple[int, ...], until: int) -> Effect | None:
    """Return what an individual gained on the better of its parents after the result numbered `until`."""
    sigma = standings.noise().get(standings.objectives[0].name)
    found = standings.effects.of(individual, parents, sigma, until)
    if found is None:
        return None
    parent, difference = found
    return Effect(parent, difference.value, difference.standard_error, difference.is_tie)


def _hypothesis(exchange: Exchange) -> str:
    # Imported here: a run without a language model has no exchange, and does without the client.
    from operators.llm.edits import parse_idea
    from operators.llm.replies import read_reply

    return parse_idea(read_reply(exchange.reply).text)


def _is_measurement(outcome: Outcome) -> bool:
    return outcome.status is Status.OK and outcome.purpose.counts

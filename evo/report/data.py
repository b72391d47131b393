"""What a report shows, as plain data: no store, no files, no charts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from evo.standings.gains import ConfirmedMember
from trainer.evaluation import Status
from trainer.objectives import Direction, Objective

TIE_SIGMAS = 2.0
"""A difference of fewer standard errors is a tie."""


@dataclass(frozen=True, slots=True)
class IndividualRow:
    """One individual.

    Attributes:
        id: its proposal's number; 0 is generation 0.
        status: how its latest evaluation ended; None while it waits for its first verdict.
        means: mean over its OK evaluations by objective name, on the split that selection sees; empty when it failed.
        reason: one sentence on why it failed.
        feasible: whether the means keep the constraints.
    """

    id: int
    parents: tuple[int, ...]
    operator: str
    idea: str
    status: Status | None
    means: Mapping[str, float] = field(default_factory=dict)
    replicates: int = 0
    reason: str = ""
    feasible: bool = True


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One completed evaluation.

    Attributes:
        number: 1, 2, 3 … in the order in which results arrived.
        individual: id of what was evaluated.
        objectives: as measured on the split that selection sees; empty unless `status` is OK.
        champion: who was the best then, by the gate split too; None where there is no gate.
        feasible: whether the constraints were kept.
        counts: whether it is in its individual's means; others watch a device, or try an offspring on a rung.
        budget_fraction: of the budget, which it trained with.
    """

    number: int
    individual: int
    seed: int
    status: Status
    device: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    incumbent: int | None = None
    feasible: bool = True
    counts: bool = True
    budget_fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class LineStep:
    """One member of the line from generation 0 to the best individual, with its whole source."""

    individual: int
    source: str


@dataclass(frozen=True, slots=True)
class OperatorCosts:
    """What an operator used up that its individuals do not show.

    Attributes:
        proposals: how often it was asked.
        cost_usd: None where a model's price is unknown; 0.0 for an operator that costs nothing.
    """

    proposals: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class OperatorSummary:
    """What became of an operator's proposals.

    Attributes:
        offspring: individuals it made.
        scored: those with an OK evaluation.
        failed: those that ended otherwise.
        improved: those better than their best parent by more than a tie.
    """

    name: str
    proposals: int
    offspring: int
    scored: int
    failed: int
    improved: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The best individual and generation 0, measured again where selection did not look.

    Attributes:
        split: name of a split that selection never saw; None where fresh seeds alone tell the two apart.
        best: mean of the first objective, best individual.
        generation_zero: the same of generation 0.
        standard_error: of the difference of the two means; None where one replicate each gives no estimate.
        margin: half the width of the 95% interval around that difference; None likewise.
        replicates: evaluations of the best individual.
    """

    split: str | None
    best: float
    generation_zero: float
    standard_error: float | None
    margin: float | None
    replicates: int


@dataclass(frozen=True, slots=True)
class Gain:
    """How much better than generation 0, in the objective's unit; positive is better.

    Attributes:
        standard_error: None where the noise was not measured.
        margin: what the value must exceed to be more than a tie; None likewise.
        fraction: of generation 0's value; None when that is zero.
    """

    value: float
    standard_error: float | None
    margin: float | None
    fraction: float | None

    @property
    def beyond_noise(self) -> bool | None:
        """Whether the gain is more than a tie; None where the noise is not known."""
        return None if self.margin is None else self.value > self.margin


@dataclass(frozen=True)
class RunReport:
    """Everything a report shows.

    Attributes:
        task: one line on what was trained, on which data.
        state: one sentence on how the run ended, or that it goes on.
        wall_seconds: from the first act to the last, pauses between a stop and a resumption included.
        worker_seconds: wall time of all workers together.
        generation_size: completed evaluations a generation.
        evaluations_planned: the run's whole budget, evaluations.
        train_seconds: training budget of one evaluation on `clock`.
        self_reported: whether the candidates printed their own metric (script tasks).
        cost_usd: of all calls of language models; None where a price is unknown.
        objectives: everything measured; the first is what the run is about.
        noise: standard deviation of one evaluation by objective name, where it was measured.
        individuals: by ascending id; generation 0 first.
        evaluations: in the order in which results arrived.
        best: id of the run's answer; None while nothing was scored.
        front_objectives: what the front trades off, two or more; none where only one is measured.
        front: ids of the individuals on the front.
        knee: id of its best trade-off; None where no member is one.
        hypervolume: of the front after each result that changed it: the result's number, and the share of the box
            between the worst and the best of everybody who was ever on the front.
        confirmed_front: its members measured again with fresh seeds; empty until they were.
        best_line: from generation 0 to the best; the first parent at a crossover.
        operator_costs: by operator name.
        confirmation: None until the finalists were confirmed.
        starts: when its drivers started, and the devices and versions of programs that each found.
        out_of_service: a line on each worker that was given no more work.
        drifts: a line on each device whose newest sentinel differs beyond the noise.
        rungs: a line on each share of the budget below the whole, by that share.
        versions: of the programs that wrote the report, by name.
    """

    name: str
    task: str
    state: str
    started: datetime
    wall_seconds: float
    worker_seconds: float
    run_seed: int
    generation_size: int
    evaluations_planned: int
    train_seconds: float
    clock: str
    devices: tuple[str, ...]
    sandbox_levels: tuple[str, ...]
    self_reported: bool
    cost_usd: float | None
    objectives: tuple[Objective, ...]
    noise: Mapping[str, float]
    individuals: tuple[IndividualRow, ...]
    evaluations: tuple[EvaluationRow, ...]
    best: int | None
    front_objectives: tuple[Objective, ...]
    front: tuple[int, ...]
    knee: int | None
    hypervolume: tuple[tuple[int, float], ...]
    confirmed_front: tuple[ConfirmedMember, ...]
    best_line: tuple[LineStep, ...]
    operator_costs: Mapping[str, OperatorCosts]
    confirmation: Confirmation | None
    starts: tuple[tuple[datetime, str], ...]
    out_of_service: tuple[str, ...]
    drifts: tuple[str, ...]
    rungs: Mapping[float, str]
    versions: Mapping[str, str]

    @property
    def objective(self) -> Objective:
        """The first objective: what the run is about."""
        return self.objectives[0]

    @cached_property
    def spent(self) -> float:
        """What the evaluations cost together, as evaluations of the whole budget."""
        return round(sum(row.budget_fraction for row in self.evaluations), 2)

    @cached_property
    def by_id(self) -> dict[int, IndividualRow]:
        """Individuals by id."""
        return {individual.id: individual for individual in self.individuals}

    @cached_property
    def ranking(self) -> list[IndividualRow]:
        """Scored individuals by the mean of the first objective, best first; infeasible ones last, older ones first."""
        name, weight = self.objective.name, self.objective.weight
        scored = [individual for individual in self.individuals if name in individual.means]
        return sorted(scored, key=lambda one: (not one.feasible, -weight * one.means[name], one.id))

    @property
    def generation_zero(self) -> IndividualRow | None:
        """Generation 0, once it was scored."""
        row = self.by_id.get(0)
        return row if row is not None and self.objective.name in row.means else None

    def status_counts(self) -> dict[Status, int]:
        """Return the number of evaluations by status, in the order of `Status`, without zeros."""
        counts = Counter(evaluation.status for evaluation in self.evaluations)
        return {status: counts[status] for status in Status if counts[status]}

    def gain(self, individual: IndividualRow, over: IndividualRow) -> Gain:
        """Return how much better `individual` is than `over` in the first objective; both must be scored."""
        name = self.objective.name
        base = over.means[name]
        value = self.objective.weight * (individual.means[name] - base)
        sigma = self.noise.get(name)
        error = None if sigma is None else sigma * math.sqrt(1 / individual.replicates + 1 / over.replicates)
        margin = None if error is None else TIE_SIGMAS * error
        return Gain(value, error, margin, value / abs(base) if base else None)

    def best_gain(self) -> Gain | None:
        """Return the best individual's gain over generation 0 where selection looked; None before both are scored."""
        if self.best is None or self.generation_zero is None:
            return None
        return self.gain(self.by_id[self.best], self.generation_zero)

    def gain_in(self, confirmation: Confirmation) -> Gain:
        """Return the gain that a confirmation found."""
        base = confirmation.generation_zero
        value = self.objective.weight * (confirmation.best - base)
        return Gain(value, confirmation.standard_error, confirmation.margin, value / abs(base) if base else None)

    def best_so_far(self) -> list[tuple[int, float]]:
        """Return (evaluation number, mean of the best) after each OK evaluation.

        The best is the champion, or where there is no gate the best of the means of what was measured by then, not of
        single lucky values: a re-evaluation may take a best back, and then the curve steps back too.
        """
        pick = min if self.objective.direction is Direction.MINIMIZE else max
        return [
            (row.number, pick(means.values()) if row.incumbent is None else means[row.incumbent])
            for row, means in self._running_means()
        ]

    def operator_summaries(self) -> list[OperatorSummary]:
        """Return a summary of each operator, the most offspring first."""
        names = {*self.operator_costs, *(row.operator for row in self.individuals if row.parents)}
        summaries = [self._summarise(name) for name in names]
        return sorted(summaries, key=lambda summary: (-summary.offspring, summary.name))

    def _running_means(self) -> Iterator[tuple[EvaluationRow, dict[int, float]]]:
        """Yield each OK and feasible evaluation, and everyone's mean after it; one dict that goes on changing."""
        name = self.objective.name
        counts: Counter[int] = Counter()
        means: dict[int, float] = {}
        for evaluation in self.evaluations:
            if name in evaluation.objectives and evaluation.feasible and evaluation.counts:
                id_ = evaluation.individual
                counts[id_] += 1
                before = means.get(id_, 0.0)
                means[id_] = before + (evaluation.objectives[name] - before) / counts[id_]
                yield evaluation, means

    def _summarise(self, operator: str) -> OperatorSummary:
        offspring = [row for row in self.individuals if row.operator == operator and row.parents]
        scored = [row for row in offspring if self.objective.name in row.means]
        unscored = [row for row in offspring if self.objective.name not in row.means]
        costs = self.operator_costs.get(operator, OperatorCosts(len(offspring), None))
        return OperatorSummary(
            name=operator,
            proposals=costs.proposals,
            offspring=len(offspring),
            scored=len(scored),
            failed=sum(row.status not in (None, Status.OK) for row in unscored),
            improved=sum(self._improved(row) for row in scored),
            cost_usd=costs.cost_usd,
        )

    def _improved(self, row: IndividualRow) -> bool:
        """Whether a scored individual beats its best scored parent by more than a tie."""
        parents = [self.by_id[id_] for id_ in row.parents if self.objective.name in self.by_id[id_].means]
        if not parents:
            return False
        gain = min((self.gain(row, over=parent) for parent in parents), key=lambda gain: gain.value)
        return gain.value > 0 and gain.beyond_noise is not False

"""What is known of each individual, as every view shows it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evo.standings.standings import Standings
from evo.store import IndividualRecord, OperatorTotals, StoreView
from trainer.evaluation import Status
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class Standing:
    """One individual.

    Attributes:
        status: how its latest evaluation ended; None while it waits for its first result.
        objectives: means over its whole evaluations that ended OK, on the split that selection sees.
        replicates: how many evaluations these are.
        broken: the constraints that the means break.
    """

    id: int
    parents: tuple[int, ...]
    operator: str
    idea: str
    status: Status | None
    objectives: Mapping[str, float] = field(default_factory=dict)
    replicates: int = 0
    broken: tuple[str, ...] = ()

    @classmethod
    def of(cls, record: IndividualRecord, standings: Standings) -> Standing:
        """Return what standings know of an individual."""
        known = standings.measured.get(record.id)
        means = known.means if known else {}
        return cls(
            id=record.id,
            parents=record.parents,
            operator=record.operator,
            idea=record.idea,
            status=standings.latest_status.get(record.id),
            objectives=means,
            replicates=len(known.evaluations) if known else 0,
            broken=tuple(str(one) for one in standings.constraints if means and one.violation(means)),
        )


def read_individuals(store: StoreView, standings: Standings) -> dict[int, Standing]:
    """Return every individual of a run by id, oldest first."""
    return {record.id: Standing.of(record, standings) for record in store.individuals()}


def ranking(individuals: Iterable[Standing], objective: Objective) -> list[Standing]:
    """Return the measured individuals, best mean first, those that break constraints last; of equals the oldest."""
    measured = [one for one in individuals if objective.name in one.objectives]
    return sorted(
        measured, key=lambda one: (bool(one.broken), -objective.weight * one.objectives[objective.name], one.id)
    )


@dataclass(frozen=True, slots=True)
class OperatorResults:
    """What became of an operator's proposals.

    Attributes:
        offspring: individuals that it made.
        scored: those with an OK evaluation of the whole budget.
        failed: those that ended otherwise.
        improved: those that improve on their parents (`Standings.improves`).
        cost_usd: of language models; None where a price is unknown.
    """

    name: str
    proposals: int
    offspring: int
    scored: int
    failed: int
    improved: int
    cost_usd: float | None


def operator_results(
    totals: Iterable[OperatorTotals], individuals: Iterable[Standing], standings: Standings
) -> tuple[OperatorResults, ...]:
    """Return what became of the proposals of each operator, the most offspring first."""
    made: dict[str, list[Standing]] = {}
    for individual in individuals:
        if individual.parents:
            made.setdefault(individual.operator, []).append(individual)
    results = []
    for total in totals:
        offspring = made.get(total.operator, [])
        scored = [one for one in offspring if one.objectives]
        failed = [one for one in offspring if not one.objectives and one.status not in (None, Status.OK)]
        results.append(
            OperatorResults(
                name=total.operator,
                proposals=total.proposals,
                offspring=len(offspring),
                scored=len(scored),
                failed=len(failed),
                improved=sum(standings.improves(one.id) for one in scored),
                cost_usd=None if total.unpriced_calls else total.cost_usd,
            )
        )
    return tuple(sorted(results, key=lambda one: (-one.offspring, one.name)))

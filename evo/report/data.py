"""What a report shows, as plain data without a store, files or charts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from evo.standings.differences import Difference
from evo.standings.individuals import OperatorResults, Standing, ranking
from evo.standings.standings import Lead
from evo.standings.summary import Summary
from trainer.evaluation import Status
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """One completed evaluation.

    Attributes:
        number: 1, 2, 3 … in the order in which results arrived.
        individual: id of what was evaluated.
        objectives: as measured on the split that selection sees; empty unless `status` is OK.
        budget_fraction: of the budget, which it trained with.
    """

    number: int
    individual: int
    seed: int
    status: Status
    device: str
    objectives: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    budget_fraction: float = 1.0


@dataclass(frozen=True, slots=True)
class LineStep:
    """One member of the line from generation 0 to the best individual, with its whole source.

    Attributes:
        gain: over the member before; None where one of the two was not measured.
    """

    individual: int
    source: str
    gain: Difference | None = None


@dataclass(frozen=True)
class RunReport:
    """Everything a report shows.

    Attributes:
        task: one line on what was trained, on which data.
        state: one sentence on how the run ended, or that it is running.
        started: seconds since 1970.
        wall_seconds: from the first act to the last, pauses between a stop and a resumption included.
        generation_size: completed evaluations a generation.
        train_seconds: training budget of one evaluation on `clock`.
        self_reported: whether the candidates printed their own metric (script tasks).
        claim: what it then rests on, one sentence.
        objectives: everything measured; the first is what the run is about.
        individuals: by ascending id; generation 0 first.
        evaluations: in the order in which results arrived.
        leads: the history of the best individual before any confirmation.
        gains: over generation 0 where selection looked, of every individual that was measured.
        confirmed_split: the split that confirms; None where fresh seeds alone do.
        front_objectives: what the front trades off, two or more; none where only one is measured.
        best_line: from generation 0 to the best; the first parent at a crossover.
        starts: when its drivers started, and the devices and versions of programs that each found.
        out_of_service: a line on each worker that was given no more work.
        refused: how many proposals were refused before any evaluation, by kind; empty for none.
        device_classes: a line on each class of devices, the reference first; empty where there is one.
        drifts: a line on each device whose newest sentinel differs beyond the noise.
        versions: of the programs that wrote the report, by name.
    """

    name: str
    task: str
    summary: Summary
    state: str
    started: float
    wall_seconds: float
    run_seed: int
    generation_size: int
    train_seconds: float
    clock: str
    devices: tuple[str, ...]
    sandbox_levels: tuple[str, ...]
    self_reported: bool
    claim: str
    objectives: tuple[Objective, ...]
    individuals: tuple[Standing, ...]
    evaluations: tuple[EvaluationRow, ...]
    leads: tuple[Lead, ...]
    gains: Mapping[int, Difference]
    confirmed_split: str | None
    front_objectives: tuple[Objective, ...]
    best_line: tuple[LineStep, ...]
    operators: tuple[OperatorResults, ...]
    starts: tuple[tuple[float, str], ...]
    out_of_service: tuple[str, ...]
    refused: Mapping[str, int]
    device_classes: tuple[str, ...]
    drifts: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def best(self) -> int | None:
        """Id of the run's answer; None while nothing was scored."""
        return self.summary.best.id if self.summary.best else None

    @property
    def front(self) -> tuple[int, ...]:
        """Ids of the individuals on the front; none where only one objective is measured."""
        return tuple(one.id for one in self.summary.front) if self.front_objectives else ()

    @property
    def objective(self) -> Objective:
        """The first objective: what the run is about."""
        return self.objectives[0]

    @cached_property
    def by_id(self) -> dict[int, Standing]:
        """Individuals by id."""
        return {individual.id: individual for individual in self.individuals}

    @cached_property
    def reasons(self) -> dict[int, str]:
        """Why the latest evaluation of each individual gave no score; empty where it did."""
        return {row.individual: row.reason for row in self.evaluations}

    @cached_property
    def ranking(self) -> list[Standing]:
        """Measured individuals, best first."""
        return ranking(self.individuals, self.objective)

    @property
    def generation_zero(self) -> Standing | None:
        """Generation 0, once it was scored."""
        row = self.by_id.get(0)
        return row if row is not None and self.objective.name in row.objectives else None

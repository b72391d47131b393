"""What a run amounts to so far, in numbers: printed at its end, by `status` and `best`, and in the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from evo.config.config import Config
from evo.standings.calibration import Calibration, read_calibration
from evo.standings.gains import ConfirmedMember, Gain
from evo.standings.individuals import Standing
from evo.standings.lessons import Lessons, LessonsBook
from evo.standings.outages import Outages, read_outages
from evo.standings.plan import CONFIRMED_OBJECTIVE, Confirmed
from evo.standings.rungs import RungState
from evo.standings.stand_ins import StandIns, read_stand_ins
from evo.standings.standings import Standings
from evo.store import Spending, StoreView, Work, published
from trainer.objectives import Objective


@dataclass(frozen=True, slots=True)
class Summary:
    """The state of a run.

    Attributes:
        result_number: results so far.
        spent: what they cost, of `budget` evaluations.
        rungs: those below the whole budget, and how far they rank as it does.
        statuses: how they ended.
        objectives: everything that is measured, what selection looks at first.
        confirmed: how the gain of finalists is confirmed.
        noise: standard deviation of one evaluation by objective; empty while unknown.
        is_unreplicated: whether every seed gives the same run, so that the noise stays unknown.
        gain: of the best individual, once it was confirmed, or exact where nothing is left to chance.
        unconfirmed_gain: of its mean over generation 0's where selection looked; positive is better.
        spending_by_model: of language models, by the names under which they answered.
        calibration: what language models expected of their ideas beside what was measured, by style and model.
        stand_ins: where one of several models was asked in the place of another.
        front: over `front_objectives`, best in the first of them first.
        knee: id of the front's best trade-off; None where no member is one.
        hypervolume: of the front after each result that changed it (`Archive.hypervolume`).
        confirmed_front: its members measured again, once they were; over the objectives of selection.
        text_objective: the one that these are measured in on held-out text; None for a script.
    """

    result_number: int
    spent: float
    budget: int
    rungs: tuple[RungState, ...]
    statuses: Mapping[str, int]
    objectives: tuple[Objective, ...]
    confirmed: Confirmed
    generation_zero: Standing | None
    best: Standing | None
    gain: Gain | None
    unconfirmed_gain: float | None
    noise: Mapping[str, float]
    is_unreplicated: bool
    front_objectives: tuple[str, ...]
    front: tuple[Standing, ...]
    knee: int | None
    hypervolume: tuple[tuple[int, float], ...]
    confirmed_front: tuple[ConfirmedMember, ...]
    text_objective: str | None
    population: tuple[Standing, ...]
    work: Work
    spending: Spending
    spending_by_model: Mapping[str, Spending]
    calibration: tuple[Calibration, ...]
    stand_ins: tuple[StandIns, ...]
    outages: Outages
    lessons: Lessons

    @property
    def objective(self) -> Objective:
        """The first objective: what the run is about."""
        return self.objectives[0]

    @property
    def is_complete(self) -> bool:
        """Whether what is left of the budget, if anything, is less than one evaluation."""
        return self.spent > self.budget - 1

    def named(self, name: str) -> Objective:
        """Return an objective's name as tables show it."""
        return next(objective for objective in self.objectives if objective.name == name)

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable form."""
        return asdict(self, dict_factory=published)


def summarize(config: Config, store: StoreView, standings: Standings) -> Summary:
    """Return the summary of a run whose results `standings` was told."""
    best = standings.best()
    zero = standings.generation_zero
    difference = standings.difference(best.id, 0) if best and best.id else None
    front, knee = standings.front()
    estimated = store.estimated_calls()

    def standing(individual: int) -> Standing:
        return Standing.of(store.individual(individual), standings)

    return Summary(
        result_number=standings.result_number,
        spent=standings.spent,
        budget=config.search.evaluations,
        rungs=tuple(standings.halving.rungs),
        statuses={status.value: count for status, count in sorted(standings.statuses.items())},
        objectives=tuple(dict.fromkeys((*standings.objectives, *config.task.measured.values()))),
        confirmed=standings.plan.confirmed,
        generation_zero=standing(0) if zero else None,
        best=standing(best.id) if best else None,
        gain=standings.gain(best.id) if best else None,
        unconfirmed_gain=difference.value if difference else None,
        noise=standings.noise(),
        is_unreplicated=standings.is_unreplicated,
        front_objectives=config.search.front,
        front=tuple(map(standing, front)),
        knee=knee,
        hypervolume=standings.archive.hypervolume(),
        confirmed_front=tuple(standings.confirmations.front()),
        text_objective=CONFIRMED_OBJECTIVE if config.script is None else None,
        population=tuple(standing(one.id) for one in standings.population),
        work=store.work(),
        spending=replace(store.spending(), estimated_calls=sum(estimated.values())),
        spending_by_model={
            name: replace(one, estimated_calls=estimated.get(name, 0))
            for name, one in store.spending_by_model().items()
        },
        calibration=read_calibration(store, standings),
        stand_ins=read_stand_ins(store),
        outages=read_outages(store),
        lessons=LessonsBook(store).lessons,
    )

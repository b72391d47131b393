"""What is known of a run so far, in memory: population, archive, incumbent, confirmations, noise.

Standings are a function of the store's results in their order: telling them again rebuilds the same standings, after a
kill too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import NamedTuple

from evo.config.config import DiversityConfig, FidelityConfig
from evo.standings.archive import Archive, front_of
from evo.standings.confirmations import Confirmations
from evo.standings.device_classes import ClassState, DeviceClasses
from evo.standings.differences import Difference
from evo.standings.effects import Effects
from evo.standings.exploration import Exploration
from evo.standings.gains import Gain
from evo.standings.incumbent import IncumbentTracker
from evo.standings.plan import Plan
from evo.standings.replication import Replication
from evo.standings.rungs import SuccessiveHalving
from evo.standings.sentinels import Sentinels
from evo.store import IndividualRecord, Outcome, Purpose
from populations.fitness import Fitness
from populations.individual import Individual
from populations.islands import Islands
from populations.toolbox import Toolbox
from trainer.evaluation import Split, Status
from trainer.objectives import SCRIPT_OBJECTIVES, WITHOUT_NOISE, Constraint, Objective

_SPENT_DIGITS = 6
"""Budget fractions such as 0.1 add up to what they should, whatever their binary fractions."""


class Measured(NamedTuple):
    """What stays known of an individual whose source is no longer held.

    Attributes:
        fitness: its own, which later evaluations change in place.
        means: of everything that was measured of it.
        evaluations: seed and objectives of each that ended OK.
        result_number: of its newest result.
    """

    fitness: Fitness
    means: Mapping[str, float]
    evaluations: Sequence[tuple[int, Mapping[str, float]]]
    result_number: int


@dataclass(frozen=True, slots=True)
class Lead:
    """The best individual by what selection sees, holdout included, from one result on.

    Attributes:
        result_number: of the result that made it the best, or that changed its mean.
        value: its mean of the first objective.
    """

    result_number: int
    individual: int
    value: float


class Standings:
    """Everything known of a run, told one result after the other.

    Attributes:
        archive: the best individuals by the selection split alone.
        confirmations: what was measured where selection did not look.
        replication: further seeds of individuals.
        incumbents: the best on the selection split that hold on the holdout split.
        halving: the rungs below the whole budget.
        device_classes: what generation 0 measured on each class of devices.
        effects: what each individual gained on its own parents.
        exploration: whether the search has stalled and explores.
        sentinels: when they are due, and which devices drift.
        result_number: results so far; `searched` of them were offspring with the whole budget.
        spent: what they cost: evaluations of the whole budget.
        statuses: how they ended.
        latest_status: how the newest result of each individual ended.
        led_since: number of the result that made the best individual the best, or with several objectives of the one
            that brought something new to the front of selection.
        leads: the history of the best individual before any confirmation, oldest first; only what keeps the
            constraints.
        generation_zero: the first individual, once it was measured.
        family: the parents of every individual that was measured, and of generation 0.
        measured: every individual that was.
    """

    def __init__(
        self,
        plan: Plan,
        objectives: Sequence[Objective],
        front_objectives: Sequence[Objective],
        toolbox: Toolbox,
        constraints: Sequence[Constraint] = (),
        diversity: DiversityConfig | None = None,
        halving: SuccessiveHalving | None = None,
    ) -> None:
        diversity = diversity or DiversityConfig()
        self.plan = plan
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.archive = Archive(self.objectives, front_objectives)
        self.replication = Replication(self.objectives)
        self.confirmations = Confirmations(plan, self.objectives, self.constraints)
        self.incumbents = IncumbentTracker()
        self.halving = halving or SuccessiveHalving(FidelityConfig(), plan.seed, objectives)
        self.exploration = Exploration(diversity.explore_after)
        self.device_classes = DeviceClasses(self.objectives[0].name)
        self.sentinels = Sentinels(plan.sentinel_every, self.objectives[0], self.device_classes)
        self.effects = Effects(self.objectives[0], self.sentinels)
        self.result_number = 0
        self.spent = 0.0
        self.searched = 0
        self.statuses: Counter[Status] = Counter()
        self.latest_status: dict[int, Status] = {}
        self.led_since = 0
        self.leads: list[Lead] = []
        self.generation_zero: Individual | None = None
        self.family: dict[int, tuple[int, ...]] = {0: ()}
        self.measured: dict[int, Measured] = {}
        self._islands = Islands(
            toolbox.survive,
            plan.mu,
            diversity.islands,
            migrate_every=diversity.migrate_every,
            migrants=diversity.migrants,
            max_age=diversity.max_age,
        )
        self._offspring: list[Individual] = []
        self._leading: frozenset[int] = frozenset()
        self._scored_on_holdout: dict[int, Individual] = {}
        self._noise: dict[str, float] = {}

    def tell(self, record: IndividualRecord, outcome: Outcome, source: Callable[[int], str]) -> None:
        """Take in one result.

        `source` loads a genome; it is called only when the individual is not held already.
        """
        self.result_number = outcome.result_number
        self.spent = round(self.spent + outcome.budget_fraction, _SPENT_DIGITS)
        self.statuses[outcome.status] += 1
        self.latest_status[record.id] = outcome.status
        self.searched += outcome.purpose is Purpose.SEARCH
        self.device_classes.tell(outcome)
        self.halving.tell(outcome)
        self.replication.tell(outcome)
        self._hold_finalists(outcome.purpose)
        if outcome.status is Status.OK and outcome.purpose.counts:
            self._measure(record, outcome, source)
            self.effects.tell(outcome)
        self._follow_the_best(outcome)
        # Only a sentinel is judged by the noise, and most results are none.
        is_sentinel = outcome.purpose is Purpose.SENTINEL
        self.sentinels.tell(outcome, self.noise().get(self.objectives[0].name) if is_sentinel else None)
        if self._generation_is_complete(outcome):
            self._survive()
        if outcome.purpose is Purpose.SEARCH:
            self._islands.migrate(self.searched)

    def become(self, other: Standings) -> None:
        """Take over all that others know, which were told the same results with another plan."""
        vars(self).update(vars(other))

    @property
    def population(self) -> list[Individual]:
        """The survivors, best first."""
        return self._islands.everyone()

    def home(self, number: int) -> list[Individual]:
        """Return the survivors that proposal `number` competes with, best first: its island."""
        return self._islands.home(number)

    @property
    def budget_is_spent(self) -> bool:
        """Whether what is left of the budget, if anything, is less than one evaluation."""
        return self.spent > self.plan.evaluations - 1

    def noise(self) -> Mapping[str, float]:
        """Return the standard deviation of one evaluation by objective, from generation 0, where it is known."""
        return self._noise

    @property
    def is_unreplicated(self) -> bool:
        """Whether generation 0 ran with several seeds that all gave the same, so that its noise is unknown."""
        ran = self.measured.get(0)
        return ran is not None and len(ran.evaluations) > 1 and self.objectives[0].name not in self._noise

    def gain(self, individual: int) -> Gain | None:
        """Return the gain of an individual over generation 0: confirmed, or exact where nothing is left to chance."""
        if self.plan.is_deterministic and individual and {0, individual} <= self.measured.keys():
            (own, *_), (zero, *_) = (self.measured[one].fitness.values for one in (individual, 0))
            return Gain.exact(individual, own, zero, self.objectives[0])
        return next((one for one in self.confirmations.gains() if one.individual == individual), None)

    def difference(self, individual: int, base: int) -> Difference | None:
        """Return how much better one mean of the first objective is than another; None before both were measured."""
        if individual not in self.measured or base not in self.measured:
            return None
        objective, own, other = self.objectives[0], self.measured[individual], self.measured[base]
        (mean, *_), (base_mean, *_) = own.fitness.values, other.fitness.values
        better, sigma = objective.weight * (mean - base_mean), self.noise().get(objective.name)
        error = None if sigma is None else self.device_classes.standard_error(individual, base, sigma)
        if error is not None:
            return Difference(better, base_mean, error)
        return Difference.of(better, base_mean, sigma, len(own.evaluations), len(other.evaluations))

    def class_states(self) -> list[ClassState]:
        """Return what is known of each class of devices, the reference first; empty where there is one."""
        return self.device_classes.states(self.noise().get(self.objectives[0].name))

    def improves(self, individual: int) -> bool:
        """Return whether an individual's mean is better than that of its best parent by more than a tie."""
        found = [self.difference(individual, parent) for parent in self.family.get(individual, ())]
        differences = [one for one in found if one is not None]
        return bool(differences) and min(differences, key=lambda one: one.value).is_improvement

    def best(self) -> Individual | None:
        """Return the best individual: by confirmed gain where there are confirmations, by selection before."""
        return self.confirmations.best() or self.selected

    @property
    def selected(self) -> Individual | None:
        """The best individual before any confirmation: the incumbent, or without a holdout the best mean."""
        return self.incumbent if self.plan.has_holdout else self.archive.best

    @property
    def incumbent(self) -> Individual | None:
        """The best on the selection split that holds on the holdout split; None before generation 0 was measured."""
        number = self.incumbents.incumbent
        return None if number is None else self._scored_on_holdout[number]

    def front(self) -> tuple[list[int], int | None]:
        """Return the non-dominated individuals, best in the first objective of the front first, and their knee."""
        means = {individual: known.means for individual, known in self.measured.items()}
        return front_of(means, self.archive.front.objectives, self.constraints)

    def held(self) -> dict[int, Individual]:
        """Return the individuals whose sources are in memory, by id."""
        zero = [self.generation_zero] if self.generation_zero else []
        confirmed = (*self.confirmations.individuals.values(), *self.confirmations.racing)
        others = (*self._offspring, *self._scored_on_holdout.values(), *confirmed, *zero)
        return {one.id: one for one in (*self.population, *self.archive.individuals, *others)}

    def recall(self, record: IndividualRecord, source: Callable[[int], str]) -> Individual:
        """Return an individual with what was measured of it; `source` loads its genome where it is not held."""
        return self.held().get(record.id) or self._recalled(record, source)

    def leaders(self) -> list[Individual]:
        """Return the individuals that get more than one seed (`search/replication`), generation 0 excepted."""
        if self.plan.several:
            return [one for one in self.archive.trade_offs.individuals if one.id != 0]
        return [one for one in self.archive.hall if one.id != 0][: self.plan.leaders]

    def finalists(self) -> list[Individual]:
        """Return the individuals to confirm, the most important first; generation 0 excepted.

        The incumbent, then the best of the hall of fame; or where selection looks at several objectives the best in
        the first of them, then the others on their front, the crowded ones last. Once the confirmation has begun, they
        stay the same until the search goes on.
        """
        if self.confirmations.racing:
            return self.confirmations.racing
        first = [self.incumbent] if self.incumbent else []
        if self.plan.several:
            trade_offs = self.archive.trade_offs
            return self.confirmations.finalists([*first, *trade_offs.individuals[:1], *trade_offs.spread()])
        return self.confirmations.finalists([*first, *self.archive.hall])

    def _hold_finalists(self, purpose: Purpose) -> None:
        """Keep the finalists while they are confirmed: by what that measures, others would seem to be better."""
        if purpose is Purpose.CONFIRM:
            self.confirmations.racing = self.finalists()
        elif purpose.counts:
            self.confirmations.racing = []

    def _measure(self, record: IndividualRecord, outcome: Outcome, source: Callable[[int], str]) -> None:
        individual = self.recall(record, source)
        self.replication.compare(individual, outcome)
        individual.tell(outcome.seed, outcome.objectives)
        self.family[record.id] = record.parents
        self.measured[record.id] = Measured(
            individual.fitness, individual.means(), individual.evaluations, outcome.result_number
        )
        if record.id == 0:
            self._noise = self._deviations(individual)
        self._hold_out(individual, outcome)
        self.archive.update(individual, self.population, outcome.result_number)
        if record.id == 0 and self.generation_zero is None:
            self.generation_zero = individual
            # With many workers an offspring may be measured before generation 0 is.
            self._islands.settle(individual, outcome.result_number, self.noise())
        elif outcome.purpose is Purpose.SEARCH:
            self._offspring.append(individual)

    def _deviations(self, individual: Individual) -> dict[str, float]:
        """Return the standard deviation of one evaluation by objective; empty before two of them.

        Where seeds change nothing that selection looks at, its noise is unknown, which is not the same as zero.
        """
        if self.plan.is_deterministic:
            return {one.name: 0.0 for one in self.objectives if one.name not in SCRIPT_OBJECTIVES}
        if individual.replicates < 2:
            return {}
        measured = [objectives for _, objectives in individual.evaluations]
        found = {name: stdev(one[name] for one in measured) for name in measured[0]}
        selected = {one.name for one in self.objectives} - {*WITHOUT_NOISE}
        return {name: sigma for name, sigma in found.items() if sigma > 0 or name not in selected}

    def _recalled(self, record: IndividualRecord, source: Callable[[int], str]) -> Individual:
        """Return an individual that is not held, with what was measured of it before."""
        individual = Individual(
            id=record.id,
            source=source(record.id),
            parents=record.parents,
            operator=record.operator,
            idea=record.idea,
            fitness=Fitness(self.objectives, constraints=self.constraints),
        )
        if record.id in self.measured:
            for seed, objectives in self.measured[record.id].evaluations:
                individual.tell(seed, objectives)
        return individual

    def _hold_out(self, individual: Individual, outcome: Outcome) -> None:
        """Take in what an evaluation says beyond selection: on the holdout split, or with fresh seeds."""
        holdout_bpb = outcome.split_bpb.get(Split.HOLDOUT)
        if holdout_bpb is not None:
            self._scored_on_holdout[individual.id] = individual
        self.confirmations.tell(individual, outcome)
        if self.plan.has_holdout:
            bpb = outcome.objectives[self.objectives[0].name]
            self.incumbents.tell(individual.id, outcome.seed, bpb, holdout_bpb)

    def _follow_the_best(self, outcome: Outcome) -> None:
        """Take in whether a result changed what is the best, and whether the search has stalled."""
        leading = self._who_leads()
        if leading - self._leading:
            self.led_since = outcome.result_number
        self._leading = leading
        if leading and outcome.purpose is not Purpose.CONFIRM:
            self.exploration.tell(outcome.result_number, self.led_since)
        selected, last = self.selected, self.leads[-1] if self.leads else None
        if selected is not None and selected.fitness.feasible:
            lead = Lead(outcome.result_number, selected.id, selected.fitness.values[0])
            if last is None or (last.individual, last.value) != (lead.individual, lead.value):
                self.leads.append(lead)

    def _who_leads(self) -> frozenset[int]:
        """Return the best individual, or with several objectives the members of the front, of equals the oldest."""
        if self.plan.several:
            return self.archive.leading_trade_offs
        leader = self.best()
        return frozenset() if leader is None else frozenset([leader.id])

    def _generation_is_complete(self, outcome: Outcome) -> bool:
        """Return whether offspring enter the population now; the last generation of a budget may be a smaller one."""
        search_is_over = outcome.purpose is Purpose.CONFIRM or self.budget_is_spent
        return not self.plan.generational or self.searched % self.plan.mu == 0 or search_is_over

    def _survive(self) -> None:
        if self._offspring:
            self._islands.admit(self._offspring, self.result_number, self.noise())
            self._offspring = []

"""What is known of a run so far, in memory: population, hall of fame, champion, front, noise.

Standings are a function of the store alone: telling the same results in the same order rebuilds them, whether the run
was killed in between or not.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import stdev
from typing import NamedTuple

from evo.config.config import DiversityConfig, FidelityConfig
from evo.standings.differences import Difference
from evo.standings.exploration import Exploration
from evo.standings.gains import ConfirmedMember, Gain, confirmed_members, paired_gains
from evo.standings.incumbent import IncumbentTracker, Setback
from evo.standings.plan import CONFIRMED_OBJECTIVE, Confirmed, Plan
from evo.standings.rungs import Ladder
from evo.standings.sentinels import Sentinels
from evo.store import IndividualRecord, Outcome, Purpose
from populations.archive import HallOfFame, ParetoFront
from populations.fitness import Fitness
from populations.individual import Individual
from populations.islands import Islands
from populations.logbook import Logbook
from populations.toolbox import Toolbox
from trainer.evaluation import Split, Status
from trainer.objectives import Constraint, Objective

_HALL_SIZE = 16
_ENOUGH_REPEATS = 8
"""Repeated evaluations that came out equal to the last bit, after which that is not put down to chance."""
_SPENT_DIGITS = 6
"""Shares such as 0.1 add up to what they should, whatever their binary fractions."""


class Measured(NamedTuple):
    """What the archive has to know of an individual.

    Attributes:
        fitness: its own, which later evaluations change in place.
        means: of everything that was measured of it.
        evaluations: seed and objectives of each that ended OK; another may follow when nobody holds the individual.
        told: number of its newest result.
    """

    fitness: Fitness
    means: Mapping[str, float]
    evaluations: Sequence[tuple[int, Mapping[str, float]]]
    result_number: int


class Standings:
    """Population, archives and statistics of a run, fed with one result after the other.

    Attributes:
        hall: the best individuals so far by the selection split alone.
        front: the non-dominated individuals over the objectives of the front.
        trade_offs: the non-dominated individuals over those of selection; the same one where these are the same.
        front_history: the points of the front's feasible members whenever they changed, with the number of the result.
        told: results so far; `searched` of them were offspring with the whole budget.
        spent: what they cost: evaluations of the whole budget.
        ladder: the rungs below the whole budget, and who goes on from one.
        led_since: number of the result that made the best individual the best, or with several objectives of the one
            that brought something new to the front of selection.
        exploration: whether the search has stalled and explores.
        sentinels: when they are due, and which devices drift.
        second_looks: results of further seeds by individual, failures included (`search/replication`).
        failed_looks: how many of them failed.
        statuses: how those results ended.
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
        ladder: Ladder | None = None,
    ) -> None:
        diversity = diversity or DiversityConfig()
        self.plan = plan
        self.objectives = tuple(objectives)
        self.constraints = tuple(constraints)
        self.hall = HallOfFame(_HALL_SIZE)
        self.front = ParetoFront(front_objectives)
        self.trade_offs = self.front if self.front.objectives == self.objectives else ParetoFront(self.objectives)
        self.front_history: list[tuple[int, tuple[tuple[float, ...], ...]]] = []
        self.logbook = Logbook(plan.mu, self.objectives[0])
        self.result_number = 0
        self.spent = 0.0
        self.ladder = ladder or Ladder(FidelityConfig(), plan.seed, objectives)
        self.searched = 0
        self.led_since = 0
        self._leading: frozenset[int] = frozenset()
        self.exploration = Exploration(diversity.explore_after)
        self.sentinels = Sentinels(plan.sentinel_every, self.objectives[0])
        self.second_looks: Counter[int] = Counter()
        self.failed_looks: Counter[int] = Counter()
        self.statuses: Counter[Status] = Counter()
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
        self._repeats = 0
        self._varies = False
        # Where selection did not look, by individual, by seed.
        self._fresh: dict[int, dict[int, Mapping[str, float]]] = {}
        self._confirmed: dict[int, Individual] = {}
        self._racing: list[Individual] = []  # the finalists, from their first result until the search goes on
        self._incumbent_tracker = IncumbentTracker()
        self._held_out_ones: dict[int, Individual] = {}
        self._noise: dict[str, float] = {}

    def tell(self, record: IndividualRecord, outcome: Outcome, source: Callable[[int], str]) -> None:
        """Take in one result.

        Args:
            record: the individual that was evaluated.
            outcome: the accepted result.
            source: loads a genome; called only when the individual is not held already.
        """
        self.result_number = outcome.result_number
        self.spent = round(self.spent + outcome.budget_fraction, _SPENT_DIGITS)
        self.ladder.tell(outcome)
        self.statuses[outcome.status] += 1
        self._hold_finalists(outcome.purpose)
        if outcome.purpose is Purpose.SEARCH:
            self.searched += 1
        elif outcome.purpose is Purpose.REPLICATE:
            self.second_looks[record.id] += 1
            self.failed_looks[record.id] += outcome.status is not Status.OK
        if outcome.status is Status.OK and outcome.purpose.counts:
            self._measure(record, outcome, source)
        leading = self._who_leads()
        if leading - self._leading:
            self.led_since = outcome.result_number
        self._leading = leading
        if leading and outcome.purpose is not Purpose.CONFIRM:
            self.exploration.tell(outcome.result_number, self.led_since)
        # Only a sentinel is judged by the noise, and most results are none.
        is_sentinel = outcome.purpose is Purpose.SENTINEL
        self.sentinels.tell(outcome, self.noise().get(self.objectives[0].name) if is_sentinel else None)
        if self._generation_is_complete(outcome):
            self._survive()
        if outcome.purpose is Purpose.SEARCH:
            self._islands.migrate(self.searched)
        points = self._front_points()
        if points != (self.front_history[-1][1] if self.front_history else ()):
            self.front_history.append((outcome.result_number, points))
        self.logbook.record(outcome.status, self.population, len(self.front))

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

    def difference(self, individual: int, base: int) -> Difference | None:
        """Return how much better one mean of the first objective is than another; None before both were measured."""
        if individual not in self.measured or base not in self.measured:
            return None
        objective, own, other = self.objectives[0], self.measured[individual], self.measured[base]
        (mean, *_), (base_mean, *_) = own.fitness.values, other.fitness.values
        better, sigma = objective.weight * (mean - base_mean), self.noise().get(objective.name)
        return Difference.of(better, base_mean, sigma, len(own.evaluations), len(other.evaluations))

    def improves(self, individual: int) -> bool:
        """Return whether an individual's mean is better than that of its best parent by more than a tie."""
        found = [self.difference(individual, parent) for parent in self.family.get(individual, ())]
        differences = [one for one in found if one is not None]
        return bool(differences) and min(differences, key=lambda one: one.value).is_improvement

    def noise(self) -> Mapping[str, float]:
        """Return the standard deviation of one evaluation by objective, from generation 0; empty before two of them."""
        return self._noise

    def gains(self) -> list[Gain]:
        """Return the gain of every individual that was confirmed, best first; last who was left behind in the race."""
        return paired_gains(self._fresh, self.objectives[0], repeats_exactly=self.repeats_exactly)

    def confirmed_front(self) -> list[ConfirmedMember]:
        """Return the members of the front that were confirmed, over the objectives of selection.

        Nobody is before the confirmation, or where selection looks at one objective alone.
        """
        return confirmed_members(self._fresh, self.objectives, self.constraints) if self.plan.several else []

    def best(self) -> Individual | None:
        """Return the best individual: by confirmed gain where there are confirmations, the champion before.

        Without a gate it is the first of the hall of fame.
        """
        if confirmed := self._confirmed_best():
            return confirmed
        if self.has_holdout:
            return self.incumbent
        return self.hall[0] if len(self.hall) else None

    def _who_leads(self) -> frozenset[int]:
        """Return the best individual, or with several objectives the members of the front, of equals the oldest."""
        if self.plan.several:
            youngest_first = sorted(self.trade_offs.items, key=lambda member: -member.individual.id)
            return frozenset({member.fitness: member.individual.id for member in youngest_first}.values())
        leader = self.best()
        return frozenset() if leader is None else frozenset([leader.id])

    def _confirmed_best(self) -> Individual | None:
        """Return the best by confirmed mean of those that keep the constraints best; None before anybody is confirmed.

        Generation 0 is the best if that one gained nothing on it, or breaks the constraints more.
        """
        ahead = [gain for gain in self.gains() if not gain.is_behind]
        if not ahead:
            return None
        best = min(ahead, key=lambda gain: self._confirmed[gain.individual].fitness.violation)
        found, zero = self._confirmed[best.individual], self.generation_zero
        if zero is None or (-found.fitness.violation, best.value) > (-zero.fitness.violation, 0.0):
            return found
        return zero

    @property
    def has_holdout(self) -> bool:
        """Whether nobody becomes the best unseen by the gate split: where that can confirm a gain."""
        return self.plan.confirmed is Confirmed.ON_TEXT

    @property
    def incumbent(self) -> Individual | None:
        """Who leads on the selection split and holds on the gate split; None before generation 0 was measured."""
        number = self._incumbent_tracker.incumbent
        return None if number is None else self._held_out_ones[number]

    @property
    def setbacks(self) -> Mapping[int, Setback]:
        """Who led on the selection split and did not hold on the gate split, by individual."""
        return self._incumbent_tracker.setbacks

    def held(self) -> dict[int, Individual]:
        """Return the individuals whose sources are in memory, by id."""
        zero = [self.generation_zero] if self.generation_zero else []
        others = (*self._offspring, *self._held_out_ones.values(), *self._confirmed.values(), *self._racing, *zero)
        fronts = (*self.front.individuals, *self.trade_offs.individuals)
        everyone = (*self.population, *self.hall, *fronts, *others)
        return {individual.id: individual for individual in everyone}

    def leaders(self) -> list[Individual]:
        """Return who is evaluated with more than one seed (`search/replication`); generation 0 has its replicates."""
        if self.plan.several:
            return [one for one in self.trade_offs.individuals if one.id != 0]
        return [one for one in self.hall if one.id != 0][: self.plan.leaders]

    @property
    def repeats_exactly(self) -> bool:
        """Whether repeated evaluations, those of several individuals, showed that there is no noise at all."""
        return not self._varies and self._repeats >= _ENOUGH_REPEATS

    def finalists(self) -> list[Individual]:
        """Return the individuals to confirm, the most important first; generation 0 excepted.

        The champion, then the best of the hall of fame; or where selection looks at several objectives the best in the
        first of them, then the others on their front, the crowded ones last. Whoever is the best by an earlier
        confirmation defends that. Once the confirmation has begun, they stay who they are until the search goes on.
        """
        if self._racing:
            return self._racing
        first = [self.incumbent] if self.has_holdout else []
        if self.plan.several:
            candidates = [*first, *self.trade_offs.individuals[:1], *self.trade_offs.spread()]
        else:
            candidates = [*first, *self.hall]
        best = self._confirmed_best()
        chosen = [one for one in dict.fromkeys(candidates) if one is not None and one.id != 0][: self.plan.finalists]
        return [*chosen, best] if best and best.id and best not in chosen else chosen

    def ranked(self, finalists: Sequence[int], *, only_measured: bool = False) -> list[int]:
        """Return finalists by what was confirmed of them so far, best first; behind them the others as they came.

        Args:
            finalists: individuals.
            only_measured: whether to leave out those others.
        """
        weight = self.objectives[0].weight
        place = {
            gain.individual: (-self._confirmed[gain.individual].fitness.violation, weight * gain.own)
            for gain in self.gains()
        }
        behind = (-math.inf, 0.0)
        ranked = sorted(finalists, key=lambda one: place.get(one, behind), reverse=True)
        return [one for one in ranked if one in place or not only_measured]

    def _hold_finalists(self, purpose: Purpose) -> None:
        """Keep the finalists while they are confirmed: by what that measures, others would seem to be better."""
        if purpose is Purpose.CONFIRM:
            self._racing = self.finalists()
        elif purpose.counts:
            self._racing = []

    def _measure(self, record: IndividualRecord, outcome: Outcome, source: Callable[[int], str]) -> None:
        individual = self.held().get(record.id) or self._recalled(record, source)
        self._watch_repeats(individual, outcome)
        individual.tell(outcome.seed, outcome.objectives)
        self.family[record.id] = record.parents
        self.measured[record.id] = Measured(
            individual.fitness, individual.means(), individual.evaluations, outcome.result_number
        )
        if record.id == 0:
            self._noise = _spread(individual)
        self._compare(individual, outcome)
        self.hall.update([individual, *self.population])
        # Whoever falls by another evaluation may make room for one that is not on the front any more.
        rivals = [individual, *self.population] if individual.replicates > 1 else [individual]
        self.front.update(rivals)
        if self.trade_offs is not self.front:
            self.trade_offs.update(rivals)
        if record.id == 0 and self.generation_zero is None:
            self.generation_zero = individual
            # With many workers an offspring may be measured before generation 0 is.
            self._islands.settle(individual, outcome.result_number, self.noise())
        elif outcome.purpose is Purpose.SEARCH:
            self._offspring.append(individual)

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

    def _watch_repeats(self, individual: Individual, outcome: Outcome) -> None:
        """Take in whether an evaluation repeats what was measured with another seed, to the last bit."""
        others = [measured for seed, measured in individual.evaluations if seed != outcome.seed]
        if others:
            self._repeats += 1
            names = [objective.name for objective in self.objectives]
            self._varies |= any(others[0][name] != outcome.objectives[name] for name in names)

    def _front_points(self) -> tuple[tuple[float, ...], ...]:
        return tuple(member.fitness.values for member in self.front.items if member.fitness.feasible)

    def _compare(self, individual: Individual, outcome: Outcome) -> None:
        """Take in what an evaluation says about who is the best."""
        holdout_bpb = outcome.split_bpb.get(Split.HOLDOUT)
        if holdout_bpb is not None:
            self._held_out_ones[individual.id] = individual
        # What somebody was chosen by cannot confirm it.
        is_fresh = outcome.purpose in (Purpose.BASELINE, Purpose.CONFIRM)
        if is_fresh and (holdout_bpb is not None or not self.has_holdout):
            held_out = {} if holdout_bpb is None else {CONFIRMED_OBJECTIVE: holdout_bpb}
            self._fresh.setdefault(individual.id, {})[outcome.seed] = {**outcome.objectives, **held_out}
            self._confirmed[individual.id] = individual
        if self.has_holdout:
            self._incumbent_tracker.tell(
                individual.id, outcome.seed, outcome.objectives[self.objectives[0].name], holdout_bpb
            )

    def _generation_is_complete(self, outcome: Outcome) -> bool:
        """Return whether offspring enter the population now; the last generation of a budget may be a smaller one."""
        search_is_over = outcome.purpose is Purpose.CONFIRM or self.budget_is_spent
        return not self.plan.generational or self.searched % self.plan.mu == 0 or search_is_over

    def _survive(self) -> None:
        if self._offspring:
            self._islands.admit(self._offspring, self.result_number, self.noise())
            self._offspring = []


def _spread(individual: Individual) -> dict[str, float]:
    """Return the standard deviation of one evaluation by objective; empty before two of them."""
    if individual.replicates < 2:
        return {}
    measured = [objectives for _, objectives in individual.evaluations]
    return {name: stdev(one[name] for one in measured) for name in measured[0]}

"""Mating: the operator and the parents of a proposal.

Parents are selected from the population; with descriptors, part of them are elites of the archive; and while the search
explores (`evo.standings.exploration`), part of them are elites whose codes are far apart. What a user has pinned is a
candidate everywhere, and what is banned nowhere (`evo.steering`).
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from evo.standings.standings import Standings
from evo.steering.journal import Course, SteeringJournal
from evo.store import IndividualRecord, StoreView
from operators.choice import OperatorChoice
from operators.naming import LLMName
from operators.proposal import Operator
from populations.descriptors import Described, Descriptors
from populations.individual import Individual
from populations.map_elites import MapElites
from populations.similarity import similarity
from populations.toolbox import Toolbox


class Niches:
    """Finds the elites of a run's archive; what they are follows from the results told so far."""

    def __init__(self, store: StoreView, standings: Standings, descriptors: Descriptors) -> None:
        self._store = store
        self._standings = standings
        self._descriptors = descriptors
        self._archive = MapElites()
        self._branches: dict[int, int] = {}
        self._seen: dict[int, int] = {}

    def elites(self) -> list[int]:
        """Return the elites, the oldest first; none before generation 0 was measured."""
        zero = self._standings.generation_zero
        if zero is None:
            return []
        # Its first evaluation, whatever came later: niches must not depend on when they are read.
        reference = Described(zero.source, 0, zero.evaluations[0][1])
        for individual, known in self._standings.measured.items():
            if self._seen.get(individual) != known.result_number:
                self._seen[individual] = known.result_number
                source = self._store.source(individual) if self._descriptors.read_code else ""
                described = Described(source, self._branch(individual), known.means)
                self._archive.update(individual, known.fitness, self._descriptors.cell(described, reference))
        return list(self._archive.elites().values())

    def _branch(self, individual: int) -> int:
        """Return the child of generation 0 that an individual descends from, along its first parents."""
        if individual not in self._branches:
            parent = self._standings.family[individual][:1]
            self._branches[individual] = self._branch(parent[0]) if parent and parent[0] else individual
        return self._branches[individual]


class Pairs:
    """Knows which crossovers are worth asking for.

    None is asked for twice, of another model neither, and none of an individual and its ancestor: it would repeat what
    the one has of the other or take it back (incest prevention; Eshelman & Schaffer, 1991).

    Args:
        generations: how far back an ancestor counts; None for all of them.
    """

    def __init__(self, store: StoreView, generations: int | None = None) -> None:
        self._store = store
        self._generations = generations
        self._first: dict[tuple[str, frozenset[int]], int] = {}
        self._read = -1

    def are_new(self, operator: str, parents: Iterable[int], number: int) -> bool:
        """Return whether no proposal before `number` had this operator cross these parents."""
        for record in self._store.proposals(after=self._read):
            self._read = record.number
            if len(record.parents) > 1:
                self._first.setdefault((LLMName.of(record.operator).operator, frozenset(record.parents)), record.number)
        return self._first.get((LLMName.of(operator).operator, frozenset(parents)), number) >= number

    def are_kin(self, parents: Iterable[int], family: Mapping[int, tuple[int, ...]]) -> bool:
        """Return whether one of two individuals descends from the other; `family` holds the parents of each."""
        older, younger = sorted(parents)
        line, generation = {younger}, 0
        # An individual is younger than its ancestors, so what is older than both need not be followed.
        while line and older not in line and generation != self._generations:
            line = {parent for one in line for parent in family.get(one, ()) if parent >= older}
            generation += 1
        return older in line


_EXPLORING_SHARE = 0.5
_RIVALS = 8
"""Elites that compete for being the farthest from the first parent."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """An operator and the parents that it is to vary."""

    operator: Operator
    parents: tuple[int, ...]


class Mating:
    """Pairs parents with operators; every choice depends on (seed, proposal number) and the results alone.

    Args:
        toolbox: selects parents from a population.
        store: knows sources.
        steering: what users have asked.
        archive_share: of the proposals, how many have elites for parents when nothing is explored.
        pairs: which crossovers are worth asking for; None for all.
        independent: whether generation 0 is the parent of every individual, and operators know of no other.

    Attributes:
        steering: what users have asked.
        independent: see above.
    """

    def __init__(
        self,
        seed: int,
        toolbox: Toolbox,
        operators: OperatorChoice,
        store: StoreView,
        standings: Standings,
        niches: Niches,
        steering: SteeringJournal,
        archive_share: float = 0.0,
        pairs: Pairs | None = None,
        *,
        independent: bool = False,
    ) -> None:
        self._seed = seed
        self._toolbox = toolbox
        self.operators = operators
        self._store = store
        self._standings = standings
        self._niches = niches
        self.steering = steering
        self._archive_share = archive_share
        self._pairs = pairs
        self.independent = independent

    def is_bold(self, number: int) -> bool:
        """Return whether proposal `number` explores, if it begins with the results told so far."""
        explores = self._standings.exploration.is_active and not self.independent
        return explores and self.chance(number, "explore").random() < _EXPLORING_SHARE

    def pair(self, number: int, *, is_local: bool = False) -> Pairing:
        """Choose the operator, one without a service if it `is_local`, and the parents of proposal `number`."""
        chance, course = self.chance(number, "select"), self.steering.at(number)
        if self.is_bold(number):
            return self._among_elites(chance, number, are_distant=True, is_local=is_local)
        if (
            self._archive_share
            and not self.independent
            and self.chance(number, "archive").random() < self._archive_share
        ):
            return self._among_elites(chance, number, are_distant=False, is_local=is_local)
        population = [] if self.independent else self._candidates(number, course)
        operator = self.operators.pick(chance, max(1, len(population)), course.weights, is_local=is_local)
        if not population:
            return Pairing(operator, (0,))  # while generation 0 is being measured, there is no other
        noise = self._standings.noise()
        parents = tuple(one.id for one in self._toolbox.select(population, operator.arity, chance, noise=noise))
        if self._may_cross(operator, parents, number):
            return Pairing(operator, parents)
        first = parents[0]
        mates = [one for one in population if one.id != first and self._may_cross(operator, (first, one.id), number)]
        if not mates:
            return Pairing(self.operators.pick(chance, 1, course.weights, is_local=is_local), (first,))
        (mate,) = self._toolbox.select(mates, 1, chance, noise=noise)
        return Pairing(operator, (first, mate.id))

    def again(self, number: int, individual: IndividualRecord) -> Pairing | None:
        """Return the operator and the parents of an individual, if proposal `number` may have them as well."""
        course = self.steering.at(number)
        is_drawn = self.operators.is_drawn(individual.operator, course.weights)
        if not is_drawn or course.banned & {*individual.parents, individual.id}:
            return None
        return Pairing(self.operators.named(individual.operator), individual.parents)

    def _candidates(self, number: int, course: Course) -> list[Individual]:
        """Return what proposal `number` may have for parents, survivors first."""
        survivors = [one for one in self._standings.home(number) if one.id not in course.banned]
        pinned = self._pinned(course, {one.id for one in survivors})
        recalled = (self._standings.recall(self._store.individual(one), self._store.source) for one in pinned)
        return [*survivors, *recalled]

    def _pinned(self, course: Course, known: Set[int]) -> list[int]:
        """Return the pinned individuals that were measured and are not `known`."""
        return [one for one in sorted(course.pinned) if one in self._standings.measured and one not in known]

    def _may_cross(self, operator: Operator, parents: tuple[int, ...], number: int) -> bool:
        """Return whether an operator may have these parents for proposal `number`."""
        if self._pairs is None or len(parents) < 2:
            return True
        are_kin = self._pairs.are_kin(parents, self._standings.family)
        return not are_kin and self._pairs.are_new(operator.name, parents, number)

    def _among_elites(self, chance: random.Random, number: int, *, are_distant: bool, is_local: bool) -> Pairing:
        course = self.steering.at(number)
        elites = [one for one in self._niches.elites() if one not in course.banned]
        elites = [*elites, *self._pinned(course, {*elites})] or [0]
        operator = self.operators.pick(chance, len(elites), course.weights, is_local=is_local)
        parents = chance.sample(elites, 1)
        while len(parents) < operator.arity:
            others = [
                one for one in elites if one not in parents and self._may_cross(operator, (parents[0], one), number)
            ]
            if not others:
                return Pairing(self.operators.pick(chance, 1, course.weights, is_local=is_local), tuple(parents[:1]))
            rivals = chance.sample(others, min(_RIVALS if are_distant else 1, len(others)))
            parents.append(self._farthest(parents[0], rivals))
        return Pairing(operator, tuple(parents))

    def _farthest(self, first: int, rivals: Sequence[int]) -> int:
        if len(rivals) == 1:
            return rivals[0]
        source = self._store.source(first)
        return min(rivals, key=lambda rival: (similarity(source, self._store.source(rival)), rival))

    def chance(self, number: int, what: str) -> random.Random:
        """Return the source of chance of proposal `number` for one of its decisions."""
        return random.Random(f"{self._seed}:{number}:{what}")  # noqa: S311 - no secret depends on it

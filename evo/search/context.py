"""What operators may know around the parents of a proposal, gathered from the store and the standings."""

from __future__ import annotations

import heapq
import itertools
from bisect import bisect
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evo.standings.standings import Standings
from evo.store import StoreView, mean_objectives
from operators.proposal import Context, Parent, Relative, Variant
from operators.source.constants import Value, constants_and_structure
from populations.individual import Individual
from trainer.evaluation import Status
from trainer.genome import source_lines


class _Program(NamedTuple):
    constants: Mapping[str, Value]
    structure: str


class Variants:
    """Finds what was measured of the variants of an individual; every source and every result is read once.

    Args:
        store: of the run.
    """

    def __init__(self, store: StoreView) -> None:
        self._store = store
        self._programs: dict[int, _Program] = {}
        self._measured: defaultdict[str, list[Variant]] = defaultdict(list)  # by structure
        self._told: defaultdict[str, list[int]] = defaultdict(list)  # the numbers of these results
        self._read = 0

    def of(self, individual: int, result_number: int) -> list[Variant]:
        """Return the measurements of an individual's variants among the first `told` results, in their order."""
        self._read_results()
        structure = self._look_up(individual).structure
        return self._measured[structure][: bisect(self._told[structure], result_number)]

    def _read_results(self) -> None:
        for outcome in self._store.outcomes(after=self._read):
            self._read = outcome.result_number
            is_measured = outcome.status is Status.OK
            if outcome.status is Status.LOST or (is_measured and not outcome.purpose.counts):
                continue
            program = self._look_up(outcome.individual)
            objectives = outcome.objectives if is_measured else {}
            self._measured[program.structure].append(Variant(outcome.individual, program.constants, objectives))
            self._told[program.structure].append(outcome.result_number)

    def _look_up(self, individual: int) -> _Program:
        if individual not in self._programs:
            self._programs[individual] = _Program(*constants_and_structure(self._store.source(individual)))
        return self._programs[individual]


_RELATIVES = 12
_ANCESTORS = 8
_INSPIRATIONS = 2
_REMOVED_LINES = 30


def parent_of(store: StoreView, individual: int, result_number: int) -> Parent:
    """Return an individual as its operators see it, with the first `told` results of the run."""
    record = store.individual(individual)
    outcomes = [one for one in store.measurements_of(individual) if one.result_number <= result_number]
    newest = store.evaluation(outcomes[-1].evaluation).result if outcomes else None
    return Parent(
        id=individual,
        source=store.source(individual),
        idea=record.idea,
        objectives=mean_objectives(outcomes),
        replicates=len(outcomes),
        curve=newest.curve if newest else (),
    )


def gather_context(store: StoreView, standings: Standings, parents: Sequence[int], result_number: int) -> Context:
    """Return what is known around `parents` after `told` results."""
    zero = standings.generation_zero
    return Context(
        noise=standings.noise(),
        generation_zero=zero.means() if zero else {},
        best=_best(standings),
        relatives=_relatives(store, standings, parents, result_number),
        inspirations=_inspirations(store, standings, parents, result_number),
        removed_lines=_removed_lines(store, standings, parents[0]),
        common_ancestor=store.source(_youngest_common_ancestor(standings.family, parents))
        if len(parents) > 1
        else None,
    )


def unrelated(standings: Standings) -> Context:
    """Return what an independent sample may be told: of generation 0 and of noise alone."""
    zero = standings.generation_zero
    return Context(noise=standings.noise(), generation_zero=zero.means() if zero else {})


def _best(standings: Standings) -> Relative | None:
    best = standings.best()
    return _as_relative(best) if best else None


def _as_relative(individual: Individual) -> Relative:
    return Relative(
        id=individual.id,
        parents=individual.parents,
        idea=individual.idea,
        operator=individual.operator,
        status=Status.OK,
        objectives=individual.means(),
    )


def _relatives(store: StoreView, standings: Standings, parents: Sequence[int], result_number: int) -> list[Relative]:
    """Return children of the parents and of their parents, oldest first."""
    family = list(dict.fromkeys([*parents, *(one for parent in parents for one in standings.family[parent])]))
    newest_first = store.children_of(family, limit=_RELATIVES, result_number=result_number)
    return [relative for relative in reversed(newest_first) if relative.id not in parents]


def _inspirations(store: StoreView, standings: Standings, parents: Sequence[int], result_number: int) -> list[Parent]:
    """Return the best individuals of the population that are neither the parents nor their children."""
    others = [
        individual.id
        for individual in standings.population
        if individual.id not in parents and not set(individual.parents) & set(parents)
    ]
    return [parent_of(store, individual, result_number) for individual in others[:_INSPIRATIONS]]


def _removed_lines(store: StoreView, standings: Standings, individual: int) -> list[str]:
    """Return lines that an ancestor had added to generation 0 and that a later one took out again, newest first."""
    line = [individual]
    while len(line) < _ANCESTORS and (parents := standings.family[line[-1]]):
        line.append(parents[0])
    sources = [set(_code_lines(store.source(one))) for one in line]
    original = set(_code_lines(store.source(0)))
    removed: dict[str, None] = {}
    for younger, older in itertools.pairwise(sources):
        removed |= dict.fromkeys(sorted(older - younger - original - sources[0]))
    return list(removed)[:_REMOVED_LINES]


def _code_lines(source: str) -> Iterator[str]:
    return (stripped for line in source_lines(source) if (stripped := line.strip()) and not stripped.startswith("#"))


def _youngest_common_ancestor(family: Mapping[int, tuple[int, ...]], parents: Sequence[int]) -> int:
    """Return the youngest individual that both parents descend from, or are.

    A parent has a lower id than its children, so going through ids from the highest meets every individual only after
    all of its descendants.
    """
    reached = {parent: {parent} for parent in parents}
    heap = sorted(-parent for parent in parents)  # a sorted list is a heap
    while True:
        one = -heapq.heappop(heap)
        if len(reached[one]) == len(parents):
            return one
        for ancestor in family[one]:
            if ancestor not in reached:
                reached[ancestor] = set()
                heapq.heappush(heap, -ancestor)
            reached[ancestor] |= reached[one]

"""What operators may know around the parents of a proposal, gathered from the store and the standings."""

from __future__ import annotations

import heapq
from bisect import bisect
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from evo.search.memory import effect_of
from evo.standings.standings import Standings
from evo.store import Outcome, StoreView, mean_objectives
from operators.proposal import Context, Parent, Provenance, Relative, Usage, Variant
from operators.source.constants import Value, constants_and_structure
from populations.individual import Individual
from trainer.evaluation import Evaluation, Status


class _Program(NamedTuple):
    constants: Mapping[str, Value]
    structure: str


class Variants:
    """Finds what was measured of the variants of an individual; every source and every result is read once."""

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
_INSPIRATIONS = 2


def parent_of(store: StoreView, individual: int, result_number: int) -> Parent:
    """Return an individual as its operators see it, with the first `told` results of the run."""
    record = store.individual(individual)
    outcomes = _measurements(store, individual, result_number)
    newest = _newest_result(store, outcomes)
    return Parent(
        id=individual,
        source=store.source(individual),
        idea=record.idea,
        objectives=mean_objectives(outcomes),
        replicates=len(outcomes),
        curve=newest.training_curve if newest else (),
        log_tail=newest.log_tail if newest else "",
    )


def provenance_of(store: StoreView, standings: Standings, individual: int, result_number: int) -> Provenance:
    """Return where an individual comes from, and where the time of its evaluation went."""
    parents = store.individual(individual).parents
    origin = parents[0] if parents else None
    result = _newest_result(store, _measurements(store, individual, result_number))
    origin_result = None if origin is None else _newest_result(store, _measurements(store, origin, result_number))
    return Provenance(
        effect=effect_of(standings, individual, parents, result_number),
        usage=_usage(result) if result else None,
        origin=origin,
        origin_source="" if origin is None else store.source(origin),
        origin_curve=origin_result.training_curve if origin_result else (),
    )


def _measurements(store: StoreView, individual: int, result_number: int) -> list[Outcome]:
    return [one for one in store.measurements_of(individual) if one.result_number <= result_number]


def _newest_result(store: StoreView, outcomes: Sequence[Outcome]) -> Evaluation | None:
    return store.evaluation(outcomes[-1].evaluation).result if outcomes else None


def _usage(result: Evaluation) -> Usage:
    timings = result.timings
    return Usage(
        setup_seconds=timings.outside_seconds,
        train_seconds=timings.train_seconds,
        score_seconds=timings.score_seconds,
        tokens_per_second=result.train_tokens_per_second,
        train_parts=timings.train_parts,
    )


def gather_context(store: StoreView, standings: Standings, parents: Sequence[int], result_number: int) -> Context:
    """Return what is known around `parents` after `told` results."""
    zero = standings.generation_zero
    inspiring = _inspiring(standings, parents)
    return Context(
        noise=standings.noise(),
        generation_zero=zero.means() if zero else {},
        best=_as_relative(best) if (best := standings.best()) else None,
        relatives=_relatives(store, standings, parents, result_number),
        provenance={one: provenance_of(store, standings, one, result_number) for one in (*parents, *inspiring)},
        inspirations=[parent_of(store, one, result_number) for one in inspiring],
        common_ancestor=store.source(_youngest_common_ancestor(standings.family, parents))
        if len(parents) > 1
        else None,
    )


def unrelated(standings: Standings) -> Context:
    """Return what an independent sample may be told: of generation 0 and of noise alone."""
    zero = standings.generation_zero
    return Context(noise=standings.noise(), generation_zero=zero.means() if zero else {})


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


def _inspiring(standings: Standings, parents: Sequence[int]) -> list[int]:
    """Return the best of the population that are neither the parents nor their children or ancestors."""
    lines = ancestors(standings.family, parents)
    others = [
        individual.id
        for individual in standings.population
        if individual.id not in lines and not set(individual.parents) & set(parents)
    ]
    return others[:_INSPIRATIONS]


def ancestors(family: Mapping[int, tuple[int, ...]], individuals: Sequence[int]) -> Set[int]:
    """Return the individuals with all that they descend from."""
    found, waiting = set(individuals), [*individuals]
    while waiting:
        fresh = [one for one in family[waiting.pop()] if one not in found]
        found.update(fresh)
        waiting += fresh
    return found


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

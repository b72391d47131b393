"""How a run's budget of evaluations is divided: replicates of generation 0, search, confirmation of the finalists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from evo.config.config import Config

CONFIRMED_OBJECTIVE = "val_bpb"
"""What held-out text is scored in: the one objective of the language-model task whose gain it confirms."""


class Confirmed(StrEnum):
    """How the gain of the finalists is confirmed at the end."""

    ON_TEXT = "on held-out text"
    """In `val_bpb`, with fresh seeds, on the holdout split that selection never sees; an incumbent must hold there."""
    WITH_SEEDS = "with fresh seeds"
    """In any other first objective: held-out text does not measure it, and a script names no held-out data."""


_MOST_FINALISTS = 6
_MOST_ALIKE = 5
"""Finalists where all get the same seeds, because a race would leave each with too few."""
_RACES = ((5, 3), (4, 3), (4, 2))
"""Finalists and seeds of the first round where there is not room for `_MOST_FINALISTS` with three, the best first."""
_SMALLEST_CONFIRMED_BUDGET = 12
_SMALLEST_REPEATED_BUDGET = 64
_SEEDS_A_RUN = 1000
_FEWEST_CONFIRMATIONS = 2
_ENOUGH_CONFIRMATIONS, _LARGEST_FRACTION = 10, 1 / 4
"""A gain that one finalist showed with two seeds is uncertain by four times the noise: a small budget gives more."""
_FEWEST_SEEDS, _ENOUGH_SEEDS, _SURE_SEEDS = 2, 3, 4
_ENOUGH_RACING = 3


class Round(NamedTuple):
    """A part of the confirmation: so many of the best get so many seeds, those of earlier rounds included."""

    finalists: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The division of one run's budget.

    Attributes:
        mu: individuals in the population; also the evaluations of one generation.
        evaluations: the whole budget; every result that is accepted counts, failures included.
        baseline: evaluations of generation 0 at the start, each with another seed.
        leaders: how many of the best are evaluated with more than one seed.
        leader_seeds: how many seeds each of them gets.
        sentinel_every: results of a device between two sentinels on it; 0 for none.
        rounds: of the confirmation, each with fewer finalists and more seeds; none without a confirmation.
        generational: whether a generation is complete before the next one begins.
        seed: of the run; every random choice derives from it.
        confirmed: how gains are.
        several: whether selection looks at several objectives, so that the finalists are a front.
        is_deterministic: whether an evaluation gives the same whenever it runs, so that none is repeated.
    """

    mu: int
    evaluations: int
    baseline: int
    leaders: int
    leader_seeds: int
    sentinel_every: int
    rounds: tuple[Round, ...]
    generational: bool
    seed: int
    confirmed: Confirmed
    several: bool
    is_deterministic: bool = False

    @property
    def has_holdout(self) -> bool:
        """Whether the best must hold on the holdout split too: where that can confirm a gain."""
        return self.confirmed is Confirmed.ON_TEXT

    @property
    def finalists(self) -> int:
        """Individuals that are confirmed at the end."""
        return self.rounds[0].finalists if self.rounds else 0

    @property
    def confirmation_seeds(self) -> int:
        """Seeds that the last of them are confirmed with; generation 0 runs with them too."""
        return self.rounds[-1].seeds if self.rounds else 0

    @property
    def confirmations(self) -> int:
        """Evaluations that the confirmation takes, those of generation 0 included."""
        return _cost(self.rounds, self.baseline - 1)

    @property
    def search_end(self) -> int:
        """Evaluations after which the search proper is over, if as many finalists as planned turn up by then."""
        return self.evaluations - self.confirmations

    def rounds_of(self, finalists: int) -> tuple[Round, ...]:
        """Return the rounds for so many finalists: the fewer a front has, the more seeds for each.

        Beyond four, never more than if it had as many members as there are finalists for one objective.
        """
        if not self.several:
            return self.rounds
        most, alike = (
            _seeds_each(self.confirmations, self.baseline - 1, among)
            for among in (finalists, max(finalists, _MOST_ALIKE))
        )
        return (Round(finalists, max(min(most, _SURE_SEEDS), alike, self.confirmation_seeds)),)

    def training_seed(self, index: int) -> int:
        """Return the `index`-th training seed; individuals of one comparison share their seeds (paired seeds)."""
        return _SEEDS_A_RUN * self.seed + index

    def second_seed(self, index: int) -> int:
        """Return the `index`-th of the seeds that leaders are evaluated with again: no other evaluation has them."""
        return self.training_seed(_SEEDS_A_RUN // 2 + index)


def make_plan(config: Config) -> Plan:
    """Return the plan of a configuration; a budget too small to confirm anything is spent on the search."""
    evaluations = config.search.evaluations
    is_deterministic = config.task.is_deterministic
    repeats = evaluations >= _SMALLEST_REPEATED_BUDGET and not is_deterministic
    baseline = 1 if is_deterministic else min(config.noise.baseline_replicates, max(1, evaluations // 4))
    several = len(config.search.objectives) > 1
    reserve, known = 0 if is_deterministic else _reserve(config, baseline), baseline - 1
    return Plan(
        mu=config.search.pop,
        evaluations=evaluations,
        baseline=baseline,
        leaders=config.noise.leaders if repeats else 0,
        leader_seeds=config.noise.leader_seeds,
        sentinel_every=config.noise.sentinel_every if repeats else 0,
        rounds=_alike(reserve, known, several=True) if several else _race(reserve, known),
        generational=config.search.schedule == "generational",
        seed=config.search.seed,
        confirmed=_confirmed_how(config),
        several=several,
        is_deterministic=is_deterministic,
    )


def _confirmed_how(config: Config) -> Confirmed:
    is_scored_on_text = config.script is None and config.search.objectives[0] == CONFIRMED_OBJECTIVE
    return Confirmed.ON_TEXT if is_scored_on_text else Confirmed.WITH_SEEDS


def _reserve(config: Config, baseline: int) -> int:
    """Return how many evaluations the confirmation may take; at least one is left to the search."""
    evaluations, share = config.search.evaluations, config.noise.confirm_fraction
    if share == 0 or evaluations < _SMALLEST_CONFIRMED_BUDGET:
        return 0
    enough = min(_ENOUGH_CONFIRMATIONS, int(_LARGEST_FRACTION * evaluations))
    return min(max(_FEWEST_CONFIRMATIONS, enough, round(share * evaluations)), evaluations - baseline - 1)


def _race(reserve: int, known: int) -> tuple[Round, ...]:
    """Return rounds of successive halving: each adds the same number of seeds and leaves half of the finalists.

    So most seeds go to those that may be the best: on recorded tables that chose better than as many evaluations shared
    equally (Karnin et al., 2013, for the method).

    Args:
        reserve: evaluations that may be spent.
        known: confirmation seeds that generation 0 has run with already; it takes the others from the same reserve.
    """
    widest = ((_MOST_FINALISTS, seeds) for seeds in range(reserve, _ENOUGH_RACING - 1, -1))
    for finalists, seeds in (*widest, *_RACES):
        rounds = [Round(finalists, seeds)]
        while rounds[-1].finalists > 2:
            rounds.append(Round((rounds[-1].finalists + 1) // 2, rounds[-1].seeds + seeds))
        left = reserve - _cost(rounds, known)
        if left >= 0:
            last = rounds.pop()
            return (*rounds, Round(last.finalists, last.seeds + left // (last.finalists + 1)))
    return _alike(reserve, known, several=False)


def _alike(reserve: int, known: int, *, several: bool) -> tuple[Round, ...]:
    """Return one round: the most finalists that get three or more seeds, or else two.

    Args:
        reserve: evaluations that may be spent.
        known: confirmation seeds that generation 0 has run with already; it takes the others from the same reserve.
        several: whether the finalists are a front, of any size; for one objective a few suffice.
    """
    most = reserve if several else _MOST_ALIKE
    for enough in (_ENOUGH_SEEDS, _FEWEST_SEEDS):
        for finalists in range(most, 1, -1):
            seeds = _seeds_each(reserve, known, finalists)
            if seeds >= enough:
                return (Round(finalists, seeds),)
    seeds = _seeds_each(reserve, known, 1)
    return (Round(1, seeds),) if seeds else ()


def _cost(rounds: Sequence[Round], known: int) -> int:
    """Return the evaluations that rounds take of finalists and of generation 0."""
    seeds = [0, *(one.seeds for one in rounds)]
    own = sum(one.finalists * (one.seeds - before) for one, before in zip(rounds, seeds, strict=False))
    return own + max(0, seeds[-1] - known)


def _seeds_each(reserve: int, known: int, finalists: int) -> int:
    """Return how many seeds so many finalists get, if generation 0 runs with those that it has not run with."""
    seeds = (reserve + known) // (finalists + 1)
    return seeds if seeds >= known else reserve // finalists

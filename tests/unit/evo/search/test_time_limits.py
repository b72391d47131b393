"""How long a script may run, by how long generation 0 took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from run_samples import SEARCH, admit, evaluate, verdict
from searches import configuration

from evo.runs.assemble import build_standings
from evo.search.jobs import Jobs
from evo.search.time_limits import TimeLimits
from evo.store import Purpose, Store
from trainer.evaluation import Job, Status, Timings

MEASURED, FIXED, GIVEN = TimeLimits(), TimeLimits(fixed_seconds=100.0), TimeLimits(wall_seconds=60.0)


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.in_memory() as store:
        yield store


def took(store: Store, *seconds: float, score_seconds: float = 0.0, status: Status = Status.OK) -> None:
    """Have generation 0 evaluated with trainings of these lengths."""
    for evaluation, length in zip(admit(store, 0, evaluations=(SEARCH,) * len(seconds)), seconds, strict=True):
        timings = Timings(train_seconds=length, score_seconds=score_seconds)
        evaluate(store, evaluation, replace(verdict(status=status), timings=timings))


def job(store: Store, limits: TimeLimits, individual: int = 9, budget_fraction: float = 1.0) -> Job:
    request = replace(SEARCH, budget_fraction=budget_fraction, purpose=Purpose.SCREEN)
    if individual:
        (evaluation,) = admit(store, individual, (0,), evaluations=(request,))
    else:
        evaluation = store.evaluations_of(0)[0].id
    return Jobs(store, build_standings(configuration()), limits=limits).of(store.evaluation(evaluation))


def test_it_is_several_times_the_longest_of_generation_0(store: Store) -> None:
    took(store, 0.4, 2.0)
    found = job(store, MEASURED)
    assert found.wall_seconds == 40.0
    assert found.longest_seconds is None


def test_scoring_counts_too(store: Store) -> None:
    took(store, 1.0, score_seconds=20.0)
    assert job(store, MEASURED).wall_seconds == 130.0


def test_a_failure_says_nothing(store: Store) -> None:
    took(store, 50.0, status=Status.CRASHED)
    assert job(store, MEASURED).wall_seconds is None


def test_what_the_user_gives_holds(store: Store) -> None:
    took(store, 0.4)
    found = job(store, GIVEN)
    assert (found.wall_seconds, found.longest_seconds) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "budget_fraction", "longest"),
    [(110.0, 1.0, 120.0), (110.0, 0.5, 70.0), (90.0, 1.0, 105.0), (250.0, 1.0, 330.0)],
    ids=["overhead", "rung", "ends early", "takes far longer"],
)
def test_a_fixed_time_may_be_exceeded_by_the_overhead(
    seconds: float, budget_fraction: float, longest: float, store: Store
) -> None:
    took(store, seconds)
    assert job(store, FIXED, budget_fraction=budget_fraction).longest_seconds == longest


def test_a_short_fixed_time_leaves_room_for_the_start_of_a_process(store: Store) -> None:
    took(store, 1.1)
    found = job(store, TimeLimits(fixed_seconds=1.0)).longest_seconds
    assert found == pytest.approx(1.65)


def test_generation_0_has_the_limits_of_the_configuration(store: Store) -> None:
    took(store, 0.4)
    assert job(store, MEASURED, individual=0).wall_seconds is None


def test_offspring_wait_for_generation_0_where_it_alone_bounds_them(store: Store) -> None:
    took(store, 0.4)
    (evaluation,) = admit(store, 9, (0,), evaluations=(SEARCH,))
    record, zero = store.evaluation(evaluation), store.evaluations_of(0)[0]
    standings = build_standings(configuration())  # which were told nothing yet
    assert not Jobs(store, standings, limits=MEASURED).may_start(record)
    assert Jobs(store, standings, limits=MEASURED).may_start(zero)
    assert Jobs(store, standings, limits=FIXED).may_start(record)
    assert Jobs(store, standings).may_start(record)
    standings.tell(store.individual(0), store.outcomes_of(0)[0], store.source)
    assert Jobs(store, standings, limits=MEASURED).may_start(record)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (MEASURED, "at most 5 × generation 0's time + 30 s"),
        (FIXED, "100 s"),
        (GIVEN, "at most 60 s"),
        (TimeLimits(100.0, 300.0), "100 s, at most 300 s"),
    ],
)
def test_in_words(limits: TimeLimits, words: str) -> None:
    assert str(limits) == words

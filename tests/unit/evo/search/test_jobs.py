"""What a worker is asked for: the throughput below which an offspring is ended early, and the widest gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from run_samples import SEARCH, admit, evaluate, verdict
from searches import configuration

from evo.runs.assemble import build_standings
from evo.search.jobs import Jobs
from evo.store import Purpose, Store
from trainer.evaluation import Status


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.in_memory() as store:
        yield store


def measured(store: Store, individual: int, *rates: float | None, status: Status = Status.OK) -> None:
    """Admit an individual whose trainings had these throughputs."""
    requests = (SEARCH,) * len(rates)
    for evaluation, rate in zip(
        admit(store, individual, (0,) * bool(individual), evaluations=requests), rates, strict=True
    ):
        evaluate(store, evaluation, replace(verdict(status=status), train_tokens_per_second=rate))


def floor_of_child(store: Store, *parents: int, share: float = 0.1, purpose: Purpose = Purpose.SEARCH) -> float:
    (evaluation,) = admit(store, 9, parents, evaluations=(replace(SEARCH, purpose=purpose),))
    jobs = Jobs(store, build_standings(configuration()), share)
    return jobs.of(store.evaluation(evaluation)).floor_tokens_per_second


def test_it_is_a_share_of_the_parents_mean(store: Store) -> None:
    measured(store, 0, 1000.0, 3000.0, None)

    assert floor_of_child(store, 0) == pytest.approx(200.0)


def test_of_two_parents_the_slower_one_counts(store: Store) -> None:
    measured(store, 0, 4000.0)
    measured(store, 1, 500.0)

    assert floor_of_child(store, 0, 1) == pytest.approx(50.0)


def test_a_parent_that_counts_too_many_tokens_ends_no_honest_child(store: Store) -> None:
    measured(store, 0, 4000.0)
    measured(store, 1, 4e9)

    assert floor_of_child(store, 1) == pytest.approx(400.0)


def test_without_generation_0_to_compare_with_there_is_none(store: Store) -> None:
    measured(store, 0, None)
    measured(store, 1, 4000.0)

    assert floor_of_child(store, 1) == 0.0


def test_a_parent_that_counts_nothing_sets_none(store: Store) -> None:
    measured(store, 0, None)

    assert floor_of_child(store, 0) == 0.0


def test_what_failed_says_nothing(store: Store) -> None:
    measured(store, 0, 1000.0, status=Status.TOO_SLOW)

    assert floor_of_child(store, 0) == 0.0


def test_it_can_be_switched_off(store: Store) -> None:
    measured(store, 0, 1000.0)

    assert floor_of_child(store, 0, share=0.0) == 0.0


def test_who_has_been_measured_is_not_judged_again(store: Store) -> None:
    measured(store, 0, 1000.0)

    assert floor_of_child(store, 0, purpose=Purpose.CONFIRM) == 0.0


def gap_of_child(store: Store) -> float | None:
    (evaluation,) = admit(store, 9, (0,), evaluations=(SEARCH,))
    return Jobs(store, build_standings(configuration())).of(store.evaluation(evaluation)).widest_gap


def test_two_scores_may_differ_by_a_tenth_more_than_those_of_generation_0(store: Store) -> None:
    for evaluation in admit(store, 0, evaluations=(SEARCH, SEARCH)):
        evaluate(store, evaluation, replace(verdict(), split_bpb={"S": 2.0, "G": 2.05}))

    assert gap_of_child(store) == pytest.approx(0.25)


def test_without_two_scores_of_generation_0_any_gap_may_be(store: Store) -> None:
    measured(store, 0, 1000.0)

    assert gap_of_child(store) is None

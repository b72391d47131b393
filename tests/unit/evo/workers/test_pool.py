"""Workers that join and leave while a search runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from evo.store import Store
from evo.workers import Slot
from evo.workers.pool import MOST_LOSSES, Loss, WorkerPool, joined_and_left


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "evo.db") as made:
        yield made


def test_a_worker_that_joins_is_used(store: Store) -> None:
    pool = WorkerPool(())
    assert pool.reserve(1) is None
    first, second = Slot("cpu@a/0"), Slot("cpu@b/0")
    assert pool.size == 0
    pool.update([first], store)
    pool.update([first, second], store)
    assert pool.size == 2
    assert {pool.reserve(1), pool.reserve(2)} == {first, second}
    pool.update([second], store)
    joined, left = joined_and_left(store, after=0)
    assert ([*joined], left) == (["cpu@a/0", "cpu@b/0"], {"cpu@a/0"})


def test_a_worker_that_leaves_idle_gets_nothing_more(store: Store) -> None:
    first, second = Slot("cpu@a/0"), Slot("cpu@b/0")
    pool = WorkerPool([first, second])
    pool.update([second], store)
    assert pool.size == 1
    assert pool.reserve(1) is second
    assert pool.reserve(2) is None


def test_what_is_lost_with_a_node_is_held_against_nothing(store: Store) -> None:
    slots = [Slot(f"cpu@node-{number}/0") for number in range(MOST_LOSSES + 1)]
    pool = WorkerPool(slots)
    for _ in range(MOST_LOSSES):  # as often as a candidate would be given up for
        slot = pool.reserve(7)
        assert slot is not None
        slots.remove(slot)
        pool.update(slots, store)
        pool.release(slot)
        assert pool.lost(slot, 7, "its node was lost", any_measured=True) is Loss.RUN_AGAIN
    assert pool.times_lost(7) == 0
    assert pool.size == 1
    assert pool.reserve(7) is slots[0]


def test_the_last_result_of_a_worker_that_has_left_counts(store: Store) -> None:
    slot = Slot("cpu@a/0")
    pool = WorkerPool([slot])
    assert pool.reserve(1) is slot
    pool.update([], store)
    assert pool.size == 0
    pool.release(slot)
    pool.answered(slot, 1)
    assert pool.reserve(2) is None

"""The throughput of a training by the tokens that it reports, and the early end of a hopeless one."""

from __future__ import annotations

import pytest

from trainer.evaluation import Status
from trainer.supervisor.throughput import Throughput
from trainer.supervisor.watch import Ended


def told(throughput: Throughput, *reports: tuple[float, int]) -> Throughput:
    for seconds, tokens in reports:
        throughput.tell(seconds, tokens)
    return throughput


def test_what_came_before_the_first_report_is_left_out() -> None:
    assert told(Throughput(0.0, 10.0), (5.0, 100), (6.0, 200), (7.0, 500)).tokens_per_second == 200


@pytest.mark.parametrize("reports", [[], [(1.0, 100)], [(1.0, 100), (1.0, 200)]])
def test_nothing_is_known_before_two_reports(reports: list[tuple[float, int]]) -> None:
    assert told(Throughput(0.0, 10.0), *reports).tokens_per_second is None


def test_too_slow_a_training_ends_once_a_quarter_of_the_budget_shows_it() -> None:
    throughput = told(Throughput(1000.0, 40.0), (3.0, 0), (12.9, 99))

    with pytest.raises(Ended, match=r"^trained on 10 tokens/s in its first 13\.0 s, below the 1000 tokens/s") as end:
        throughput.tell(13.0, 100)

    assert end.value.status is Status.TOO_SLOW


@pytest.mark.parametrize("floor", [0.0, 10.0])
def test_who_keeps_the_floor_or_has_none_goes_on(floor: float) -> None:
    assert told(Throughput(floor, 40.0), (3.0, 0), (13.0, 100)).tokens_per_second == 10


def test_who_was_let_go_on_may_slow_down() -> None:
    assert told(Throughput(10.0, 40.0), (3.0, 0), (13.0, 100), (43.0, 120)).tokens_per_second == 3


def test_counting_backwards_is_no_throughput() -> None:
    with pytest.raises(Ended):
        told(Throughput(1.0, 4.0), (0.0, 1000), (1.0, 0))

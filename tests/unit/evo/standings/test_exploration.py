"""When a search explores."""

from __future__ import annotations

from evo.standings.exploration import Exploration


def active(exploration: Exploration, results: range, led_since: int) -> list[int]:
    """Tell results; return those after which the search explores."""
    exploring = []
    for result_number in results:
        exploration.tell(result_number, led_since)
        if exploration.is_active:
            exploring.append(result_number)
    return exploring


def test_it_begins_after_a_stall_lasts_a_while_and_waits_again() -> None:
    exploration = Exploration(10)
    assert active(exploration, range(5, 41), led_since=5) == [*range(15, 20), *range(30, 35)]
    assert [(one.began, one.ended, one.found) for one in exploration.phases] == [(15, 20, False), (30, 35, False)]


def test_a_better_individual_ends_it() -> None:
    exploration = Exploration(10)
    assert active(exploration, range(1, 13), led_since=0) == [10, 11, 12]
    assert active(exploration, range(13, 23), led_since=13) == []
    assert active(exploration, range(23, 25), led_since=13) == [23, 24]
    assert [(one.began, one.ended, one.found) for one in exploration.phases] == [(10, 13, True), (23, None, False)]


def test_improvements_keep_it_away() -> None:
    exploration = Exploration(10)
    for result_number in range(1, 100):
        exploration.tell(result_number, result_number - result_number % 9)
    assert exploration.phases == ()


def test_it_can_be_switched_off() -> None:
    assert active(Exploration(0), range(1, 1000), led_since=1) == []


def test_it_says_so_once_when_it_begins_and_once_when_it_ends() -> None:
    exploration, said = Exploration(10), {}
    for result_number in range(1, 30):
        exploration.tell(result_number, 12 if result_number >= 12 else 0)
        if remark := exploration.remark(result_number):
            said[result_number] = remark
    assert said == {
        10: "Nothing better in 10 results: from result 10 on the search explores.",
        12: "The search explored from result 10 to result 12: something better was found.",
        22: "Nothing better in 10 results: from result 22 on the search explores.",
        27: "The search explored from result 22 to result 27: nothing better was found.",
    }

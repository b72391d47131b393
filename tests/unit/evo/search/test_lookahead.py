"""The size of the look-ahead, and what is remembered of it."""

import json

import pytest

from evo.search.pace import Lookahead


def test_before_anything_is_measured_each_slot_has_one_ahead() -> None:
    assert Lookahead(slots=3).target() == 3


def test_littles_law() -> None:
    lookahead = Lookahead(slots=4)
    lookahead.evaluation_took(10.0)
    lookahead.proposal_took(25.0)
    lookahead.proposal_admitted()
    assert lookahead.target() == 2 + 10


def test_what_is_made_in_no_time_is_made_when_it_is_needed() -> None:
    lookahead = Lookahead(slots=16)
    lookahead.evaluation_took(300.0)
    lookahead.proposal_took(0.005)
    lookahead.proposal_admitted()
    assert lookahead.target() == 1 + 1 + 1


def test_fruitless_proposals_count_towards_the_next_offspring() -> None:
    lookahead = Lookahead(slots=1)
    lookahead.evaluation_took(1.0)
    for _ in range(3):
        lookahead.proposal_took(1.0)
    lookahead.proposal_admitted()
    assert lookahead.target() == 1 + 3


def test_a_change_of_pace_is_followed() -> None:
    lookahead = Lookahead(slots=1)
    lookahead.evaluation_took(1.0)
    for seconds in (10.0, *[1.0] * 30):
        lookahead.proposal_took(seconds)
        lookahead.proposal_admitted()
    assert lookahead.target() == pytest.approx(2, abs=1)


def test_the_state_survives_json_to_the_last_bit() -> None:
    lookahead, twin = Lookahead(slots=2), Lookahead(slots=2)
    lookahead.evaluation_took(1 / 3)
    lookahead.proposal_took(0.1)
    lookahead.proposal_admitted()
    lookahead.proposal_took(0.7)
    twin.restore(json.loads(json.dumps(lookahead.state())))
    assert twin.state() == lookahead.state()
    assert twin.target() == lookahead.target()

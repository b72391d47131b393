"""Requests to a run as JSON, and what holds of several."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evo.steering.actions import Action, Verb
from evo.steering.inbox import Inbox
from evo.steering.journal import Course
from trainer.errors import UsageError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "action",
    [
        Action(Verb.PAUSE),
        Action(Verb.PIN, individual=3),
        Action(Verb.HINT, text="Try \u202e smaller\nbatches."),
        Action(Verb.WEIGHTS, weights={"random": 2.0, "merge": 0}),
        Action(Verb.INJECT, individual=0, text="print()\n", idea="mine"),
        Action(Verb.EXTEND, gens=60),
        Action(Verb.EXTEND, until=1.5e9),
    ],
)
def test_a_request_survives_its_journey(action: Action, tmp_path: Path) -> None:
    assert Action.from_json(json.loads(json.dumps(action.to_json()))) == action
    inbox = Inbox(tmp_path / "steering")
    assert inbox.is_empty()
    inbox.send(action)
    inbox.send(action)
    assert inbox.pending() == [action]
    inbox.remove([action])
    assert inbox.is_empty()


@given(
    JSON
    | st.fixed_dictionaries(
        {"verb": st.sampled_from([*Verb])}, optional={"seeds": JSON, "id": JSON, "x": JSON, "gens": JSON, "until": JSON}
    )
)
def test_whatever_is_no_request_is_refused_in_words(data: object) -> None:
    try:
        action = Action.from_json(data)
    except UsageError:
        pass
    else:
        assert 1 <= action.seeds <= 50


def test_what_is_no_request_is_put_aside(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    (tmp_path / "garbage.json").write_bytes(b"\xff{")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "othername.json").write_text(json.dumps(Action(Verb.PAUSE).to_json()))
    assert inbox.pending() == []
    assert inbox.is_empty()
    assert len(list(tmp_path.iterdir())) == 3


def test_the_newest_request_supersedes_and_undoes() -> None:
    course = Course()
    for action in (
        Action(Verb.PIN, individual=1),
        Action(Verb.BAN, individual=1),
        Action(Verb.PIN, individual=2),
        Action(Verb.PIN, individual=3),
        Action(Verb.RELEASE, individual=3),
        Action(Verb.HINT, text="one", at=0.0),
        Action(Verb.WEIGHTS, weights={"random": 2.0}),
        Action(Verb.PAUSE),
    ):
        course = course.after(action)
    assert (course.pinned, course.banned) == ({2}, {1})
    assert course.hints == ("1970-01-01: one",)
    assert course.is_paused
    course = course.after(Action(Verb.CONTINUE)).after(Action(Verb.HINT)).after(Action(Verb.WEIGHTS))
    assert (course.is_paused, course.hints, course.weights) == (False, (), {})

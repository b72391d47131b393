from __future__ import annotations

from collections.abc import Iterator

import pytest
from operator_requests import SMALL, gate_knowing, request_for

from operators.attempts import Draft, first_accepted
from operators.proposal import NoOffspring

KNOWN = SMALL.replace("DEPTH = 2", "DEPTH = 3")


def draft(depth: str) -> Draft:
    return Draft(SMALL.replace("DEPTH = 2", f"DEPTH = {depth}"), f"depth {depth}")


def test_a_step_aside_is_taken_from_what_exists() -> None:
    request = request_for(SMALL, gate=gate_knowing(SMALL, KNOWN))
    drawn, aside = [], []

    def draw() -> Draft:
        drawn.append("draw")
        return draft("3")

    def step_aside(known: Draft) -> Draft:
        aside.append(known.idea)
        return draft("2" if len(aside) == 1 else "4")

    assert first_accepted(request, "any", draw, step_aside=step_aside).idea == "depth 4"
    assert (drawn, aside) == (["draw"], ["depth 3", "depth 2"])


def test_what_breaks_the_contract_is_drawn_anew() -> None:
    request = request_for(SMALL, gate=gate_knowing(SMALL, KNOWN))
    broken = Draft(SMALL.replace("def train(model, task)", "def train()"), "broken")
    draws = iter([broken, draft("5")])
    assert first_accepted(request, "any", lambda: next(draws), step_aside=lambda _: draft("6")).idea == "depth 5"


def test_steps_that_break_the_contract_begin_at_what_exists_again() -> None:
    request = request_for(SMALL, gate=gate_knowing(SMALL, KNOWN))
    begun: list[str] = []
    steps: Iterator[Draft] = iter([Draft("WIDTH = (", "unreadable"), draft("7")])

    def step_aside(known: Draft) -> Draft:
        begun.append(known.idea)
        return next(steps)

    assert first_accepted(request, "any", lambda: draft("3"), step_aside=step_aside).idea == "depth 7"
    assert begun == ["depth 3", "depth 3"]


def test_the_attempts_are_limited() -> None:
    request = request_for(SMALL, gate=gate_knowing(SMALL, KNOWN))
    with pytest.raises(NoOffspring, match="none of 3 attempts was accepted") as nothing:
        first_accepted(request, "any", lambda: draft("3"), 3, step_aside=lambda known: known)
    assert nothing.value.source == draft("3").source

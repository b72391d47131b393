"""Offspring that nearly repeat a relative that came out worse."""

from __future__ import annotations

import pytest
from operator_requests import SMALL

from operators.gate import SourceGate, language_model_contract
from operators.proposal import Refused
from operators.repeats import Repeats

TRIED = SMALL.replace("4 * width", "2 * width + 8")
AGAIN = TRIED.replace("2 * width + 8", "2 * width + 16")


@pytest.fixture
def repeats() -> Repeats:
    return Repeats({5: TRIED, 6: SMALL.replace("LayerNorm", "RMSNorm")}, 0.9)


def test_nearly_the_same_code_is_a_repetition(repeats: Repeats) -> None:
    assert repeats.of(AGAIN) == 5
    assert repeats.of("print('quite another program')\n") is None


def test_other_constants_in_the_same_code_are_none(repeats: Repeats) -> None:
    assert Repeats({5: TRIED}, 0.9).of(TRIED.replace("LR = 3e-4", "LR = 1e-4")) is None
    assert Repeats({5: TRIED}, 0.9).of(AGAIN.replace("LR = 3e-4", "LR = 1e-4")) == 5


def test_the_threshold_decides() -> None:
    assert Repeats({5: TRIED}, 1.0).of(AGAIN) is None
    assert Repeats({5: TRIED}, 0.01).of(AGAIN) == 5
    assert Repeats({}, 0.01).of(AGAIN) is None


def test_the_gate_names_whom_it_repeats(repeats: Repeats) -> None:
    gate = SourceGate(language_model_contract, lambda _: None).knowing(lambda _: None, repeats.of)
    with pytest.raises(Refused, match="nearly the same code as individual 5, which came out worse") as refused:
        gate.check(AGAIN)
    assert refused.value.kind == "near_duplicate"
    gate.check(SMALL + "\n".join(f"print('something else', {number})" for number in range(100)) + "\n")

"""Operators leave protected code alone of themselves: the gate has nothing to refuse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from operator_requests import proposed, request_for

from operators.crossover.uniform import UniformCrossover
from operators.mutation.constants import ConstantMutation
from operators.mutation.mixed import RandomMutation
from operators.mutation.structure import StructureMutation
from operators.proposal import NoOffspring, Operator
from operators.protection import Protection
from operators.source.constants import find_constants
from operators.tuning.tuning import Method, Tuning
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES

SOURCE = """
import math

TIME_BUDGET = 4.0
EVAL_BATCHES = 8
RATE = 0.25
WIDTH = 32


def evaluate(weights):
    total = 0.0
    for batch in range(EVAL_BATCHES):
        total = total + math.exp(-weights / (batch + 2)) * 0.5
    return total / EVAL_BATCHES


def train(rate, steps=100):
    weight = 0.5
    for step in range(steps):
        weight = weight + rate * (1.0 - step / steps) * 0.125
        weight = min(weight, 3.0)
    return weight


val_loss = evaluate(train(RATE * WIDTH))
print(f"val_loss: {val_loss:.4f}")
"""
PROTECTION = Protection(SOURCE, ["train.py"], ["TIME_BUDGET", "EVAL_BATCHES", "evaluate", "val_loss", "print val_loss"])


class Watching:
    """A gate that lets everything pass and keeps what it would have refused."""

    def __init__(self) -> None:
        self.violations: list[str | None] = []

    def check(self, source: str) -> None:
        self.violations.append(PROTECTION.violation(source))


def children(operator: Operator, *sources: str, seeds: int = 30) -> list[str]:
    gate = Watching()
    found = []
    for seed in range(seeds):
        request = replace(request_for(*sources, seed=seed, gate=gate), protection=PROTECTION)
        found.append(proposed(operator, request).source)
    assert gate.violations
    assert set(gate.violations) == {None}
    return found


@pytest.mark.parametrize(
    "operator", [ConstantMutation(), StructureMutation(), RandomMutation()], ids=lambda one: one.name
)
def test_mutation_changes_only_what_may_evolve(operator: Operator) -> None:
    assert len(set(children(operator, SOURCE))) > 5


def test_tuning_searches_only_what_may_evolve() -> None:
    tuning = Tuning(LANGUAGE_MODEL_OBJECTIVES["val_bpb"], Method.RANDOM)
    values = [find_constants(one) for one in children(tuning, SOURCE, seeds=5)]
    assert len({one["RATE"].value for one in values}) > 1
    assert {one["TIME_BUDGET"].value for one in values} == {4.0}


def test_crossover_takes_only_what_may_evolve() -> None:
    other = SOURCE.replace("RATE = 0.25", "RATE = 0.5").replace("0.125", "0.5").replace("batches", "")
    commented = other.replace("    total = 0.0", "    total = 0.0  # a comment").replace("= 8", "= 8  # range: 1 to 9")
    assert len(set(children(UniformCrossover(), SOURCE, commented, seeds=10))) > 1


def test_where_everything_is_protected_there_is_no_offspring() -> None:
    source = "RATE = 0.5\nprint('val_loss:', RATE)\n"
    request = request_for(source, gate=Watching())
    whole = replace(request, protection=Protection(source, ["a.py"], ["RATE", "print val_loss"]))
    with pytest.raises(NoOffspring, match="no top-level"):
        proposed(ConstantMutation(), whole)

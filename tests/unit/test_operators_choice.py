from __future__ import annotations

import random
from collections import Counter

import pytest

from operators import ConstantMutation, MergeCrossover, OperatorChoice, RandomMutation, StructureMutation
from trainer.errors import ConfigError


def picks(choice: OperatorChoice, available_parents: int, draws: int = 300) -> Counter[str]:
    rng = random.Random(3)
    return Counter(choice.pick(rng, available_parents).name for _ in range(draws))


def test_weights_set_the_odds() -> None:
    counts = picks(OperatorChoice([(ConstantMutation(), 3.0), (StructureMutation(), 1.0)]), 1)
    assert 180 < counts["constants"] < 270


def test_crossover_only_with_two_parents() -> None:
    choice = OperatorChoice([(RandomMutation(), 1.0), (MergeCrossover(), 1.0)])
    assert set(picks(choice, 1)) == {"random"}
    assert set(picks(choice, 2)) == {"random", "merge"}


def test_same_seed_same_choice() -> None:
    choice = OperatorChoice([(RandomMutation(), 1.0), (MergeCrossover(), 1.0)])
    assert picks(choice, 2) == picks(choice, 2)


@pytest.mark.parametrize("weight", [0.0, -1.0, float("nan"), float("inf")])
def test_weights_must_be_positive(weight: float) -> None:
    with pytest.raises(ConfigError, match="weight of operator random"):
        OperatorChoice([(RandomMutation(), weight)])


def test_a_run_cannot_begin_with_crossover_alone() -> None:
    with pytest.raises(ConfigError, match=r"at least one operator must work on a single parent.*merge"):
        OperatorChoice([(MergeCrossover(), 1.0)])

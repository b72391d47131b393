from __future__ import annotations

import random
from collections import Counter

import pytest

from operators.choice import AdaptiveChoice, OperatorChoice
from operators.crossover.merge import MergeCrossover
from operators.mutation.constants import ConstantMutation
from operators.mutation.mixed import RandomMutation
from operators.mutation.structure import StructureMutation
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


def adaptive(*results: tuple[str, bool, float]) -> AdaptiveChoice:
    choice = AdaptiveChoice([(ConstantMutation(), 1.0), (StructureMutation(), 1.0)])
    for name, improved, cost in results:
        choice.tell(name, improved=improved, cost=cost)
    return choice


def test_whoever_improves_is_drawn_more_often_and_nobody_never() -> None:
    results = [("constants", number % 3 == 0, 60.0) for number in range(60)]
    results += [("structure", False, 60.0) for _ in range(60)]
    counts = picks(adaptive(*results), 1)
    assert counts["constants"] > 4 * counts["structure"]
    assert counts["structure"] > 0.1 * counts.total()


def test_equal_improvements_are_weighed_by_their_cost() -> None:
    costs = {"constants": 60.0, "structure": 240.0}
    results = [(name, number % 4 == 0, cost) for number in range(80) for name, cost in costs.items()]
    counts = picks(adaptive(*results), 1)
    assert counts["constants"] > 2 * counts["structure"]


def test_where_nobody_improves_the_weights_still_count() -> None:
    choice = AdaptiveChoice([(ConstantMutation(), 9.0), (StructureMutation(), 1.0)])
    for _ in range(100):
        choice.tell("constants", improved=False, cost=60.0)
        choice.tell("structure", improved=False, cost=60.0)
    counts = picks(choice, 1)
    assert counts["constants"] > 4 * counts["structure"] > 0


def test_what_was_long_ago_is_forgotten() -> None:
    past = [("structure", True, 60.0)] * 50 + [("constants", False, 60.0)] * 50
    present = [("structure", False, 60.0)] * 200 + [("constants", True, 60.0)] * 200
    counts = picks(adaptive(*past, *present), 1)
    assert counts["constants"] > 4 * counts["structure"]


def test_equal_results_lead_to_equal_draws() -> None:
    results = [("constants", number % 5 == 0, 60.0) for number in range(30)] + [("gone", True, 1.0)]
    assert picks(adaptive(*results), 1) == picks(adaptive(*results), 1)
    choice = AdaptiveChoice([(ConstantMutation(), 1.0), (MergeCrossover(), 1.0)])
    assert picks(choice, 1) == {"constants": sum(picks(choice, 1).values())}

"""What failures teach about constants."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from operators.source.constants import Value, find_constants
from operators.source.feasibility import Feasibility
from operators.source.search_space import point_of, search_space

SOURCE = """WIDTH = 384
HEADS = 6
BATCH = 32
LR = 1e-3
ACT = "relu"  # one of: relu, gelu, silu
"""


def judged(
    evaluations: Sequence[tuple[Mapping[str, Value], bool]], asked: Mapping[str, Value], source: str = ""
) -> float:
    """Return how often a setting is thought to work, after evaluations of others: changes of `SOURCE`."""
    constants = find_constants(SOURCE)
    own = {name: one.value for name, one in constants.items()}
    space = search_space(constants.values())
    feasibility = Feasibility.of(
        space, [({}, True), *((own | change, worked) for change, worked in evaluations)], source
    )
    point = point_of(space, own | asked)
    assert point is not None
    return sum(feasibility.sampled(random.Random(seed))(point) for seed in range(400)) / 400


def test_what_lies_beyond_a_failure_fails_too_and_what_lies_before_it_does_not() -> None:
    one = [({}, True), ({"LR": 1e-2}, False)]
    assert judged(one, {"LR": 2e-2}) < 0.5
    assert judged(one, {"LR": 5e-3}) == 1.0
    assert judged(one, {"LR": 1e-4}) == 1.0
    again = [*one, ({"LR": 3e-2}, False), ({"LR": 2e-2}, False)]
    assert judged(again, {"LR": 4e-2}) < judged(one, {"LR": 4e-2})


def test_a_success_refutes_a_bound() -> None:
    assert judged([({}, True), ({"LR": 1e-2}, False), ({"LR": 2e-2}, True)], {"LR": 3e-2}) == 1.0


def test_sizes_that_do_not_divide_are_avoided() -> None:
    failures = [({"HEADS": heads}, False) for heads in (5, 7, 9)]
    successes = [({}, True), ({"HEADS": 12}, True), ({"HEADS": 4}, True), ({"WIDTH": 768}, True)]
    assert judged(failures + successes, {"HEADS": 10}) < 0.3
    assert judged(failures + successes, {"HEADS": 8}) > 0.9


def test_a_size_that_must_be_a_power_of_two() -> None:
    evaluations = [({}, True), ({"BATCH": 48}, False), ({"BATCH": 24}, False), ({"BATCH": 128}, True)]
    assert judged(evaluations, {"BATCH": 96}) < 0.4
    assert judged(evaluations, {"BATCH": 64}) == 1.0


def test_what_a_source_asserts_is_believed_before_anything_fails() -> None:
    source = SOURCE + "assert WIDTH % HEADS == 0\n"
    assert judged([({}, True)], {"HEADS": 7}, source) < 0.1
    assert judged([({}, True)], {"HEADS": 8}, source) == 1.0
    assert judged([({}, True), ({"HEADS": 5}, True)], {"HEADS": 7}, source) == 1.0  # it was no assertion


def test_a_choice_that_failed_is_doubted() -> None:
    assert judged([({}, True), ({"ACT": "silu"}, False)], {"ACT": "silu", "LR": 2e-3}) < 0.5
    assert judged([({}, True), ({"ACT": "silu"}, False)], {"ACT": "gelu"}) == 1.0


def test_one_cause_of_many_failures_takes_the_blame_from_others() -> None:
    evaluations = [({}, True)] + [
        ({"LR": rate, "BATCH": batch}, False) for rate, batch in ((0.1, 64), (0.2, 32), (0.3, 16))
    ]
    assert judged(evaluations, {"BATCH": 64}) > 2 * judged(evaluations, {"LR": 0.2})

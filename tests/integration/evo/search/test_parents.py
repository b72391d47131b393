"""Whose offspring are evaluated: of survivors, of the best alone, of generation 0 alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, Numbering, configuration, opened

from evo.config.reading import parse_config
from operators.choice import OperatorChoice
from operators.crossover.merge import MergeCrossover
from operators.mutation.constants import ConstantMutation
from operators.tuning.tuning import Method, Tuning
from trainer.objectives import LANGUAGE_MODEL_OBJECTIVES


def test_independent_samples_descend_from_generation_0_and_know_of_nobody(tmp_path: Path) -> None:
    operator = Numbering(looks=True)
    config = configuration(4, 5, parents="generation_zero")
    choice = OperatorChoice([(operator, 1.0), (MergeCrossover(), 50.0)])
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME), choice) as (search, store):
        asyncio.run(search.run())
        assert {one.parents for one in store.individuals() if one.id} == {(0,)}
        assert search.standings.best() is not None
    assert len(operator.known) == len(operator.requests) > 10
    assert not any(one.relatives or one.inspirations or one.best for one in operator.known)
    assert operator.known[-1].generation_zero


def test_constants_can_be_tuned_alone(tmp_path: Path) -> None:
    operator = Tuning(LANGUAGE_MODEL_OBJECTIVES["val_bpb"], Method.TPE)
    config = configuration(4, 5, parents="generation_zero")
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME), operator) as (search, store):
        assert asyncio.run(search.run()).stop_reason == "complete"
        assert {one.operator for one in store.individuals() if one.id} == {"tuning"}


def test_a_population_of_one_varies_the_best_one_at_a_time(tmp_path: Path) -> None:
    config = parse_config(
        {
            "search": {"pop": 1, "gens": 24, "schedule": "generational"},
            "noise": {"baseline_replicates": 1, "leaders": 0, "confirm_fraction": 0.0},
        }
    )
    evaluator = PacedEvaluator(GENOME, slots=3)
    with opened(tmp_path / "run", config, evaluator, ConstantMutation()) as (search, store):
        assert asyncio.run(search.run()).stop_reason == "complete"
        best, value = 0, None
        for outcome in store.outcomes():
            record = store.individual(outcome.individual)
            if outcome.result_number > 2:  # the first offspring is made while generation 0 is being measured
                assert store.proposal(record.id).result_number == outcome.result_number - 1
                assert record.parents == (best,)
            found = outcome.objectives.get("val_bpb")
            if found is not None and (value is None or found < value):
                best, value = record.id, found
    assert best != 0


class Crossing(Numbering):
    """Numbers the first of two parents, as one of several models would."""

    arity = 2

    def __init__(self, model: str) -> None:
        super().__init__()
        self.name = f"crossing:{model}"


@pytest.mark.parametrize("pairs", ["unrelated", "fresh", "any"])
def test_a_crossover_is_asked_for_once_and_never_of_an_individual_and_its_ancestor(tmp_path: Path, pairs: str) -> None:
    config = parse_config({"search": {"pop": 4, "gens": 10}, "operators": {"crossover_pairs": pairs}}, "test")
    crossings = [Crossing("a"), Crossing("b")]
    choice = OperatorChoice([(Numbering(), 1.0), *((crossing, 1.5) for crossing in crossings)])
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME), choice) as (search, store):
        asyncio.run(search.run())
        parents = {one.id: set(one.parents) for one in store.individuals()}
    crossed = [tuple(one.id for one in request.parents) for asked in crossings for request in asked.requests]
    kin = [pair for pair in map(sorted, crossed) if pair[0] in ancestors(pair[1], parents)]
    with_children = [(older, younger) for older, younger in kin if older in parents[younger]]
    repeated = len(crossed) - len({frozenset(pair) for pair in crossed})
    assert len(crossed) >= 5
    assert not kin or pairs != "unrelated"
    assert (bool(with_children), bool(repeated)) == (pairs == "any", pairs == "any")


def ancestors(individual: int, parents: dict[int, set[int]]) -> set[int]:
    """Return all from which an individual descends."""
    return parents[individual].union(*(ancestors(parent, parents) for parent in parents[individual]))

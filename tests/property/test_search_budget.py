"""A search spends its budget to the last evaluation that fits, and never more."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from paced_evaluator import FailingOffspring, PacedEvaluator
from property_cases import cases
from run_inspection import assert_no_error
from searches import GENOME, Numbering, configuration, opened

from evo.config.config import Config
from evo.search.stopping import StopReason
from evo.standings.plan import make_plan
from evo.store import Purpose, Store

CONFIGURATIONS = st.builds(
    configuration,
    pop=st.integers(2, 6),
    gens=st.integers(1, 6),
    noise=st.fixed_dictionaries(
        {"baseline_replicates": st.integers(1, 5), "confirm_fraction": st.sampled_from([0.0, 0.06, 0.3, 0.95])}
    ),
    schedule=st.sampled_from(["asynchronous", "generational"]),
    fidelity=st.builds(
        lambda rungs, promote: {"rungs": rungs, "promote": promote, "calibrate": 8},
        st.sampled_from([(), (), (0.25, 1.0), (0.1, 0.3, 1.0)]),
        st.floats(0.1, 0.9),
    ),
    objectives=st.sampled_from([("val_bpb",), ("tokens_per_second",), ("val_bpb", "tokens_per_second")]),
)
EVALUATORS = st.builds(
    lambda kind, slots, one_in, turns: kind(GENOME, slots, one_in, turns=turns),
    st.sampled_from([PacedEvaluator, FailingOffspring]),
    slots=st.integers(1, 5),
    one_in=st.integers(2, 20),
    turns=st.integers(0, 4),
)
OPERATORS = st.builds(Numbering, one_in=st.integers(2, 9))


def purposes(store: Store) -> Counter[Purpose]:
    return Counter(outcome.purpose for outcome in store.outcomes())


def assert_spent(config: Config, store: Store) -> None:
    results = list(store.outcomes())
    assert [outcome.result_number for outcome in results] == list(range(1, len(results) + 1))
    assert config.search.evaluations - 1 < round(store.spent(), 6) <= config.search.evaluations
    assert config.fidelity.rungs or len(results) == config.search.evaluations
    assert store.queued() == store.running() == store.open_proposals() == []


@cases(25)
@given(CONFIGURATIONS, EVALUATORS, OPERATORS, st.integers(0, 3))
@example(  # the smaller budget leaves generation 0 with fewer replicates than the larger one counts on
    configuration(pop=2, gens=3, noise={"baseline_replicates": 2, "confirm_fraction": 0.3}),
    PacedEvaluator(GENOME, 1, 2),
    Numbering(one_in=2),
    3,
)
def test_the_budget_is_spent_exactly(
    config: Config, evaluator: PacedEvaluator, operator: Numbering, more_gens: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        with opened(path, config, evaluator, operator) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            assert_spent(config, store)
            found = purposes(store)
            assert found[Purpose.BASELINE] == make_plan(config).baseline
            assert found[Purpose.CONFIRM] <= make_plan(config).confirmations
        larger = config.model_copy(
            update={"search": config.search.model_copy(update={"gens": config.search.gens + more_gens})}
        )
        with opened(path, larger, PacedEvaluator(GENOME, 2), operator) as (search, store):
            assert asyncio.run(search.run()).stop_reason is StopReason.COMPLETE
            assert_spent(larger, store)
        assert_no_error(path)

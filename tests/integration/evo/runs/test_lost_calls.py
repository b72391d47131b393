"""What a killed driver left without a reply is counted when the run goes on."""

from __future__ import annotations

from pathlib import Path

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, configuration, opened

from evo.runs.lost_calls import record_lost_calls

REQUEST = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": "x" * 30_000}]}


def test_the_prompt_of_a_call_that_a_kill_cut_off_is_paid_for(tmp_path: Path) -> None:
    config = configuration()
    with opened(tmp_path / "run", config, PacedEvaluator(GENOME)) as (_, store):
        for number, operator in enumerate(("llm_mutation:careful", "llm_agent", "random"), start=1):
            store.begin_proposal(number, operator, (0,), 0)
            if operator != "random":
                store.journal(number).record_request(0, REQUEST)
        assert record_lost_calls(store, config) == 0, "no driver was killed"
        store.record_event("started", {})
        assert record_lost_calls(store, config) == 2
        spending = store.spending()
        assert (spending.calls, spending.abandoned_calls, spending.unpriced_calls) == (0, 2, 1)
        assert 10_000 <= spending.input_tokens < 11_000
        assert spending.cost_usd == pytest.approx(spending.input_tokens * 2e-6)
        store.record_event("stopped", {})
        assert record_lost_calls(store, config) == 0

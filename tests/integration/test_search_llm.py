"""Searches whose language model stops answering, or becomes too expensive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from messages_server import Behaviour, MessagesServer, model, scripted_model, silence, status
from paced_evaluator import PacedEvaluator
from searches import GENOME, opened, searched

from evo.assemble import build_operators
from evo.check import check_run
from evo.config import Config, parse_config
from evo.endings import Ending, Stopped
from evo.resolution import resolve
from evo.run_folder import RunFolder
from evo.store import Store

GOOD: Behaviour = model(scripted_model)


def configured(server: MessagesServer, **llm: Any) -> Config:
    data = {
        "search": {"pop": 3, "gens": 4},
        "operators": {"weights": {"llm_mutation": 1.0}},
        "llm": {"base_url": server.url, "max_tokens": 8192, **llm},
    }
    return resolve(parse_config(data, "test"), {})


def search(path: Path, config: Config, spent_usd: float = 0.0) -> Stopped:
    return searched(path, config, PacedEvaluator(GENOME), build_operators(config, spent_usd))


def complete(path: Path) -> None:
    with MessagesServer() as server:
        assert search(path, configured(server)).ending is Ending.COMPLETE
    assert check_run(path) == []


def assert_everything_proposed_was_evaluated(path: Path) -> None:
    assert check_run(path) == []
    with Store.read(RunFolder(path).store) as store:
        assert store.queued() == store.running() == []
        assert store.last_told() >= 3


def test_a_refused_key_stops_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, fallback=status(401)) as server:
        stopped = search(path, configured(server))
        assert stopped.ending is Ending.OPERATOR_UNAVAILABLE
        assert "Check the API key" in stopped.reason
        assert len(server.requests) < 12
    assert_everything_proposed_was_evaluated(path)
    complete(path)


def test_proposals_that_wait_for_a_refusing_service_are_abandoned(tmp_path: Path) -> None:
    path = tmp_path / "run"
    began = time.monotonic()
    with MessagesServer(GOOD, GOOD, silence(), fallback=status(401)) as server:
        assert search(path, configured(server)).ending is Ending.OPERATOR_UNAVAILABLE
    assert time.monotonic() - began < 20
    assert_everything_proposed_was_evaluated(path)
    with Store.read(RunFolder(path).store) as store:
        assert store.open_proposals()
    complete(path)


def test_an_outage_that_outlasts_patience(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, fallback=status(503)) as server:
        stopped = search(path, configured(server, patience_seconds=0.3))
        assert stopped.ending is Ending.OPERATOR_UNAVAILABLE
        assert "did not answer" in stopped.reason
    assert_everything_proposed_was_evaluated(path)
    complete(path)


def test_the_cost_limit_holds_over_a_resumed_run(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=model(scripted_model, output_tokens=8000)) as server:
        config = configured(server, max_cost_usd=0.5)
        stopped = search(path, config)
        assert stopped.ending is Ending.COST_LIMIT
        assert "--max-cost" in stopped.reason
        with opened(path, config, PacedEvaluator(GENOME)) as (_, store):
            spent = store.spending().cost_usd
            assert 0 < spent <= 0.5
        asked = len(server.requests)
        assert search(path, config, spent).ending is Ending.COST_LIMIT
        assert len(server.requests) == asked
    complete(path)

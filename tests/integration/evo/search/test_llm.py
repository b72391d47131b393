"""Searches whose language model stops answering, or becomes too expensive."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from paced_evaluator import PacedEvaluator
from searches import GENOME, opened, searched

from evo.config.config import Config
from evo.config.reading import overlaid, parse_config
from evo.config.resolution import resolve
from evo.runs.assemble import build_operators
from evo.runs.folder import RunFolder
from evo.runs.integrity import check_run
from evo.runs.lifecycle import view
from evo.runs.replay import replay_run
from evo.search.credit import read_arms
from evo.search.stopping import Stopped, StopReason
from evo.standings.outages import drawn_locally, read_outages
from evo.standings.summary import summarize
from evo.store import Store
from evo.workers import Slot
from operators.llm.rehearsal import (
    Behaviour,
    MessagesServer,
    Responder,
    model,
    reset_at_once,
    say,
    scripted_model,
    silence,
    status,
)
from trainer.evaluation import Evaluation, Job, Status

GOOD: Behaviour = model(scripted_model)


def configured(server: MessagesServer, weights: dict[str, float] | None = None, **llm: Any) -> Config:
    data = {
        "search": {"pop": 3, "gens": 4},
        "operators": {"weights": weights or {"llm_mutation": 1.0}},
        "llm": {"base_url": server.url, "max_tokens": 8192, **llm},
    }
    return resolve(parse_config(data, "test"), {})


def search(path: Path, config: Config, spent_usd: float = 0.0) -> Stopped:
    return searched(path, config, PacedEvaluator(GENOME), build_operators(config, spent_usd))


def complete(path: Path) -> None:
    with MessagesServer() as server:
        assert search(path, configured(server)).stop_reason is StopReason.COMPLETE
    assert check_run(path) == []


def assert_everything_proposed_was_evaluated(path: Path) -> None:
    assert check_run(path) == []
    with Store.read(RunFolder(path).store) as store:
        assert store.queued() == store.running() == []
        assert store.last_result_number() >= 3


def test_the_evidence_of_a_broken_rule_reaches_the_model(tmp_path: Path) -> None:
    evidence = (
        "causality: at position 29 of a probe the log-probability of the target moved by 4.2 nats, and that of some "
        "token by 8.6 (tolerance 0.086; 16 of 16 probes moved) when only later tokens changed"
    )

    class Rejecting(PacedEvaluator):
        async def verdict(self, slot: Slot, job: Job) -> Evaluation:
            if job.genome == GENOME:
                return await super().verdict(slot, job)
            return self._failed(job, Status.REJECTED, evidence)

    with MessagesServer() as server:
        config = configured(server)
        stopped = searched(tmp_path / "run", config, Rejecting(GENOME), build_operators(config, 0.0))
        assert stopped.stop_reason is StopReason.COMPLETE
        last = str(server.requests[-1].body["messages"])
    assert f"→ failed, “rejected: {evidence}”" in last


def test_a_refused_key_stops_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, fallback=status(401)) as server:
        stopped = search(path, configured(server))
        assert stopped.stop_reason is StopReason.OPERATOR_UNAVAILABLE
        assert "Check the API key" in stopped.reason
        assert len(server.requests) < 12
    assert_everything_proposed_was_evaluated(path)
    complete(path)


def test_a_call_in_flight_when_the_key_is_refused_is_answered_and_paid_for_once(tmp_path: Path) -> None:
    path = tmp_path / "run"
    refused = threading.Event()

    def refuse(responder: Responder) -> None:
        status(401)(responder)
        refused.set()

    def answer_late_and_uselessly(responder: Responder) -> None:
        refused.wait()
        say("I have no idea.")(responder)

    with MessagesServer(GOOD, GOOD, answer_late_and_uselessly, fallback=refuse) as server:
        assert search(path, configured(server)).stop_reason is StopReason.OPERATOR_UNAVAILABLE
    assert_everything_proposed_was_evaluated(path)
    with Store.read(RunFolder(path).store) as store:
        assert store.spending().calls == 3
        # Equal prompts get equal replies from the scripted model, so another proposal may be open for its duplicate.
        answered = {one.number: store.exchanges(one.number) for one in store.open_proposals()}
    (number,) = [number for number, exchanges in answered.items() if "I have no idea." in str(exchanges)]
    with MessagesServer() as server:
        assert search(path, configured(server)).stop_reason is StopReason.COMPLETE
        conversations = [received.body["messages"] for received in server.requests]
    with Store.read(RunFolder(path).store) as store:
        first, repair, *_ = (exchange.request["messages"] for exchange in store.exchanges(number))
        assert store.spending().calls == 3 + len(conversations)
    assert repair[: len(first)] == first
    assert "I have no idea." in str(repair[len(first) :])
    assert repair in conversations


def test_a_silent_call_is_waited_for_until_its_deadline_and_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, silence(), fallback=status(401)) as server:
        assert (
            search(path, configured(server, reply_deadline_seconds=0.5)).stop_reason is StopReason.OPERATOR_UNAVAILABLE
        )
        assert len(server.requests) < 12
    assert_everything_proposed_was_evaluated(path)
    with Store.read(RunFolder(path).store) as store:
        assert store.open_proposals()
    complete(path)


def test_a_call_that_waits_for_its_next_attempt_is_given_up_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run"
    another = threading.Event()

    def busy(responder: Responder) -> None:
        another.wait(60)  # with nothing else in flight, nothing would end the wait for the next attempt
        status(429, headers={"retry-after": "100"})(responder)

    def refuses(responder: Responder) -> None:
        another.set()
        status(401)(responder)

    began = time.monotonic()
    with MessagesServer(GOOD, GOOD, busy, fallback=refuses) as server:
        assert search(path, configured(server)).stop_reason is StopReason.OPERATOR_UNAVAILABLE
    assert time.monotonic() - began < 90
    assert_everything_proposed_was_evaluated(path)


def test_an_outage_that_outlasts_patience(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, fallback=status(503)) as server:
        stopped = search(path, configured(server, patience_seconds=0.3))
        assert stopped.stop_reason is StopReason.OPERATOR_UNAVAILABLE
        assert "did not answer" in stopped.reason
    assert_everything_proposed_was_evaluated(path)
    complete(path)


def test_the_cost_limit_holds_over_a_resumed_run(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=model(scripted_model, output_tokens=8000)) as server:
        config = configured(server, max_cost_usd=0.5)
        stopped = search(path, config)
        assert stopped.stop_reason is StopReason.COST_LIMIT
        assert "of the limit of $0.50" in stopped.reason
        with opened(path, config, PacedEvaluator(GENOME)) as (_, store):
            spent = store.spending().cost_usd
            assert 0 < spent <= 0.5
        asked = len(server.requests)
        assert search(path, config, spent).stop_reason is StopReason.COST_LIMIT
        assert len(server.requests) == asked
    complete(path)


BESIDE_OTHERS = {"llm_mutation": 9.0, "random": 1.0}


@pytest.mark.parametrize("fault", [status(401), status(503), reset_at_once()], ids=["bad key", "outage", "no server"])
def test_other_operators_stand_in_for_a_model_that_is_away(fault: Behaviour, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(GOOD, GOOD, fallback=fault) as server:
        config = configured(server, BESIDE_OTHERS, patience_seconds=0.3)
        assert search(path, config).stop_reason is StopReason.COMPLETE
        assert len(server.requests) < 25
    assert check_run(path) == []
    assert replay_run(path).difference is None
    with Store.read(RunFolder(path).store) as store:
        outages = read_outages(store)
        assert (outages.count, outages.is_open) == (1, False)
        assert "other operators stood in" in str(outages)
        made = [store.proposal(number) for number in sorted(drawn_locally(store))]
        assert made
        assert {proposal.operator for proposal in made} == {"random"}
        assert "unavailable" in {proposal.kind for proposal in store.proposals()}


def test_a_model_that_cannot_keep_to_the_form_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=say("I would raise the learning rate.")) as server:
        stopped = search(path, configured(server, patience_seconds=0.3))
        assert 20 <= len(server.requests) < 40
    assert stopped.stop_reason is StopReason.OPERATOR_UNAVAILABLE
    assert "20 replies in a row that hold no readable change" in stopped.reason


@pytest.mark.parametrize(("parallel", "most"), [(2, 2), (None, 10)])
def test_calls_in_flight_are_bounded(parallel: int | None, most: int, tmp_path: Path) -> None:
    lock = threading.Lock()
    in_flight: list[int] = [0]
    counts: list[int] = []

    def count(responder: Responder) -> None:
        with lock:
            in_flight[0] += 1
            counts.append(in_flight[0])
        model(scripted_model, 0.05)(responder)
        with lock:
            in_flight[0] -= 1

    with MessagesServer(fallback=count) as server:
        settings = {} if parallel is None else {"parallel": parallel}
        assert search(tmp_path / "run", configured(server, **settings)).stop_reason is StopReason.COMPLETE
    assert max(counts) <= most


@pytest.mark.parametrize("is_adaptive", [False, True])
def test_a_model_answers_in_the_place_of_another_and_the_run_says_so(is_adaptive: bool, tmp_path: Path) -> None:
    path = tmp_path / "run"
    with MessagesServer(fallback=status(503)) as broken, MessagesServer() as server:
        models = [
            {"name": "claude-opus-5-5", "base_url": broken.url, "weight": 4.0},
            {"name": "claude-haiku-5-5", "base_url": server.url},
        ]
        config = configured(server, BESIDE_OTHERS, models=models, patience_seconds=0.3)
        config = overlaid(config, {"operators": {"adaptive": is_adaptive}})
        assert search(path, resolve(config, {})).stop_reason is StopReason.COMPLETE
        assert {received.body["model"] for received in server.requests} == {"claude-haiku-5-5"}
    assert check_run(path) == []
    replay = replay_run(path)
    assert replay.difference is None
    assert replay.individuals > 3
    with view(path) as viewed:
        summary = summarize(viewed.config, viewed.store, viewed.standings)
        (stand_ins,) = summary.stand_ins
        assert (stand_ins.model, [*stand_ins.by]) == ("claude-opus-5-5", ["claude-haiku-5-5"])
        assert "503" in str(stand_ins)
        assert not summary.outages.count, "the run always had a model"
        assert [*summary.spending_by_model] == ["claude-haiku-5-5"]
        assert summary.spending_by_model["claude-haiku-5-5"].cost_usd == pytest.approx(summary.spending.cost_usd)
        arms = read_arms(viewed.store)
        asked_first = {name for name in arms if name.startswith("llm_mutation") and arms[name]["tries"]}
        assert all(name.endswith("claude-haiku-5-5") for name in asked_first)
        assert bool(asked_first) is is_adaptive

"""Operators on a language model against a real HTTP server that misbehaves in every known way."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import random
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from llm_requests import BLOCK, CHANGED, CONDITIONS, GOOD, PROGRAM, FileJournal, Scene, Waits, request_for

from operators.errors import CostLimitReached, OperatorUnavailable
from operators.llm import LanguageModel, LLMSettings, SpendLimit
from operators.llm.rehearsal import (
    Behaviour,
    MessagesServer,
    bad_json,
    drip,
    early_end,
    error_event,
    html,
    model,
    reset_at_once,
    reset_midway,
    say,
    scripted_model,
    silence,
    spend_limit,
    status,
)
from operators.mutation.constants import ConstantMutation
from operators.proposal import NoOffspring, Proposal
from operators.source.constants import Range, find_constants
from trainer.errors import ConfigError


def scene(server: MessagesServer, **changes: object) -> Scene:
    return Scene(LLMSettings(base_url=server.url, **{"patience_seconds": 400.0, **changes}))


# Faults 47-51, 56-58, 72, 73: the service or the line to it fails, and recovers.
PASSING = {
    "47 rate limit": status(429, headers={"retry-after": "3"}),
    "48 Retry-After huge": status(429, headers={"retry-after": "86400"}),
    "48 Retry-After negative": status(429, headers={"retry-after": "-5"}),
    "48 Retry-After garbage": status(429, headers={"retry-after": "soon"}),
    "48 Retry-After NaN": status(429, headers={"retry-after": "nan"}),
    "48 Retry-After infinite": status(503, headers={"retry-after": "inf"}),
    "50 overloaded": status(529),
    "51 internal error": status(500),
    "51 bad gateway": status(502),
    "51 unavailable": status(503),
    "51 gateway timeout": status(504),
    "request timeout": status(408),
    "conflict": status(409),
    "56 early end": early_end(),
    "57 reset at once": reset_at_once(),
    "57 reset midway": reset_midway(),
    "58 error event": error_event(),
    "58 error event of unknown type": error_event("novel_error"),
    "72 HTML with status 200": html(),
    "73 bad JSON": bad_json(),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_faults_that_pass_are_waited_out(fault: Behaviour, tmp_path: Path) -> None:
    with MessagesServer(fault, fault, say(GOOD)) as server:
        stage = scene(server)
        [proposal] = stage.propose(request_for(FileJournal(tmp_path)))

    assert proposal == Proposal(CHANGED, "llm_mutation:careful", "a higher rate learns faster.")
    assert len(server.requests) == 3
    assert len(stage.waits.seconds) == 2
    assert all(0 < wait <= 132 for wait in stage.waits.seconds)


@pytest.mark.parametrize("fault", [silence(), drip()], ids=["54 silence", "55 drip feed"])
def test_a_reply_that_never_ends_is_cut_at_the_deadline(fault: Behaviour, tmp_path: Path) -> None:
    with MessagesServer(fault, fallback=say(GOOD)) as server:
        stage = scene(server, reply_deadline_seconds=0.4)
        [proposal] = stage.propose(request_for(FileJournal(tmp_path)))

    assert proposal.source == CHANGED
    assert stage.waits.seconds


def test_retry_after_is_honoured(tmp_path: Path) -> None:
    with MessagesServer(status(429, headers={"retry-after": "30"}), say(GOOD)) as server:
        stage = scene(server)
        stage.propose(request_for(FileJournal(tmp_path)))

    assert 30 <= stage.waits.seconds[0] < 31


# Faults 49, 52, 75: nothing but a person helps, so the search stops at once and says what to do.
STOPPING = {
    "49 spend limit": (spend_limit(), "Raise the spend limit"),
    "49 spend limit of a contract": (status(429, error_code="contract_spend_limit_reached"), "Raise the spend limit"),
    "52 bad key": (status(401), "Check the API key"),
    "52 billing": (status(402), "billing"),
    "52 permission": (status(403), "may use this model"),
    "52 not found": (status(404), "base URL"),
    "75 retired model": (status(404, "model: claude-old"), "retired.*--model"),
    "52 bad key, told in the stream": (error_event("authentication_error"), "Check the API key"),
}


@pytest.mark.parametrize(("fault", "advice"), STOPPING.values(), ids=STOPPING.keys())
def test_faults_that_do_not_pass_stop_the_search(fault: Behaviour, advice: str, tmp_path: Path) -> None:
    with MessagesServer(fault) as server:
        stage = scene(server)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, OperatorUnavailable)
    assert re.search(f"claude-sonnet-5-5 at {server.url}.*{advice}.*evo resume RUN", str(error))
    assert len(server.requests) == 1
    assert stage.waits.seconds == []


# Faults 53, 60, 61, 69: this prompt has no answer, the next may.
HOPELESS = {
    "53 too large": (status(413), "did not accept the prompt.*413"),
    "53 context exceeded": (say(GOOD, stop_reason="model_context_window_exceeded"), "context window"),
    "53 bad request": (status(400, "prompt is too long"), "prompt is too long"),
    "unprocessable": (status(422), "422"),
    "60 refusal, empty": (
        say(stop_reason="refusal", stop_details={"type": "refusal", "category": "frontier_llm", "explanation": "no"}),
        r"refused \(frontier_llm\): no",
    ),
    "61 refusal, partial": (say(GOOD, stop_reason="refusal"), r"refused \(no category\)"),
    "69 5 MB in small pieces": (say("a" * 5_000_000, chunk_characters=20_000), "longer than any program"),
    "69 5 MB at once": (say("a" * 5_000_000, chunk_characters=5_000_000), "longer than any program"),
}


@pytest.mark.parametrize(("fault", "reason"), HOPELESS.values(), ids=HOPELESS.keys())
def test_faults_of_one_prompt_cost_one_proposal(fault: Behaviour, reason: str, tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(fault) as server:
        stage = scene(server)
        [error] = stage.propose(request_for(journal))

    assert isinstance(error, NoOffspring)
    assert re.search(reason, str(error))
    assert len(server.requests) == 1
    assert all(one.output_tokens <= stage.settings.max_tokens for one in journal.exchanges)


# Faults 59, 62-68: the model slipped; it is told how, and sends the reply again.
OTHER = BLOCK.replace("0.02", "0.03")
SLIPS = {
    "59 cut off": (say(GOOD[:60], stop_reason="max_tokens"), "cut off"),
    "62 paused": (say(GOOD, stop_reason="pause_turn"), "paused"),
    "63 no content": (say(), "no text"),
    "64 thinking only": (say(thinking="Let me see."), "only: thinking"),
    "59 cut off, as others call it": (say(GOOD[:60], stop_reason="length"), "cut off"),
    "tool use": (say(thinking="Let me read it.", stop_reason="tool_use"), "no tools"),
    "65 prose": (say("I would raise the learning rate."), "holds no change"),
    "66 two code blocks": (say(f"```python\n{CHANGED}```\nor\n```python\n{CHANGED}x = 1\n```\n"), "2 code blocks"),
    "67 SEARCH not found": (say(BLOCK.replace("0.01", "0.5")), r"not in the program.*6 \| LEARNING_RATE = 0.01"),
    "67 empty SEARCH": (
        say("<<<<<<< SEARCH\n\n=======\nx = 1\n>>>>>>> REPLACE\n<<<<<<< SEARCH\n"),
        "empty SEARCH",
    ),
    "68 no-op": (say(BLOCK.replace("0.02", "0.01")), "changes nothing"),
    "68 duplicate": (say(BLOCK.replace("0.02", "0.01").replace("AdamW\n>", "AdamW.\n>")), "same program as individual"),
    "does not parse": (say(BLOCK.replace("0.02", "(")), "'\\(' was never closed"),
    "snippet": (say("```python\nx = 1\n```"), "not the whole program"),
    "breaks the contract": (say(f"```python\n{CHANGED.replace('build_model', 'make')}```"), "build_model"),
}


@pytest.mark.parametrize(("fault", "reason"), SLIPS.values(), ids=SLIPS.keys())
def test_slips_of_the_model_are_repaired(fault: Behaviour, reason: str, tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(fault, say(GOOD)) as server:
        [proposal] = scene(server).propose(request_for(journal))

    assert proposal == Proposal(CHANGED, "llm_mutation:careful", "a higher rate learns faster.")
    first, second = (received.body["messages"] for received in server.requests)
    assert second[0] == first[0]
    assert [message["role"] for message in second] == ["user", "assistant", "user"]
    assert second[1]["content"].strip()
    assert re.search(reason, second[2]["content"], re.DOTALL)
    assert len(journal.exchanges) == 2, "the reply that could not be used is paid for, and recorded"
    assert all(exchange.cost_usd for exchange in journal.exchanges)


def test_repairs_end_after_three(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(fallback=say("I would rather not.")) as server:
        [error] = scene(server).propose(request_for(journal))

    assert isinstance(error, NoOffspring)
    assert "No usable reply in 4 attempts" in str(error)
    assert len(server.requests) == len(journal.exchanges) == 4


# Faults 70, 71: characters that break encoders or hide what code does.
@pytest.mark.parametrize("dirt", ["\ud800", "\x00", "\u202e", "\ufeff", "\x1b[31m"], ids=ascii)
def test_dirty_characters_do_no_harm(dirt: str, tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(say(dirt + GOOD.replace("rate", dirt + "rate").replace("\n", "\r\n"))) as server:
        [proposal] = scene(server).propose(request_for(journal))

    assert proposal.source == CHANGED
    assert proposal.idea.replace("\N{REPLACEMENT CHARACTER}", "") == "a higher rate learns faster."
    assert dirt not in (tmp_path / "0.exchange.json").read_text(encoding="utf-8")


# Fault 76, and money in general.
def test_the_money_limit_stops_before_it_is_passed(tmp_path: Path) -> None:
    with MessagesServer(fallback=say("Hm.", output_tokens=20_000)) as server:
        stage = scene(server, max_cost_usd=0.5)
        stage.spend_limit = SpendLimit(0.5)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, CostLimitReached)
    assert "a higher limit is needed" in str(error)
    assert 0 < stage.spend_limit.spent_usd <= 0.5
    assert len(server.requests) == 2, "a third reply of this kind would pass the limit"


def test_concurrent_calls_share_the_limit_and_wait_for_each_other(tmp_path: Path) -> None:
    with MessagesServer(fallback=model(scripted_model, input_tokens=1_000)) as server:
        stage = scene(server)
        stage.spend_limit = SpendLimit(
            0.25
        )  # room for one call at its largest cost at a time, for many at their real cost
        outcomes = stage.propose(*(request_for(FileJournal(tmp_path / str(number)), number) for number in range(8)))

    assert all(isinstance(outcome, Proposal) for outcome in outcomes)
    assert stage.spend_limit.spent_usd == pytest.approx(8 * (1_000 * 2 + 100 * 10) / 1e6)


def test_a_resumed_purse_remembers(tmp_path: Path) -> None:
    with MessagesServer() as server:
        stage = scene(server)
        stage.spend_limit = SpendLimit(1.0, spent_usd=0.95)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, CostLimitReached)
    assert server.requests == []


def test_an_unknown_price_is_unknown_not_zero(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(say(GOOD)) as server:
        scene(server, model="qwen-coder").propose(request_for(journal))

    assert [exchange.cost_usd for exchange in journal.exchanges] == [None]


def test_a_limit_needs_a_known_price_also_for_a_journaled_model(tmp_path: Path) -> None:
    with MessagesServer(say(GOOD)) as server:
        stage = scene(server, model="qwen-coder")
        stage.spend_limit = SpendLimit(1.0)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, ConfigError)
    assert server.requests == []


def test_cost_counts_the_cache_and_replies_that_broke_off(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    counted = {"input_tokens": 1_000, "output_tokens": 500, "cache_read_tokens": 10_000, "cache_write_tokens": 2_000}
    with MessagesServer(reset_midway("x" * 300), say(GOOD, **counted)) as server:
        scene(server, cache_lifetime="1h").propose(request_for(journal))

    [exchange] = journal.exchanges
    assert (exchange.input_tokens, exchange.output_tokens) == (2_000, 600)
    assert (exchange.cache_read_tokens, exchange.cache_write_tokens) == (10_000, 2_000)
    assert exchange.cost_usd == pytest.approx((2 * (2_000 + 0.05 * 10_000 + 2 * 2_000) + 10 * 600) / 1e6)


def test_a_reply_that_always_breaks_off_is_not_paid_for_without_end(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(fallback=early_end()) as server:
        [error] = scene(server).propose(request_for(journal))

    assert isinstance(error, NoOffspring)
    assert len(server.requests) == 4
    assert journal.exchanges[0].input_tokens == 4_000


@pytest.mark.parametrize(("behaviour", "deadline"), [(early_end(), 600.0), (silence(), 1.0)], ids=["begun", "silent"])
def test_a_call_that_is_given_up_is_paid_for(tmp_path: Path, behaviour: Behaviour, deadline: float) -> None:
    with MessagesServer(behaviour) as server:
        stage = scene(server, patience_seconds=1e-6, reply_deadline_seconds=deadline)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, OperatorUnavailable)
    abandoned = json.loads((tmp_path / "0.abandoned.json").read_text())
    assert 1_000 <= abandoned["input_tokens"] < 10_000
    assert abandoned["cost_usd"] > 0


# Outages and services that answer nothing useful.
def test_an_outage_outlasts_patience(tmp_path: Path) -> None:
    with MessagesServer(fallback=status(529)) as server:
        stage = scene(server)
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, OperatorUnavailable)
    assert f"{len(server.requests)} attempts" in str(error)
    assert "529 overloaded_error" in str(error)
    assert "evo resume RUN" in str(error)
    assert 300 < sum(stage.waits.seconds) <= 400


def test_a_refused_connection_is_an_outage(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        stage = Scene(LLMSettings(base_url=url, patience_seconds=2.0))
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    assert isinstance(error, OperatorUnavailable)
    assert "connection" in str(error)


@pytest.mark.parametrize("fault", [status(400, "credit"), say(stop_reason="refusal")], ids=["400", "refusal"])
def test_a_service_that_answers_nothing_usable_does_not_burn_the_run(fault: Behaviour, tmp_path: Path) -> None:
    with MessagesServer(fallback=fault) as server:
        stage = scene(server)
        outcomes = stage.propose(*(request_for(FileJournal(tmp_path / str(number)), number) for number in range(8)))

    kinds = [type(outcome) for outcome in outcomes]
    assert sorted(kind.__name__ for kind in kinds) == 7 * ["NoOffspring"] + ["OperatorUnavailable"]
    assert "8 times in a row" in str(outcomes[kinds.index(OperatorUnavailable)])


def test_a_model_with_stand_ins_is_tried_again_after_longer_and_longer_pauses() -> None:
    request = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}
    now = [0.0]

    async def asked(model: LanguageModel) -> bool:
        try:
            await model.ask(request, seed="")
        except OperatorUnavailable:
            return False
        return True

    async def outage(server: MessagesServer) -> None:
        model = LanguageModel(scene(server, has_stand_ins=True).settings, clock=lambda: now[0])
        for sent, pause in ((1, 15.0), (2, 30.0)):
            assert not await asked(model)
            now[0] += pause - 0.1
            assert model.is_away
            assert not await asked(model)
            assert len(server.requests) == sent
            now[0] += 0.2
            assert not model.is_away
            assert model.most_calls == 1
        assert await asked(model)
        assert model.most_calls > 1
        await model.aclose()

    with MessagesServer(status(401), status(401), say("Hello.")) as server:
        asyncio.run(outage(server))


def test_refusals_for_too_many_calls_halve_the_calls_in_flight(tmp_path: Path) -> None:
    request = {"model": "claude-sonnet-5-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello"}]}

    async def ask(server: MessagesServer) -> float:
        model = LanguageModel(scene(server).settings, sleep=Waits())
        await model.ask(request, seed="")
        await model.aclose()
        return model.most_calls

    with MessagesServer(status(429), say("Hello.")) as server:
        assert asyncio.run(ask(server)) == 2


def test_the_model_may_be_changed_after_it_was_retired(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(status(404), say(GOOD)) as server:
        scene(server).propose(request_for(journal))
        [proposal] = scene(server, model="claude-opus-5-5").propose(request_for(journal))

    assert isinstance(proposal, Proposal)
    assert [received.body["model"] for received in server.requests] == ["claude-sonnet-5-5", "claude-opus-5-5"]
    assert server.requests[0].body["messages"] == server.requests[1].body["messages"]


# The journal.
def test_a_journaled_reply_is_used_and_nothing_is_sent(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(say("Hm."), say(GOOD)) as server:
        [first] = scene(server).propose(request_for(journal))
        [again] = scene(server).propose(request_for(journal))

    assert first == again
    assert len(server.requests) == 2


def test_a_journaled_request_is_sent_again_word_for_word(tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(status(401), say(GOOD)) as server:
        scene(server).propose(request_for(journal))
        later = request_for(journal)
        later.random.seed("draws another direction")
        scene(server).propose(later)

    assert server.requests[0].body == server.requests[1].body
    assert journal.exchanges[0].request == journal.request(0)


KILLED = """
import os, signal, sys
from pathlib import Path
from llm_requests import FileJournal, Scene, request_for
from operators.llm import LLMSettings

class Fatal(FileJournal):
    def {method}(self, turn, record):
        {before}
        super().{method}(turn, record)
        {after}

Scene(LLMSettings(base_url=sys.argv[1])).propose(request_for(Fatal(Path(sys.argv[2]))))
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


@pytest.mark.parametrize(
    ("method", "before", "after", "sent"),
    [
        ("record_request", "pass", KILL, 1),
        ("record_exchange", KILL, "pass", 2),
        ("record_exchange", "pass", KILL, 1),
    ],
    ids=["after the request is journaled", "after the reply came", "after the reply is journaled"],
)
def test_a_kill_loses_no_journaled_reply(method: str, before: str, after: str, sent: int, tmp_path: Path) -> None:
    script = KILLED.format(method=method, before=before, after=after)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "support")}
    with MessagesServer(say(GOOD), say(GOOD)) as server:
        killed = subprocess.run([sys.executable, "-c", script, server.url, str(tmp_path)], env=environment, check=False)
        [proposal] = scene(server).propose(request_for(FileJournal(tmp_path)))

    assert killed.returncode == -signal.SIGKILL
    assert proposal.source == CHANGED
    assert len(server.requests) == sent
    assert all(received.body == server.requests[0].body for received in server.requests)


# Keys.
def test_the_key_of_the_environment_stays_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "token-secret")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:9/elsewhere")
    with MessagesServer(say(GOOD)) as server:
        scene(server).propose(request_for(FileJournal(tmp_path)))

    assert "secret" not in json.dumps(dict(server.requests[0].headers))


def test_the_key_is_written_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with MessagesServer(status(529, "busy, sk-secret"), status(401, "bad key sk-secret")) as server:
        stage = scene(server, api_key="sk-secret", headers={"x-team": "team-secret"})
        [error] = stage.propose(request_for(FileJournal(tmp_path)))

    headers = server.requests[0].headers
    assert headers["authorization"] == "Bearer sk-secret"
    assert headers["x-team"] == "team-secret"
    written = [str(error), repr(stage.settings), *(path.read_text() for path in tmp_path.iterdir())]
    written += [record.getMessage() for record in caplog.records]
    assert not [text for text in written if "secret" in text]


# What goes out.
def test_requests_are_streamed_cached_and_without_sampling_parameters(tmp_path: Path) -> None:
    with MessagesServer() as server:
        stage = scene(server, cache_lifetime="1h", max_tokens=64_000)
        told = "Prefer simple changes."
        journals = [FileJournal(tmp_path / str(number)) for number in range(6)]
        outcomes = stage.propose(*(request_for(one, n, instructions=told) for n, one in enumerate(journals)))

    assert all(isinstance(outcome, Proposal) for outcome in outcomes)
    bodies = [received.body for received in server.requests]
    assert all(set(body) == {"model", "max_tokens", "system", "messages", "stream"} for body in bodies)
    assert all(body["stream"] for body in bodies)
    assert all(received.headers["anthropic-version"] == "2023-06-01" for received in server.requests)
    [system] = {json.dumps(body["system"]) for body in bodies}
    rules, instructions = json.loads(system)
    shared = [rules, instructions, *bodies[0]["messages"][0]["content"][:-1]]
    assert all(block["cache_control"] == {"type": "ephemeral", "ttl": "1h"} for block in shared)
    assert len(shared) <= 4, "the service takes no more breakpoints"
    assert "Prefer simple changes." in instructions["text"]
    tasks = [body["messages"][0]["content"][-1] for body in bodies]
    assert not any("cache_control" in task for task in tasks)
    assert len({task["text"] for task in tasks}) == len(bodies), "prompts differ, since replies would not"


def test_crossover_shows_both_parents_and_changes_the_first(tmp_path: Path) -> None:
    second = PROGRAM.replace("WIDTH = 64", "WIDTH = 96")
    with MessagesServer(say(GOOD)) as server:
        [child] = scene(server).propose(request_for(FileJournal(tmp_path), second=second))

    prompt = "".join(block["text"] for block in server.requests[0].body["messages"][0]["content"])
    assert PROGRAM in prompt
    assert second in prompt
    assert child == Proposal(CHANGED, "llm_crossover", "a higher rate learns faster.")


def test_conditions_reach_the_model(tmp_path: Path) -> None:
    with MessagesServer() as server:
        scene(server).propose(request_for(FileJournal(tmp_path)))

    system = server.requests[0].body["system"][0]["text"]
    for expected in ("30 s", CONDITIONS.device, "2048", "256", "val_bpb (bits per byte): minimize", "build_model"):
        assert expected in system


def test_the_model_may_propose_the_ranges_of_constants(tmp_path: Path) -> None:
    bad = "CLIP = 1.0  # range: 5 to 2, log"
    reply = f"""Hypothesis: warm up.

<<<<<<< SEARCH
LEARNING_RATE = 0.01  # AdamW
=======
LEARNING_RATE = 0.01  # AdamW; range: 0.005 to 0.02, log
WARMUP = 0.1  # range: 0 to 0.2
{bad}
>>>>>>> REPLACE
"""
    with MessagesServer(say(reply)) as server:
        [child] = scene(server).propose(request_for(FileJournal(tmp_path)))
        assert "# range: 1e-5 to 1e-2, log" in str(server.requests[0].body["system"])
    ranges = {name: one.range for name, one in find_constants(child.source).items()}
    assert ranges == {
        "LEARNING_RATE": Range(0.005, 0.02, is_log=True),
        "WARMUP": Range(0, 0.2),
        "CLIP": None,
        "WIDTH": None,
    }
    chance = random.Random(1)
    for _ in range(60):
        moved = find_constants(ConstantMutation().mutate(child.source, chance).source)
        assert 0.005 <= float(str(moved["LEARNING_RATE"].value)) <= 0.02
        assert 0 <= float(str(moved["WARMUP"].value)) <= 0.2

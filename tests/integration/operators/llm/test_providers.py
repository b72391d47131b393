"""One contract for all providers: whatever a server of either dialect does, a call ends in a reply or in a failure."""

from __future__ import annotations

import gzip
import json
import logging
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llm_requests import BLOCK, CHANGED, GOOD, FileJournal, Scene, request_for

from operators.errors import OperatorUnavailable
from operators.llm import LanguageModel, LLMSettings, SpendLimit
from operators.llm.providers.transport import take_error
from operators.llm.received import Received as ReceivedReply
from operators.llm.rehearsal import (
    Behaviour,
    MessagesServer,
    Responder,
    bad_json,
    drip,
    early_end,
    error_event,
    html,
    reset_at_once,
    reset_midway,
    say,
    silence,
    status,
)
from operators.proposal import Fate, Idea, Known, Memory, NoOffspring, Proposal
from trainer.errors import ConfigError

IDEA = "a higher rate learns faster."


@pytest.fixture(params=["anthropic", "openai", "openai-responses"])
def provider(request: pytest.FixtureRequest) -> str:
    if request.param != "anthropic":
        pytest.importorskip("openai")
    return str(request.param)


def scene(server: MessagesServer, provider: str, **changes: object) -> Scene:
    base_url = server.url + ("" if provider == "anthropic" else "/v1")
    return Scene(LLMSettings(provider=provider, base_url=base_url, **{"patience_seconds": 400.0, **changes}))


def outcome(server: MessagesServer, provider: str, folder: Path, instructions: str = "", **changes: object) -> Any:
    request = request_for(FileJournal(folder), instructions=instructions)
    [found] = scene(server, provider, **changes).propose(request)
    return found


def test_a_reply_is_recorded_alike(provider: str, tmp_path: Path) -> None:
    journal = FileJournal(tmp_path)
    with MessagesServer(say(GOOD, thinking="Hm.", cache_read_tokens=10)) as server:
        [proposal] = scene(server, provider).propose(request_for(journal))

    assert proposal == Proposal(CHANGED, "llm_mutation:careful", IDEA)
    [exchange] = journal.exchanges
    blocks = exchange.reply["content"]
    assert [(block["type"], block[block["type"]]) for block in blocks] == [("thinking", "Hm."), ("text", GOOD)]
    assert exchange.reply["stop_reason"] == "end_turn"
    assert (exchange.input_tokens, exchange.output_tokens, exchange.cache_read_tokens) == (1000, 100, 10)
    assert exchange.model == "claude-sonnet-5-5"


PASSING = {
    "rate limit": status(429, headers={"retry-after": "3"}),
    "overloaded": status(529),
    "bad gateway": status(502),
    "early end": early_end(),
    "reset at once": reset_at_once(),
    "reset midway": reset_midway(),
    "error event": error_event(),
    "HTML with status 200": html(),
    "bad JSON": bad_json(),
    "silence": (silent := silence()),
    "drip feed": (dripping := drip()),
}
ENDLESS = (silent, dripping)


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_faults_that_pass_are_waited_out(fault: Behaviour, provider: str, tmp_path: Path) -> None:
    with MessagesServer(fault, fallback=say(GOOD)) as server:
        deadline = {"reply_deadline_seconds": 1.5} if fault in ENDLESS else {}
        found = outcome(server, provider, tmp_path, **deadline)

    assert found == Proposal(CHANGED, "llm_mutation:careful", IDEA)


@pytest.mark.parametrize(("code", "advice"), [(401, "API key"), (404, "base URL"), (402, "billing")])
def test_faults_that_do_not_pass_say_what_to_do(code: int, advice: str, provider: str, tmp_path: Path) -> None:
    with MessagesServer(status(code, "so says the server")) as server:
        error = outcome(server, provider, tmp_path)

    assert isinstance(error, OperatorUnavailable)
    assert re.search(f"so says the server.*{advice}", str(error))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"type": "invalid_request_error", "message": "no field `x`"}},
        {"error": "no field `x`"},
        {"detail": [{"loc": ["body"], "msg": "no field `x`"}]},
        {"message": "no field `x`"},
        {"error": True, "message": "no field `x`"},
        {"success": False, "errors": [{"code": 7003, "message": "no field `x`"}]},
        {"error": {"message": "Provider returned error", "metadata": {"raw": "no field `x`"}}},
        {"status": {"words": "no field `x`"}},
    ],
    ids=lambda body: "-".join(body),
)
def test_a_server_is_quoted_in_its_own_words(body: Any, provider: str, tmp_path: Path) -> None:
    with MessagesServer(fallback=lambda responder: responder.send_json(400, body)) as server:
        requests = [request_for(FileJournal(tmp_path / str(number)), number) for number in range(8)]
        errors = scene(server, provider).propose(*requests)

    (unusable,) = [error for error in errors if isinstance(error, OperatorUnavailable)]
    assert "no field `x`" in str(unusable)


def test_a_redirect_to_another_host_is_refused(provider: str, tmp_path: Path) -> None:
    with MessagesServer() as elsewhere:
        target = elsewhere.url.replace("127.0.0.1", "localhost")

        def redirect(responder: Responder) -> None:
            responder.send(307, b"", "text/plain", {"location": target + responder.path})

        with MessagesServer(fallback=redirect) as server:
            error = outcome(server, provider, tmp_path)

    assert isinstance(error, OperatorUnavailable)
    assert "redirects to http://localhost" in str(error)
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("code", "place"),
    [(301, "/elsewhere"), (302, "ftp://127.0.0.1/elsewhere"), (308, "")],
    ids=["moved", "ftp", "loop"],
)
def test_a_redirect_that_loses_the_request_is_no_outage(code: int, place: str, provider: str, tmp_path: Path) -> None:
    def redirect(responder: Responder) -> None:
        responder.send(code, b"", "text/plain", {"location": place or responder.path})

    with MessagesServer(fallback=redirect) as server:
        error = outcome(server, provider, tmp_path)
    assert isinstance(error, OperatorUnavailable)
    assert re.search("refuses to work: redirect.*Set the base URL to the address that answers", str(error))


def test_no_text_holds_the_key(provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = "sk-1234567890abcdef"
    journal = FileJournal(tmp_path)
    caplog.set_level(logging.DEBUG)
    with MessagesServer(status(529, f"busy {key}"), say(f"Hm, {key}."), status(401, f"bad {key}")) as server:
        [error] = scene(server, provider, api_key=key).propose(request_for(journal))

    assert "[key]" in str(error)
    written = [str(error), *(path.read_text() for path in tmp_path.iterdir())]
    written += [record.getMessage() for record in caplog.records if record.name.startswith("operators")]
    assert not [text for text in written if key in text]
    assert "Hm, [key]." in json.dumps(journal.exchanges[0].reply)


def test_a_proxy_that_cannot_be_used_is_one_line(provider: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://127.0.0.1:1080")
    model = LanguageModel(LLMSettings(provider=provider, base_url="http://localhost:1"))
    with pytest.raises(ConfigError, match=r"cannot be set up.*ALL_PROXY"):
        model.prepare()


# What servers of either dialect leave out or call otherwise, though the text is there.


def events_of(text: str) -> list[dict[str, Any]]:
    message = {"type": "message", "role": "assistant", "model": "m", "content": [], "usage": {"input_tokens": 5}}
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    ]


def chunks_of(text: str) -> list[dict[str, Any]]:
    return [
        {"choices": [{"delta": {"role": "assistant", "content": text}, "finish_reason": None}]},
        {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 5, "completion_tokens": 7}},
    ]


Events = list[dict[str, Any]]


def changed(events: Events, number: int, **fields: object) -> Events:
    return [{**event, **fields} if at == number else event for at, event in enumerate(events)]


def without(events: Events, *numbers: int) -> Events:
    return [event for at, event in enumerate(events) if at not in numbers]


MESSAGE = events_of(GOOD)
DIALECTS: dict[str, Events] = {
    "content null": changed(MESSAGE, 0, message={"type": "message", "content": None, "usage": None}),
    "bare start": changed(MESSAGE, 0, message={}),
    "no start": without(MESSAGE, 0),
    "no block start": without(MESSAGE, 1),
    "no block stop": without(MESSAGE, 3),
    "no message stop": without(MESSAGE, 5),
    "no message delta": without(MESSAGE, 4),
    "text in the start": without(changed(MESSAGE, 1, content_block={"type": "text", "text": GOOD}), 2),
    "block without text": changed(MESSAGE, 1, content_block={"type": "text"}),
    "index off": changed(MESSAGE, 2, index=3),
    "delta without type": changed(MESSAGE, 2, delta={"text": GOOD}),
    "unknown event": [{"type": "status", "message": "queued"}, *MESSAGE],
    "no usage": changed(changed(MESSAGE, 0, message={"type": "message"}), 4, usage=None),
    "usage of nonsense": changed(MESSAGE, 4, usage={"output_tokens": 2**63, "input_tokens": -1}),
    "usage of infinity": changed(MESSAGE, 4, usage={"output_tokens": float("inf")}),
    **{
        f"stop reason {reason!r}": changed(MESSAGE, 4, delta={"stop_reason": reason})
        for reason in ("stop", "eos", "", None, 7)
    },
    "whole message": [{"type": "message", "content": [{"type": "text", "text": GOOD}], "stop_reason": "end_turn"}],
    "tool beside the text": changed(MESSAGE, 4, delta={"stop_reason": "tool_use"}),
    "reasoning": [
        MESSAGE[0],
        {"type": "content_block_start", "index": 0, "content_block": {"type": "reasoning", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "reasoning_delta", "text": BLOCK}},
        *MESSAGE[1:],
    ],
}
CHUNKS = chunks_of(GOOD)
CHAT_DIALECTS: dict[str, Events] = {
    "plain": CHUNKS,
    "no finish reason": CHUNKS[:1],
    "unknown finish reason": changed(CHUNKS, 1, choices=[{"delta": {}, "finish_reason": "eos"}]),
    "usage null": changed(CHUNKS, 1, usage=None),
    "usage of nonsense": changed(CHUNKS, 1, usage={"prompt_tokens": 2**63, "completion_tokens": "many"}),
    "delta null": [{"choices": [{"delta": None}]}, *CHUNKS],
    "no choices": [{"choices": []}, {"choices": None}, *CHUNKS],
    "reasoning": [{"choices": [{"delta": {"reasoning_content": BLOCK}}]}, *CHUNKS],
    "content filter results first": [{"choices": [], "prompt_filter_results": []}, *CHUNKS],
    "parts": changed(CHUNKS, 0, choices=[{"delta": {"content": [{"type": "text", "text": GOOD}]}}]),
    "whole message": [{"choices": [{"message": {"content": GOOD}, "finish_reason": "stop"}]}],
    "whole message at the end": [*CHUNKS, {"choices": [{"message": {"content": GOOD}, "finish_reason": "stop"}]}],
    "reasoning and tools amid the text": [
        {"choices": [{"delta": {"content": GOOD[:30]}}]},
        {"choices": [{"delta": {"reasoning": "Hm."}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": 0}]}}]},
        {"choices": [{"delta": {"content": GOOD[30:]}, "finish_reason": "tool_calls"}]},
    ],
}


def streamed(events: Events, *, named: bool = True, end: bytes = b"\n") -> Behaviour:
    def behave(responder: Responder) -> None:
        responder.begin_stream()
        for event in events:
            name = b"event: " + str(event["type"]).encode() + end if named and "type" in event else b""
            data = b"data: " + json.dumps(event, ensure_ascii=False).encode() + end + end
            whole = b": keep-alive" + end + end + name + data
            for at in range(0, len(whole), 50):
                responder.send_chunk(whole[at : at + 50])
        if responder.is_chat:
            responder.send_chunk(b"data: [DONE]\n\n")
        responder.end_stream()

    return behave


@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
@pytest.mark.parametrize("events", DIALECTS.values(), ids=DIALECTS.keys())
def test_text_that_came_is_used_at_the_first_attempt(events: Events, named: bool, tmp_path: Path) -> None:
    with MessagesServer(streamed(events, named=named)) as server:
        assert outcome(server, "anthropic", tmp_path) == Proposal(CHANGED, "llm_mutation:careful", IDEA)
        assert len(server.requests) == 1


@pytest.mark.parametrize("events", CHAT_DIALECTS.values(), ids=CHAT_DIALECTS.keys())
def test_text_of_chunks_is_used_at_the_first_attempt(events: Events, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(streamed(events)) as server:
        assert outcome(server, "openai", tmp_path) == Proposal(CHANGED, "llm_mutation:careful", IDEA)
        assert len(server.requests) == 1


def body_of(*events: dict[str, Any], end: bytes = b"data: [DONE]\n\n") -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + end


def raw(
    *parts: bytes, content_type: str = "text/event-stream", encoding: str = "", ends: str = "whole", code: int = 200
) -> Behaviour:
    """Answer with these parts of a body; `ends` may be "short", "reset" or "silent"."""

    def behave(responder: Responder) -> None:
        handler = responder._handler
        handler.send_response(code)
        handler.send_header("content-type", content_type)
        if encoding:
            handler.send_header("content-encoding", encoding)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for part in parts:
            responder.send_chunk(part)
        if ends == "whole":
            responder.end_stream()
        elif ends == "short":
            handler.close_connection = True
        else:
            responder.reset() if ends == "reset" else responder.wait_for_hang_up()

    return behave


WHOLE = json.dumps({"choices": [{"message": {"content": GOOD}, "finish_reason": "stop"}]}).encode()
BODY = body_of(*CHUNKS)
PADDED = body_of(changed(CHUNKS, 0, padding="x" * 8_000_000)[0], CHUNKS[1])
LINES = {
    **{f"{kind} in name": raw(BODY, content_type=kind) for kind in ("text/html", "application/json", "x/y", "")},
    "JSON in plain text": raw(WHOLE, content_type="text/plain"),
    "JSON as a stream": raw(WHOLE),
    "JSON in a list": raw(b"[" + WHOLE + b"]", content_type="application/json"),
    "events without blank lines": raw(BODY.replace(b"\n\n", b"\n")),
    "JSON behind blank lines": raw(b"\n\n\n", WHOLE, content_type="application/json"),
    "byte-order mark": raw(b"\xef\xbb\xbf" + BODY),
    "gzip": raw(gzip.compress(BODY), encoding="gzip"),
    "byte by byte": raw(*(BODY[at : at + 1] for at in range(len(BODY)))),
    "CR and LF apart": raw(*BODY.replace(b"\n", b"\r\n").replace(b"\r\n", b"\r\0\n").split(b"\0")),
    "one long line": raw(*(PADDED[at : at + 4096] for at in range(0, len(PADDED), 4096))),
    "silent behind the end": raw(BODY, ends="silent"),
    "reset behind the last reason": raw(body_of(*CHUNKS, end=b""), ends="reset"),
    "cut behind the last reason": raw(body_of(*CHUNKS, end=b""), ends="short"),
    "another end": raw(body_of(*CHUNKS, end=b"data: [done]\n\n")),
    "an error behind the last reason": raw(body_of(*CHUNKS, {"error": {"message": "no usage today"}})),
}


@pytest.mark.parametrize("behaviour", LINES.values(), ids=LINES.keys())
def test_text_is_used_at_the_first_attempt_however_it_was_sent(behaviour: Behaviour, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(behaviour) as server:
        assert outcome(server, "openai", tmp_path) == Proposal(CHANGED, "llm_mutation:careful", IDEA)
        assert len(server.requests) == 1


@pytest.mark.parametrize("page", [raw(b"x" * 100_000, code=500, ends="silent"), raw(code=503, ends="short")])
def test_an_error_is_read_as_far_as_it_is_told(page: Behaviour, provider: str, tmp_path: Path) -> None:
    with MessagesServer(page, say(GOOD)) as server:
        assert outcome(server, provider, tmp_path) == Proposal(CHANGED, "llm_mutation:careful", IDEA)


def test_a_page_is_quoted(provider: str, tmp_path: Path) -> None:
    with MessagesServer(fallback=html()) as server:
        assert "got “Please log in”" in str(outcome(server, provider, tmp_path, patience_seconds=2.0))


USAGE = {"prompt_tokens": 1000, "completion_tokens": 100}
COUNTS = {
    "last chunk": [{"choices": [], "usage": USAGE}],
    "in the choice": [{"choices": [{"delta": {}, "usage": USAGE}]}],
    "beside": [{"choices": [], "x_groq": {"usage": USAGE}}],
    "empty at the end": [{"choices": [], "usage": USAGE}, {"choices": [], "usage": dict.fromkeys(USAGE, 0)}],
    "in texts": [{"choices": [], "usage": {name: str(count) for name, count in USAGE.items()}}],
    "in other words": [{"choices": [], "usage": {"input_tokens": 1000, "output_tokens": 100}}],
    "thought counted in the sum": [{"choices": [], "usage": {**USAGE, "completion_tokens": 10, "total_tokens": 1100}}],
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS.keys())
def test_tokens_are_found_where_servers_tell_of_them(counts: Events, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    journal = FileJournal(tmp_path)
    with MessagesServer(streamed([*changed(CHUNKS, 1, usage=None), *counts])) as server:
        scene(server, "openai").propose(request_for(journal))
    assert (journal.exchanges[0].input_tokens, journal.exchanges[0].output_tokens) == (1000, 100)


@pytest.mark.parametrize(
    ("provider", "events"),
    [
        ("openai", [*changed(CHUNKS, 1, usage=None), {"choices": [], "usage": {**USAGE, "cost": 0.5}}]),
        (
            "openai-responses",
            [{"type": "response.completed", "response": {"output": [{"content": GOOD}], "usage": {"cost": 0.5}}}],
        ),
        ("anthropic", [{"type": "message", "content": GOOD, "usage": {"cost": 0.5}}]),
    ],
)
def test_what_the_server_says_that_a_call_costs_is_booked(events: Events, provider: str, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    journal, limit = FileJournal(tmp_path), SpendLimit(10.0)
    base_url = "{}" if provider == "anthropic" else "{}/v1"
    with MessagesServer(streamed(events)) as server:
        settings = LLMSettings(provider=provider, base_url=base_url.format(server.url))
        Scene(settings, spend_limit=limit).propose(request_for(journal))
    assert journal.exchanges[0].cost_usd == limit.spent_usd == 0.5


def test_a_server_that_counts_no_tokens_is_not_free(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("openai")
    limit = SpendLimit(10.0)
    with MessagesServer(fallback=streamed(changed(CHUNKS, 1, usage=None))) as server:
        here = Scene(LLMSettings(provider="openai", base_url=f"{server.url}/v1"), spend_limit=limit)
        journals = [FileJournal(tmp_path / str(number)) for number in range(2)]
        here.propose(*(request_for(journal, number) for number, journal in enumerate(journals)))
        prompt_bytes = len(json.dumps(server.requests[0].body))
    [warning] = [record.getMessage() for record in caplog.records if record.name.startswith("operators")]
    assert "estimated from the length" in warning
    exchange = journals[0].exchanges[0]
    assert len(GOOD) / 4 < exchange.output_tokens < len(GOOD)
    assert prompt_bytes / 8 < exchange.input_tokens < prompt_bytes
    assert exchange.reply["tokens_estimated"]
    assert limit.spent_usd == pytest.approx(2 * exchange.cost_usd, rel=0.2)


BEGUN = {"choices": [{"delta": {"content": "Hypothesis: to be"}}]}


@pytest.mark.parametrize(
    "end",
    [
        *(
            {"choices": [{"delta": {}, "finish_reason": reason}]}
            for reason in ("error", "network_error", "insufficient_system_resource", "abort")
        ),
        {"choices": [{"delta": {}, "finish_reason": "error", "error": {"code": 502, "message": "gone"}}]},
        {"choices": [{"delta": {}, "finish_reason": "error"}], "error": {"code": "server_error", "message": "gone"}},
        {"object": "error", "message": "gone", "type": "InternalServerError", "code": 500},
        {"error": "the runner has stopped"},
    ],
    ids=json.dumps,
)
def test_a_reply_that_the_server_could_not_finish_is_asked_for_again(end: dict[str, Any], tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(streamed([BEGUN, end]), say(GOOD)) as server:
        assert isinstance(outcome(server, "openai", tmp_path), Proposal)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("fields", "stop_reason"),
    [
        ({"finish_reason": "MAX_TOKENS"}, "max_tokens"),
        ({"finish_reason": "model_length"}, "max_tokens"),
        ({"finish_reason": "SAFETY"}, "refusal"),
        ({"finish_reason": "content_filter: PROHIBITED_CONTENT"}, "refusal"),
        ({"delta": {"refusal": "No."}, "finish_reason": "stop"}, "refusal"),
        ({"delta": {"tool_calls": [{"index": 0}]}, "finish_reason": "tool_calls"}, "tool_use"),
    ],
    ids=lambda value: json.dumps(value),
)
def test_reasons_of_other_servers_are_understood(fields: dict[str, Any], stop_reason: str, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    journal = FileJournal(tmp_path)
    with MessagesServer(streamed([BEGUN, {"choices": [{"delta": {}, **fields}]}]), fallback=say(GOOD)) as server:
        scene(server, "openai").propose(request_for(journal))
    assert journal.exchanges[0].reply["stop_reason"] == stop_reason


@pytest.mark.parametrize(
    ("error", "advice"),
    [({"code": 401, "type": "authentication_error"}, "API key"), ({"code": 402, "type": "billing_error"}, "billing")],
    ids=["key", "billing"],
)
def test_an_error_may_come_with_a_regular_status(
    error: dict[str, Any], advice: str, provider: str, tmp_path: Path
) -> None:
    body = {"error": {**error, "message": "so says the server"}}
    with MessagesServer(fallback=lambda responder: responder.send_json(200, body)) as server:
        unusable = outcome(server, provider, tmp_path)

    assert re.search(f"so says the server.*{advice}", str(unusable))
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["error", "message", "detail"])
@pytest.mark.parametrize("code", [200, 529])
def test_errors_within_errors_without_end_are_one(code: int, name: str, provider: str, tmp_path: Path) -> None:
    body = b'{"%s":' % name.encode() * 800 + b'"as scripted"' + b"}" * 800
    with MessagesServer(lambda responder: responder.send(code, body, "application/json"), say(GOOD)) as server:
        assert isinstance(outcome(server, provider, tmp_path), Proposal)


@pytest.mark.parametrize(
    "error",
    [
        {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [{"@type": "RetryInfo", "retryDelay": "36s"}]},
        {"message": "The model is loading", "estimated_time": 36.0},
    ],
    ids=["Google", "Hugging Face"],
)
def test_a_wait_may_stand_in_the_error(error: dict[str, Any]) -> None:
    received = ReceivedReply()
    take_error([{"error": error}], received, 429, {})
    assert received.failure is not None
    assert received.failure.retry_after_seconds == 36.0


@pytest.mark.parametrize(
    "page",
    [
        b"<html><head><title>502</title><style>p {}</style></head><body><h1>502 Bad Gateway</h1></body></html>",
        b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body></body></html>",
    ],
)
def test_a_page_of_a_proxy_is_quoted_without_its_markup(page: bytes, provider: str, tmp_path: Path) -> None:
    with MessagesServer(fallback=lambda responder: responder.send(502, page, "text/html")) as server:
        assert "502 error: 502 Bad Gateway." in str(outcome(server, provider, tmp_path))


def refusing(words: str, takes: Callable[[dict[str, Any]], bool]) -> Behaviour:
    """Return a server that refuses with an explanation whatever it does not take."""

    def behave(responder: Responder) -> None:
        status(400, words)(responder) if not takes(responder.body) else say(GOOD)(responder)

    return behave


def tells_system(body: dict[str, Any]) -> bool:
    return body["messages"][0]["role"] == "system"


@pytest.mark.parametrize(
    ("provider", "words", "takes"),
    [
        (
            "openai",
            "Unsupported parameter: 'max_tokens' is not supported here. Use 'max_completion_tokens' instead.",
            lambda body: "max_tokens" not in body and body["max_completion_tokens"] == 16_000,
        ),
        (
            "openai",
            "[{'type': 'extra_forbidden', 'loc': ['body', 'stream_options', 'include_usage']}]",
            lambda body: "stream_options" not in body,
        ),
        ("openai", "reasoning_effort: Extra inputs are not permitted", lambda body: "reasoning_effort" not in body),
        (
            "openai",
            "messages[0]: invalid type: sequence, expected a string",
            lambda body: all(isinstance(one["content"], str) for one in body["messages"]),
        ),
        ("openai", "System role not supported", lambda body: not tells_system(body)),
        (
            "openai",
            "max_tokens is too large: 16000. This model supports at most 8192 completion tokens.",
            lambda body: body["max_tokens"] == 8192,
        ),
        *(
            ("openai", words, lambda body: "reasoning_effort" not in body)
            for words in (
                '"gemma3:4b" does not support thinking',
                "Reasoning is mandatory for this endpoint and cannot be disabled.",
                "reasoning_effort: Input should be 'medium' or 'high'",
            )
        ),
        ("openai", "Conversation roles must alternate user/assistant/user/...", lambda body: not tells_system(body)),
        ("openai", "Your organization must be verified to stream this model.", lambda body: not body.get("stream")),
        (
            "openai",
            "maximum context length is 8192 tokens, you requested 18000 (2000 in messages, 16000 in the completion)",
            lambda body: body["max_tokens"] <= 6192,
        ),
        (
            "openai",
            "The maxOutputTokens value of 16000 is not within 1 (inclusive) and 8,193 (exclusive).",
            lambda body: body["max_tokens"] < 8193,
        ),
        ("openai-responses", "Unknown parameter: 'store'.", lambda body: "store" not in body),
        (
            "anthropic",
            "system.0.cache_control.ephemeral.ttl: Extra inputs are not permitted",
            lambda body: "ttl" not in json.dumps(body) and "cache_control" in json.dumps(body),
        ),
        (
            "anthropic",
            "messages.0.content.0.cache_control: Extra inputs are not permitted",
            lambda body: "cache_control" not in json.dumps(body),
        ),
        ("anthropic", "This model does not support the effort parameter.", lambda body: "output_config" not in body),
        (
            "anthropic",
            "max_tokens: 16000 > 8192, which is the maximum allowed number of output tokens",
            lambda body: body["max_tokens"] == 8192,
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_a_server_does_not_take_is_left_out_from_then_on(
    provider: str, words: str, takes: Callable[[dict[str, Any]], bool], tmp_path: Path
) -> None:
    if provider != "anthropic":
        pytest.importorskip("openai")
    with MessagesServer(fallback=refusing(words, takes)) as server:
        here = scene(server, provider, effort="low")
        found = here.propose(*(request_for(FileJournal(tmp_path / str(number)), number) for number in range(4)))

    assert [type(one) for one in found] == [Proposal] * 4
    assert sum(takes(request.body) for request in server.requests) == 4
    assert "effort" in json.dumps(server.requests[0].body)


@pytest.mark.parametrize("words", ["the context of 4096 tokens is exceeded", "Unsupported parameter: 'messages'"])
def test_what_no_request_can_do_without_is_told(words: str, provider: str, tmp_path: Path) -> None:
    with MessagesServer(fallback=status(400, words)) as server:
        assert words in str(outcome(server, provider, tmp_path))
        assert len(server.requests) == 1


def test_a_server_that_cuts_prompts_is_named_once(
    provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    requests = [
        request_for(FileJournal(tmp_path / str(number)), number, instructions="x" * 40_000) for number in (1, 2)
    ]
    with MessagesServer(fallback=say(GOOD, input_tokens=2_000, cache_read_tokens=2_048)) as server:
        scene(server, provider).propose(*requests)

    [warning] = [record.getMessage() for record in caplog.records if record.name.startswith("operators")]
    assert "read 4,048 tokens of a prompt of" in warning


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
def test_lines_end_as_the_standard_allows(end: bytes, tmp_path: Path) -> None:
    with MessagesServer(streamed(events_of("\u2028" + GOOD), end=end)) as server:
        assert isinstance(outcome(server, "anthropic", tmp_path), Proposal)


def test_a_server_that_does_not_stream_is_understood(provider: str, tmp_path: Path) -> None:
    def whole(responder: Responder) -> None:
        responder.body["stream"] = False
        say(GOOD)(responder)

    with MessagesServer(whole) as server:
        assert isinstance(outcome(server, provider, tmp_path), Proposal)
        assert len(server.requests) == 1


@pytest.mark.parametrize(("model", "breakpoints"), [("qwen3-coder", 0), ("anthropic/claude-sonnet-5.5", 3)])
def test_what_goes_out_to_chat_completions(model: str, breakpoints: int, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(say("Hm."), say(GOOD)) as server:
        outcome(server, "openai", tmp_path, instructions="Prefer simple changes.", model=model)

    body = server.requests[-1].body
    assert set(body) == {"model", "max_tokens", "messages", "stream", "stream_options"}
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "user"]
    assert "Prefer simple changes." in str(body["messages"][0]["content"])
    assert json.dumps(body).count("cache_control") == breakpoints
    assert all(isinstance(message["content"], str) for message in body["messages"]) == (not breakpoints)
    assert server.requests[-1].path == "/v1/chat/completions"


RESPONSE = {"id": "r", "model": "m", "status": "completed", "usage": {"input_tokens": 5, "output_tokens": 7}}
PART = {"type": "output_text", "text": GOOD}
DELTA = {"type": "response.output_text.delta", "delta": GOOD}
COMPLETED = {"type": "response.completed", "response": RESPONSE}
ENDED = {"type": "response.completed", "response": {**RESPONSE, "output": [{"content": [PART]}]}}
RESPONSES_DIALECTS: dict[str, Events] = {
    "plain": [{"type": "response.created", "response": RESPONSE}, DELTA, COMPLETED],
    "no start": [DELTA, COMPLETED],
    "no deltas": [ENDED],
    "text twice": [DELTA, ENDED],
    "usage null": [DELTA, {"type": "response.completed", "response": {**RESPONSE, "usage": None}}],
    "usage of nonsense": [DELTA, {"type": "response.completed", "response": {"usage": {"input_tokens": "many"}}}],
    "unknown event": [{"type": "response.in_progress"}, DELTA, COMPLETED],
    "reasoning": [{"type": "response.reasoning_text.delta", "delta": BLOCK}, DELTA, COMPLETED],
    "reasoning in pieces, text at the end": [{"type": "response.reasoning_text.delta", "delta": BLOCK}, ENDED],
    "pieces out of order": [
        *({"type": "response.output_text.delta", "delta": half} for half in (GOOD[40:], GOOD[:40])),
        ENDED,
    ],
    "the end before the last piece": [{**DELTA, "delta": GOOD[:40]}, ENDED, {**DELTA, "delta": GOOD[40:]}],
    "text done": [{"type": "response.output_text.done", "text": GOOD}, COMPLETED],
    "item done": [{"type": "response.output_item.done", "item": {"content": [PART]}}, COMPLETED],
    "whole response": [{"object": "response", "output": [{"content": GOOD}]}],
}


@pytest.mark.parametrize("events", RESPONSES_DIALECTS.values(), ids=RESPONSES_DIALECTS.keys())
def test_text_of_responses_is_used_at_the_first_attempt(events: Events, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(streamed(events)) as server:
        assert outcome(server, "openai-responses", tmp_path) == Proposal(CHANGED, "llm_mutation:careful", IDEA)
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("events", "retried"),
    [
        ([{"type": "error", "code": "server_error", "message": "busy"}], True),
        ([{"type": "response.failed", "response": {"error": {"code": "server_error", "message": "busy"}}}], True),
        ([{"type": "response.refusal.delta", "delta": "No."}, COMPLETED], False),
    ],
    ids=["error", "failed", "refusal"],
)
def test_a_response_that_fails_is_no_reply(events: Events, retried: bool, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(streamed(events), say(GOOD)) as server:
        found = outcome(server, "openai-responses", tmp_path)
        assert len(server.requests) == 1 + retried
    assert isinstance(found, Proposal if retried else NoOffspring)


@pytest.mark.parametrize("stop_reason", ["max_tokens", "refusal"])
def test_an_incomplete_response_says_why(stop_reason: str, tmp_path: Path) -> None:
    pytest.importorskip("openai")
    journal = FileJournal(tmp_path)
    with MessagesServer(say("Hypothesis: cut", stop_reason=stop_reason), fallback=say(GOOD)) as server:
        scene(server, "openai-responses").propose(request_for(journal))
    assert journal.exchanges[0].reply["stop_reason"] == stop_reason


def test_what_goes_out_to_responses(tmp_path: Path) -> None:
    pytest.importorskip("openai")
    with MessagesServer(say("Hm."), say(GOOD)) as server:
        outcome(server, "openai-responses", tmp_path, instructions="Prefer simple changes.", effort="low")

    body = server.requests[-1].body
    assert set(body) == {"model", "max_output_tokens", "instructions", "input", "stream", "store", "reasoning"}
    assert [message["role"] for message in body["input"]] == ["user", "assistant", "user"]
    assert "Prefer simple changes." in body["instructions"]
    assert body["reasoning"] == {"effort": "low"}
    assert body["store"] is False
    assert server.requests[-1].path == "/v1/responses"


def searching(provider: str) -> list[dict[str, Any]]:
    """The events of a reply that rests on a search: good pages, one twice, and an address that is none."""
    pages = [{"url": "https://example.org/a", "title": "A"}, {"url": "https://example.org/b", "title": "B"}]
    pages += [pages[0], {"url": "javascript:alert(1)", "title": "C"}]
    half = len(GOOD) // 2
    if provider == "openai-responses":
        annotations = [{"type": "url_citation", **page} for page in pages]
        text = {"type": "output_text", "text": GOOD, "annotations": annotations}
        output = [{"type": "web_search_call"}, {"type": "message", "content": [text]}]
        usage = {"input_tokens": 1000, "output_tokens": 100}
        return [
            *({"type": "response.output_text.delta", "delta": part} for part in (GOOD[:half], GOOD[half:])),
            {"type": "response.output_text.annotation.added", "annotation": annotations[0]},
            {"type": "response.completed", "response": {"status": "completed", "output": output, "usage": usage}},
        ]
    cited = ({"type": "citations_delta", "citation": {"type": "web_search_result_location", **one}} for one in pages)
    deltas = [{"type": "text_delta", "text": GOOD[:half]}, *cited, {"type": "text_delta", "text": GOOD[half:]}]
    usage = {"output_tokens": 100, "server_tool_use": {"web_search_requests": 1}}
    return [
        {"type": "message_start", "message": {"model": "claude-sonnet-5-5", "usage": {"input_tokens": 1000}}},
        {"type": "content_block_start", "content_block": {"type": "server_tool_use", "name": "web_search"}},
        {"type": "content_block_start", "content_block": {"type": "web_search_tool_result", "content": []}},
        {"type": "content_block_start", "content_block": {"type": "text", "text": "", "citations": []}},
        *({"type": "content_block_delta", "delta": delta} for delta in deltas),
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
        {"type": "message_stop"},
    ]


@pytest.mark.parametrize("provider", ["anthropic", "openai-responses"])
def test_what_a_search_of_the_web_found_is_kept_with_the_idea(provider: str, tmp_path: Path) -> None:
    if provider != "anthropic":
        pytest.importorskip("openai")
    journal = FileJournal(tmp_path)
    memory = Memory([Idea(1, (0,), "random", "Wider", Fate.WAITING)])
    request = replace(request_for(journal, instructions="Be brief."), known=Known(recall=lambda: memory))
    with MessagesServer(streamed(searching(provider))) as server:
        [proposal] = scene(server, provider, web_searches=3).propose(request)
    assert isinstance(proposal, Proposal)
    assert proposal.source == CHANGED
    assert proposal.idea == f"{IDEA} (sources: https://example.org/a, https://example.org/b)"
    assert [one["title"] for one in journal.exchanges[0].reply["citations"]] == ["A", "B"]
    # Sonnet's tokens, and the search.
    assert journal.exchanges[0].cost_usd == pytest.approx((2 * 1000 + 10 * 100) / 1e6 + 0.01)
    body = server.requests[0].body
    if provider == "anthropic":
        assert body["tools"] == [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]
        assert json.dumps(body).count("cache_control") == 4, "the service takes no more breakpoints"
    else:
        assert (body["tools"], body["max_tool_calls"]) == ([{"type": "web_search"}], 3)


def test_chat_completions_cannot_search_the_web() -> None:
    with pytest.raises(ConfigError, match="provider that searches"):
        LLMSettings(provider="openai", base_url="http://localhost:1", web_searches=1)

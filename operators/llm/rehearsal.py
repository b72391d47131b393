"""A scripted model behind a real HTTP server of Messages, Chat Completions and Responses, for rehearsals and tests.

Each request is answered by the next *behaviour* of its script and, when the script is used up, by the fallback, which
by default answers as `scripted_model`: a SEARCH/REPLACE reply that changes a constant of the program in the prompt.

    with MessagesServer(status(529), say("Hypothesis: …")) as server:
        ...  # base_url=server.url
    assert len(server.requests) == 2

`evo rehearse` serves it, for a run with language-model operators that costs nothing.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
Behaviour = Callable[["Responder"], None]

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}


FINISH_REASONS = {"end_turn": "stop", "max_tokens": "length", "refusal": "content_filter", "tool_use": "tool_calls"}
INCOMPLETE = {"max_tokens": "max_output_tokens", "refusal": "content_filter"}
MESSAGES_PATH = "/v1/messages"
CHAT_PATH = "/v1/chat/completions"
RESPONSES_PATH = "/v1/responses"


@dataclass(frozen=True)
class Received:
    """One request as it arrived; header names are in lower case."""

    path: str
    headers: Mapping[str, str]
    body: Body


@dataclass
class Reply:
    """A message to send, streamed or whole as the request asks for."""

    text: str = ""
    stop_reason: str | None = "end_turn"
    stop_details: Body | None = None
    thinking: str = ""
    input_tokens: int = 1_000
    output_tokens: int = 100
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    chunk_characters: int = 400

    def content(self) -> list[Body]:
        """Return the content blocks."""
        blocks: list[Body] = []
        if self.thinking:
            blocks.append({"type": "thinking", "thinking": self.thinking, "signature": "c2lnbmF0dXJl"})
        if self.text:
            blocks.append({"type": "text", "text": self.text})
        return blocks

    def usage(self, output_tokens: int) -> Body:
        """Return the usage with the given count of output tokens."""
        return {
            "input_tokens": self.input_tokens,
            "output_tokens": output_tokens,
            "cache_read_input_tokens": self.cache_read_tokens,
            "cache_creation_input_tokens": self.cache_write_tokens,
        }

    def message(self, model: str) -> Body:
        """Return the whole message."""
        return {
            "id": "msg_test",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": self.content(),
            "stop_reason": self.stop_reason,
            "stop_sequence": None,
            "stop_details": self.stop_details,
            "usage": self.usage(self.output_tokens),
        }

    def events(self, model: str) -> Iterable[Body]:
        """Yield the events of the streamed message."""
        start = {
            **self.message(model),
            "content": [],
            "stop_reason": None,
            "stop_details": None,
            "usage": self.usage(1),
        }
        yield {"type": "message_start", "message": start}
        for index, block in enumerate(self.content()):
            kind = block["type"]
            empty = {**block, kind: ""} if kind == "text" else {**block, kind: "", "signature": ""}
            yield {"type": "content_block_start", "index": index, "content_block": empty}
            text = block[kind]
            for start_at in range(0, len(text), self.chunk_characters):
                piece = text[start_at : start_at + self.chunk_characters]
                delta = {"type": f"{kind}_delta", kind: piece}
                yield {"type": "content_block_delta", "index": index, "delta": delta}
            yield {"type": "content_block_stop", "index": index}
        yield {
            "type": "message_delta",
            "delta": {"stop_reason": self.stop_reason, "stop_sequence": None, "stop_details": self.stop_details},
            "usage": {"output_tokens": self.output_tokens},
        }
        yield {"type": "message_stop"}

    def completion(self, model: str) -> Body:
        """Return the whole message as Chat Completions has it."""
        message = {"role": "assistant", "content": self.text, "reasoning_content": self.thinking or None}
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason()}
        return {
            "id": "chat_test",
            "object": "chat.completion",
            "model": model,
            "choices": [choice],
            "usage": self._chat_usage(),
        }

    def chunks(self, model: str) -> Iterable[Body]:
        """Yield the chunks of the streamed message as Chat Completions has them; the last two end it."""

        def chunk(delta: Body, finish_reason: str | None = None) -> Body:
            choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
            return {"id": "chat_test", "object": "chat.completion.chunk", "model": model, "choices": [choice]}

        yield chunk({"role": "assistant", "content": ""})
        for name, text in (("reasoning_content", self.thinking), ("content", self.text)):
            for start_at in range(0, len(text), self.chunk_characters):
                yield chunk({name: text[start_at : start_at + self.chunk_characters]})
        yield chunk({}, self._finish_reason())
        yield {**chunk({}), "choices": [], "usage": self._chat_usage()}

    def response(self, model: str) -> Body:
        """Return the whole message as the Responses API has it."""
        output: list[Body] = []
        if self.thinking:
            summary = [{"type": "summary_text", "text": self.thinking}]
            output.append({"type": "reasoning", "id": "rs_test", "summary": summary})
        if self.text:
            content = [{"type": "output_text", "text": self.text, "annotations": []}]
            output.append({"type": "message", "id": "msg_test", "role": "assistant", "content": content})
        reason = INCOMPLETE.get(self.stop_reason or "")
        return {
            "id": "resp_test",
            "object": "response",
            "model": model,
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "error": None,
            "output": output,
            "usage": {
                "input_tokens": self.input_tokens + self.cache_read_tokens,
                "input_tokens_details": {"cached_tokens": self.cache_read_tokens},
                "output_tokens": self.output_tokens,
            },
        }

    def response_events(self, model: str) -> Iterable[Body]:
        """Yield the events of the streamed message as the Responses API has them; the last two end it."""
        whole = self.response(model)
        yield {"type": "response.created", "response": {**whole, "status": "in_progress", "output": [], "usage": None}}
        for kind, text in (("reasoning_summary_text", self.thinking), ("output_text", self.text)):
            for start_at in range(0, len(text), self.chunk_characters):
                yield {"type": f"response.{kind}.delta", "delta": text[start_at : start_at + self.chunk_characters]}
        yield {"type": "response.output_text.done", "text": self.text}
        yield {"type": f"response.{whole['status']}", "response": whole}

    def _finish_reason(self) -> str | None:
        return FINISH_REASONS.get(self.stop_reason, self.stop_reason) if self.stop_reason else None

    def _chat_usage(self) -> Body:
        return {
            "prompt_tokens": self.input_tokens + self.cache_read_tokens,
            "completion_tokens": self.output_tokens,
            "prompt_tokens_details": {"cached_tokens": self.cache_read_tokens},
        }


class Responder:
    """What a behaviour answers one request with."""

    def __init__(self, handler: BaseHTTPRequestHandler, body: Body) -> None:
        self.body = body
        self._handler = handler

    @property
    def path(self) -> str:
        """Where the request arrived, without its query, which tells its API."""
        return self._handler.path.partition("?")[0]

    @property
    def is_chat(self) -> bool:
        """Whether the request is one of Chat Completions."""
        return self.path == CHAT_PATH

    @property
    def model(self) -> str:
        """The model that the request names."""
        return str(self.body.get("model", "unnamed"))

    def send(self, status: int, content: bytes, content_type: str, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole response."""
        self._handler.send_response(status)
        self._handler.send_header("content-type", content_type)
        self._handler.send_header("content-length", str(len(content)))
        for name, value in (headers or {}).items():
            self._handler.send_header(name, value)
        self._handler.end_headers()
        self._handler.wfile.write(content)

    def send_json(self, status: int, value: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a whole JSON response."""
        self.send(status, json.dumps(value).encode(), "application/json", headers)

    def begin_stream(self) -> None:
        """Send the head of an event stream."""
        self._handler.send_response(200)
        self._handler.send_header("content-type", "text/event-stream; charset=utf-8")
        self._handler.send_header("transfer-encoding", "chunked")
        self._handler.end_headers()

    def send_chunk(self, content: bytes) -> None:
        """Send one chunk of the stream's body."""
        self._handler.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self._handler.wfile.flush()

    def send_event(self, event: Body) -> None:
        """Send one event of the stream."""
        if self.is_chat:
            self.send_chunk(f"data: {json.dumps(event)}\n\n".encode())
            return
        self.send_chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def end_stream(self) -> None:
        """End the stream in the way that HTTP provides for."""
        self._handler.wfile.write(b"0\r\n\r\n")
        self._handler.wfile.flush()

    def reset(self) -> None:
        """Reset the connection, as a crashed peer does."""
        self._handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.connection.close()
        self._handler.close_connection = True

    def wait_for_hang_up(self) -> None:
        """Say nothing until the client closes the connection, or the server stops."""
        self._handler.connection.settimeout(30)
        with contextlib.suppress(OSError):
            self._handler.connection.recv(1)
        self._handler.close_connection = True

    def answer(self, reply: Reply) -> None:
        """Send `reply`, streamed if the request asks for it."""
        if not self.body.get("stream"):
            self.send_json(200, _WHOLE[self.path](reply, self.model))
            return
        self.begin_stream()
        for event in self._events(reply):
            self.send_event(event)
        if self.is_chat:
            self.send_chunk(b"data: [DONE]\n\n")
        self.end_stream()

    def answer_partly(self, reply: Reply) -> None:
        """Stream `reply` up to, and without, the event that carries its stop reason."""
        self.begin_stream()
        events = list(self._events(reply))
        for event in events[:-2]:
            self.send_event(event)

    def send_text(self, text: str) -> None:
        """Send a piece of the reply."""
        if self.is_chat:
            self.send_event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
        elif self.path == RESPONSES_PATH:
            self.send_event({"type": "response.output_text.delta", "delta": text})
        else:
            delta = {"type": "text_delta", "text": text}
            self.send_event({"type": "content_block_delta", "index": 0, "delta": delta})

    def _events(self, reply: Reply) -> Iterable[Body]:
        return _STREAMED[self.path](reply, self.model)


_WHOLE: dict[str, Callable[[Reply, str], Body]] = {
    MESSAGES_PATH: lambda reply, model: reply.message(model),
    CHAT_PATH: lambda reply, model: reply.completion(model),
    RESPONSES_PATH: lambda reply, model: reply.response(model),
}
_STREAMED: dict[str, Callable[[Reply, str], Iterable[Body]]] = {
    MESSAGES_PATH: lambda reply, model: reply.events(model),
    CHAT_PATH: lambda reply, model: reply.chunks(model),
    RESPONSES_PATH: lambda reply, model: reply.response_events(model),
}


def say(text: str = "", **fields: Any) -> Behaviour:
    """Answer with a message; `fields` are those of `Reply`."""
    return lambda responder: responder.answer(Reply(text, **fields))


def model(answer: Callable[[Body], str], latency_seconds: float = 0.0, **fields: Any) -> Behaviour:
    """Answer with what `answer` makes of the request's body, after a delay."""

    def behave(responder: Responder) -> None:
        time.sleep(latency_seconds)
        about = {"input_tokens": len(json.dumps(responder.body)) // 4}
        responder.answer(Reply(answer(responder.body), **{**about, **fields}))

    return behave


def status(
    code: int, message: str = "as scripted", *, error_code: str | None = None, headers: Mapping[str, str] | None = None
) -> Behaviour:
    """Answer with an error status."""
    error: Body = {"type": ERROR_TYPES.get(code, "api_error"), "message": message}
    if error_code:
        error["details"] = {"error_code": error_code}
    return lambda responder: responder.send_json(code, {"type": "error", "error": error}, headers)


def spend_limit() -> Behaviour:
    """Answer that the account's spend limit is reached, asking to come back in a month."""
    return status(429, "spend limit", error_code="enforced_spend_limit_reached", headers={"retry-after": "2592000"})


def error_event(error_type: str = "overloaded_error", text: str = "Hypo") -> Behaviour:
    """Stream a beginning, then an error."""

    def behave(responder: Responder) -> None:
        responder.answer_partly(Reply(text))
        responder.send_event({"type": "error", "error": {"type": error_type, "message": "as scripted"}})
        responder.end_stream()

    return behave


def early_end(text: str = "Hypothesis: to be") -> Behaviour:
    """Stream a beginning, then end as if that were all."""

    def behave(responder: Responder) -> None:
        responder.answer_partly(Reply(text))
        responder.end_stream()

    return behave


def reset_midway(text: str = "Hypothesis: to be") -> Behaviour:
    """Stream a beginning, then reset the connection."""

    def behave(responder: Responder) -> None:
        responder.answer_partly(Reply(text))
        responder.reset()

    return behave


def reset_at_once() -> Behaviour:
    """Reset the connection without a word."""
    return Responder.reset


def silence() -> Behaviour:
    """Accept the request and never answer."""
    return Responder.wait_for_hang_up


def drip(interval_seconds: float = 0.02) -> Behaviour:
    """Stream a reply that grows by a character at a time and never ends."""

    def behave(responder: Responder) -> None:
        responder.answer_partly(Reply("Hypothesis: "))
        while True:
            responder.send_text("a")
            time.sleep(interval_seconds)

    return behave


def html() -> Behaviour:
    """Answer with a web page and status 200, as captive portals do."""
    return lambda responder: responder.send(200, b"<html><body>Please log in</body></html>", "text/html")


def bad_json() -> Behaviour:
    """Stream an event whose data is no JSON."""

    def behave(responder: Responder) -> None:
        responder.begin_stream()
        responder.send_chunk(b'event: message_start\ndata: {"type": "message_start", "mess\n\n')
        responder.end_stream()

    return behave


def scripted_model(body: Body) -> str:
    """Return a valid reply that changes one number of the program in the first prompt, or what its results teach.

    It is a constant where there is one, in whichever language, else any number.

    Which constant and how follow from the conversation, so the same request always gets the same reply, and a repair
    request gets another one.
    """
    messages = body["messages"] if "messages" in body else body["input"]
    prompt = json.dumps(messages)
    chance = random.Random(prompt)  # noqa: S311 - no secret depends on it
    first = next(message["content"] for message in messages if message["role"] == "user")
    first = first if isinstance(first, str) else "".join(block.get("text", "") for block in first)
    program = re.search(r"^(`{3,})\w+\n(.*?)^\1$", first, re.DOTALL | re.MULTILINE)
    if program is None and (results := _RESULT.findall(first)):
        return "".join(f"- #{number}: {name} was {verdict} there\n" for number, name, verdict in results[:5])
    lines = program[2].split("\n") if program else []
    unique = [line for line in lines if lines.count(line) == 1]
    numbers = [line for line in unique if _CONSTANT.match(line)]
    # Most integers are sizes that must fit one another; a real number can be moved freely.
    candidates = [line for line in numbers if "." in _CONSTANT.match(line)[2]] or numbers  # type: ignore[index]
    number = _CONSTANT if candidates else _NUMBER
    candidates = candidates or [line for line in unique if _NUMBER.match(line)]
    if not candidates:
        return "I see no program with a number that I could change."
    line = chance.choice(candidates)
    changed = number.sub(lambda match: match[1] + _moved(match[2], chance), line, count=1)
    name = line.split()[0]
    return (
        f"Hypothesis: {name} is mistuned for this budget; {changed.split('#')[0].strip()} should lower the loss.\n\n"
        f"<<<<<<< SEARCH\n{line}\n=======\n{changed}\n>>>>>>> REPLACE\n"
    )


_RESULT = re.compile(r"^- #(\d+) from .*?“(\w+) .*?: (better|worse)", re.MULTILINE)
_CONSTANT = re.compile(r"^([A-Z][A-Z0-9_]* *= *)(-?[0-9][0-9_]*(?:\.[0-9_]*)?(?:e-?[0-9]+)?)(?=\s*(?:#|$))")
_NUMBER = re.compile(r"""([^#"']*?(?<![\w.\]]))(\d+(?:\.\d+)?)(?![\w.])""")


def _moved(literal: str, chance: random.Random) -> str:
    factor = chance.choice((0.7, 0.8, 0.9, 1.1, 1.25, 1.4)) * chance.uniform(0.98, 1.02)
    if "." not in literal and "e" not in literal:
        return str(max(int(literal) + 1, round(int(literal) * factor)))
    value = float(literal) * factor
    return f"{value:.6g}" if value else "0.001"


@dataclass
class _Script:
    behaviours: list[Behaviour]
    fallback: Behaviour
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self) -> Behaviour:
        with self.lock:
            return self.behaviours.pop(0) if self.behaviours else self.fallback


class MessagesServer:
    """The server, on its own threads while the context is open.

    Args:
        script: behaviours for the first requests, in order of arrival.
        fallback: behaviour for all further ones.
        port: 0 for any free one.
    """

    def __init__(self, *script: Behaviour, fallback: Behaviour | None = None, port: int = 0) -> None:
        self.requests: list[Received] = []
        self._script = _Script(list(script), fallback or model(scripted_model))
        self._server = _Server(("127.0.0.1", port), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Base URL, without `/v1`."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> MessagesServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def serve_forever(self) -> None:
        """Serve on the calling thread."""
        self._server.serve_forever()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                responder = Responder(self, body)
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Received(self.path, headers, body))
                if responder.path not in _WHOLE:
                    status(404, f"no such path: {self.path}")(responder)
                    return
                try:
                    server._script.next()(responder)
                except OSError:  # the client hung up, which some behaviours provoke
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                """Keep the terminal for the tests."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Keep quiet about connections that the client closed; failures show in the client."""


def sometimes(behaviour: Behaviour, fault_fraction: float, seed: int = 0) -> Behaviour:
    """Answer as `behaviour` does, but show one of `FAULTS` in part of the cases."""
    chance, lock = random.Random(seed), threading.Lock()  # noqa: S311 - no secret depends on it

    def behave(responder: Responder) -> None:
        with lock:
            fault = chance.choice(FAULTS) if chance.random() < fault_fraction else behaviour
        fault(responder)

    return behave


FAULTS: tuple[Behaviour, ...] = (
    status(429, headers={"retry-after": "1"}),
    status(500),
    status(529),
    error_event(),
    early_end(),
    reset_at_once(),
    reset_midway(),
    html(),
    bad_json(),
    say("I would raise the learning rate."),
    say("Hypothesis: cut off.\n\n<<<<<<< SEARCH\nLR", stop_reason="max_tokens"),
    say(stop_reason="refusal"),
)
"""What services and models do amiss, and recover from."""

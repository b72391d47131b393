"""What all providers share: the HTTP client, server-sent events, and what faults of the line or the server mean."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any
from urllib.parse import urlsplit

import httpx2

from operators.llm.received import EXCERPT_CHARACTERS, MOST_TOKENS, Received
from operators.llm.retries import Verdict, failure_of_status, parse_retry_after
from operators.llm.settings import LLMSettings
from operators.llm.text import one_line

CONNECT_SECONDS = 20.0
MOST_BYTES_IN_A_LINE = 16 * 1024 * 1024
DONE = "[DONE]"
"""The data of the event that ends a stream in the dialect of OpenAI; some servers of the Messages API send it too."""

_MARKUP = re.compile(r"<(script|style|title)\b.*?</\1>|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\n|\r")

TakeEvent = Callable[[str, Mapping[str, Any], Received], None]
TakeMessage = Callable[[Mapping[str, Any], Received], None]


class RedirectRefused(httpx2.RequestError):
    """The server wants the prompt, and with it the user's program, to go to another host."""


def timeout(settings: LLMSettings) -> httpx2.Timeout:
    """Return the timeouts within the deadline of a reply: a local server may read a long prompt for minutes."""
    seconds = settings.reply_deadline_seconds
    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=seconds)


def redirect_guard(url: str) -> Mapping[str, list[Callable[[httpx2.Request], Any]]]:
    """Return the hooks of a client that follows no redirect to another host, nor from https to http."""
    home = urlsplit(url)

    async def check(request: httpx2.Request) -> None:
        if request.url.host != home.hostname or (home.scheme == "https" and request.url.scheme != "https"):
            raise RedirectRefused(f"it redirects to {request.url.scheme}://{request.url.host}", request=request)

    return {"request": [check]}


async def receive(
    opened: AbstractAsyncContextManager[Any],
    received: Received,
    take_event: TakeEvent,
    take_message: TakeMessage,
    sdk: Any,
) -> None:
    """Read the answer to a request.

    Args:
        opened: the response, with its body still to be read, of an SDK.
        received: takes what comes.
        take_event: takes an event by its name and its data.
        take_message: takes a reply that came whole, from a server that does not stream.
        sdk: the module of the SDK, for its exceptions.
    """
    try:
        async with opened as response:
            received.requests_left = _requests_left(response.headers)
            await _read(response, received, take_event, take_message)
    except sdk.APIStatusError as error:
        take_error(error.body or error.message, received, error.status_code, error.response.headers)
    except sdk.APIConnectionError as error:
        _take_connection_fault(error.__cause__ or error, received)
    except sdk.APIError as error:
        received.fail("malformed reply", str(error))
    except httpx2.RequestError as error:  # what breaks after the headers is not wrapped by the SDK
        _take_connection_fault(error, received)


async def _read(response: Any, received: Received, take_event: TakeEvent, take_message: TakeMessage) -> None:
    content_type = response.headers.get("content-type", "").lower()
    if "json" in content_type and "stream" not in content_type:
        message = _parsed((await response.read()).decode("utf-8", "replace"), received)
        if message is not None:
            take_message(message, received)
            received.end()
        return
    if content_type and "text/event-stream" not in content_type and "text/plain" not in content_type:
        received.fail("malformed reply", f"expected an event stream, got content of type {content_type!r}")
        return
    async for name, data in server_sent_events(response.iter_bytes()):
        if data.strip() == DONE:
            received.is_complete = True
            continue
        event = _parsed(data, received)
        if event is not None:
            take_event(name, event, received)
        if received.failure is not None or received.is_too_long:
            return
    received.end()


def _parsed(data: str, received: Received) -> Mapping[str, Any] | None:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        received.fail("malformed reply", f"{type(error).__name__}: {error}")
        return None
    return value if isinstance(value, Mapping) else None


async def server_sent_events(chunks: AsyncIterator[bytes]) -> AsyncIterator[tuple[str, str]]:
    """Yield the name, empty where there is none, and the data of each event of a stream (WHATWG HTML, 9.2.6)."""
    name = ""
    data: list[str] = []
    async for line in _lines(chunks):
        if not line:
            if data:
                yield name, "\n".join(data)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
    if data:
        yield name, "\n".join(data)


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    kept = b""
    async for chunk in chunks:
        kept += chunk
        if len(kept) > MOST_BYTES_IN_A_LINE:
            break
        # A carriage return at the end may be the first half of a line end.
        whole = kept[:-1] if kept.endswith(b"\r") else kept
        *lines, rest = _LINE_END.split(whole)
        kept = rest + kept[len(whole) :]
        for line in lines:
            yield line.decode("utf-8", "replace")
    for line in _LINE_END.split(kept[:MOST_BYTES_IN_A_LINE]):
        yield line.decode("utf-8", "replace")


def _requests_left(headers: Mapping[str, str]) -> int | None:
    """Return how many more requests the server takes before it refuses some; None where it does not say."""
    for name in ("anthropic-ratelimit-requests-remaining", "x-ratelimit-remaining-requests"):
        if (value := headers.get(name, "")).isascii() and value.isdigit():
            return min(int(value[:9]), MOST_TOKENS)
    return None


def take_error(body: object, received: Received, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
    """Take in an error, however a server words it.

    Args:
        body: the error, or what holds it.
        received: takes it in.
        status: of HTTP; below 300 where the error came with a regular one.
        headers: of the answer.
    """
    error = _error_in(body)
    code = table(error.get("details")).get("error_code") or error.get("code")
    if status < 300:
        numbers = (str(error.get(name)) for name in ("code", "status"))
        status = next((int(number) for number in numbers if re.fullmatch("[45][0-9][0-9]", number)), status)
        status = 429 if code == "rate_limit_exceeded" else status
    words = next(_words(error), "")
    if not words and status < 300:
        received.fail("malformed reply", "the answer holds neither a message nor an error")
        return
    kind, now = error.get("type") or error.get("status"), time.time()
    milliseconds, seconds = ((headers or {}).get(name) for name in ("retry-after-ms", "retry-after"))
    wait = parse_retry_after(milliseconds, now, 0.001)
    received.failure = failure_of_status(
        status,
        error_type=kind if isinstance(kind, str) else None,
        error_code=code if isinstance(code, str) and not code.isdigit() else None,
        message=one_line(_MARKUP.sub(" ", words) if words.lstrip().startswith("<") else words, EXCERPT_CHARACTERS),
        retry_after_seconds=parse_retry_after(seconds, now) if wait is None else wait,
    )
    if received.failure.verdict is Verdict.GIVE_UP_PROMPT:
        received.refusal = json.dumps(error, default=str)


def _error_in(body: object) -> Mapping[str, Any]:
    """Return the object that describes an error, within whatever a server has put around it."""
    if isinstance(body, list) and body:
        return _error_in(body[0])
    if isinstance(body, Mapping):
        return _error_in(body["error"]) if body.get("error") else body
    return {"message": body}


def table(value: object) -> Mapping[str, Any]:
    """Return an object of JSON; an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def text_of(content: object) -> str:
    """Return the text of a message of the Messages API: a string, or blocks."""
    if isinstance(content, list):
        return "\n\n".join(str(table(block).get("text") or "") for block in content)
    return content if isinstance(content, str) else ""


def _words(value: object) -> Iterator[str]:
    if isinstance(value, str) and value.strip():
        yield value
    elif isinstance(value, Mapping):
        for name in ("error", "message", "detail", "msg", "errors", "reason"):
            yield from _words(value.get(name))
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)


def _take_connection_fault(error: BaseException, received: Received) -> None:
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, RedirectRefused):
        received.fail("redirect", str(error), Verdict.STOP, "Set the base URL to that address if you trust it.")
    elif any(isinstance(cause, ssl.SSLError) for cause in _causes(error)) or "CERTIFICATE" in str(error).upper():
        received.fail("certificate", what, Verdict.STOP, "Check the base URL and the certificates (SSL_CERT_FILE).")
    else:
        received.fail("connection", what)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

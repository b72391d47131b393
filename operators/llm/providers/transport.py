"""What all providers share: the HTTP client, server-sent events, and what faults of the line or the server mean."""

from __future__ import annotations

import contextlib
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
from operators.llm.text import one_line, shallow_json

CONNECT_SECONDS = 20.0
MOST_BYTES_IN_A_LINE = 16 * 1024 * 1024
_PAGE_BYTES = 64 * 1024
_ERROR_CHARACTERS = 4_000
DONE = "[DONE]"
"""The data of the event that ends a stream in the dialect of OpenAI; some servers of the Messages API send it too."""

_TITLE = re.compile(r"<title\b[^<>]*>([^<>]*)", re.IGNORECASE)
_MARKUP = re.compile(r"<(script|style|title)\b.*?</\1>|<[^<>]*>", re.IGNORECASE | re.DOTALL)
_LINE_END = re.compile(rb"\r\n|\n|\r")
_BLANKS = b"\xef\xbb\xbf \t\r\n"
"""What may stand before a reply: a byte-order mark, and the blank lines with which servers keep a connection alive."""
_FIELD = re.compile(rb":|(?:data|event|id|retry|error)\b")

TakeEvent = Callable[[str, Mapping[str, Any], Received], None]
TakeMessage = Callable[[Mapping[str, Any], Received], None]


class RedirectRefused(httpx2.RequestError):
    """The server wants the prompt, and with it the user's program, to go to another host."""


def timeout(settings: LLMSettings) -> httpx2.Timeout:
    """Return the timeouts within the deadline of a reply: a local server may read a long prompt for minutes."""
    seconds = settings.reply_deadline_seconds
    return httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds), pool=seconds)


def guards(url: str) -> Mapping[str, list[Callable[[Any], Any]]]:
    """Return the hooks of a client that follows no redirect away, and reads the beginning of errors alone.

    Away is another host, http in the place of https, and what a redirect makes of a request that no longer posts it.
    """
    home = urlsplit(url)

    async def check(request: httpx2.Request) -> None:
        there = request.url
        is_worse = there.scheme not in ("https", home.scheme)
        if there.host != home.hostname or is_worse or request.method != "POST":
            address = f"{there.scheme}://{there.netloc.decode()}{there.path}"
            raise RedirectRefused(f"it redirects to {address}", request=request)

    async def shorten(response: httpx2.Response) -> None:
        if not response.is_success and isinstance(response.stream, httpx2.AsyncByteStream):
            response.stream = _Beginning(response.stream)

    return {"request": [check], "response": [shorten]}


class _Beginning(httpx2.AsyncByteStream):
    """The first bytes of a body that a server may never end."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = _PAGE_BYTES
        async for chunk in self._stream:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


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
        said: object = error.response.text or error.message
        with contextlib.suppress(ValueError, RecursionError):  # else it is a page, or plain words
            said = shallow_json(error.response.text)
        take_error(said, received, error.status_code, error.response.headers)
    except sdk.APIConnectionError as error:
        _take_connection_fault(error.__cause__ or error, received)
    except sdk.APIError as error:
        received.fail("malformed reply", str(error))
    except httpx2.RequestError as error:  # what breaks after the headers is not wrapped by the SDK
        _take_connection_fault(error, received)


async def _read(response: Any, received: Received, take_event: TakeEvent, take_message: TakeMessage) -> None:
    # The beginning tells what it is: proxies name any type of content, or none.
    chunks = response.iter_bytes()
    begun = await _beginning(chunks)
    if begun.startswith((b"{", b"[")):
        message = _parsed((await _all(begun, chunks, MOST_BYTES_IN_A_LINE)).decode("utf-8", "replace"), received)
        if message is not None:
            take_message(message, received)
            received.end()
        return
    if begun and not _FIELD.match(begun):
        page = (await _all(begun, chunks, _PAGE_BYTES)).decode("utf-8", "replace")
        received.fail("malformed reply", f"expected an event stream or JSON, got “{_without_markup(page)}”")
        return
    async for name, data in server_sent_events(_chained(begun, chunks)):
        if data.strip() == DONE:
            received.is_complete = True
        elif (event := _parsed(data, received)) is not None:
            (_take_error_event if name == "error" else take_event)(name, event, received)
        if received.is_complete or received.failure is not None or received.is_too_long:
            break
    received.end()


async def _beginning(chunks: AsyncIterator[bytes]) -> bytes:
    """Return the first bytes of a body from its first sign on, enough of them to tell a field of an event."""
    begun = b""
    async for chunk in chunks:
        begun = (begun + chunk).lstrip(_BLANKS)
        if len(begun) >= len(b"event:"):
            break
    return begun


async def _chained(begun: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield begun
    async for chunk in chunks:
        yield chunk


async def _all(begun: bytes, chunks: AsyncIterator[bytes], most_bytes: int) -> bytes:
    """Return a body, no more of it than `most_bytes` and a chunk."""
    whole = bytearray()
    async for chunk in _chained(begun, chunks):
        whole += chunk
        if len(whole) > most_bytes:
            break
    return bytes(whole)


def _take_error_event(_: str, event: Mapping[str, Any], received: Received) -> None:
    take_error(event, received)


def _parsed(data: str, received: Received) -> Mapping[str, Any] | None:
    try:
        value = shallow_json(data)
    except (ValueError, RecursionError) as error:
        received.break_off("malformed reply", f"{type(error).__name__}: {error}")
        return None
    value = value[0] if isinstance(value, list) and value else value  # as Google wraps some answers
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
        elif field in ("data", "error"):  # llama.cpp writes an error into a field of its own
            name = "error" if field == "error" else name
            if len(data) == 1 and _is_next(value, data[0]):
                yield name, data.pop()
            data.append(value)
    if data:
        yield name, "\n".join(data)


def _is_next(line: str, before: str) -> bool:
    """Return whether a line of data begins another event, which a blank line should have parted from the one before."""
    return before.startswith("{") and before.endswith("}") and line.startswith(("{", DONE))


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[str]:
    line = bytearray()
    is_half = False  # whether the last chunk ended within a line end, CR LF
    async for chunk in chunks:
        rest, *others = _LINE_END.split(chunk.removeprefix(b"\n") if is_half else chunk)
        is_half = chunk.endswith(b"\r")
        line += rest
        for other in others:
            yield line.decode("utf-8", "replace")
            line = bytearray(other)
        if len(line) > MOST_BYTES_IN_A_LINE:
            break
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
    if received.stop_reason is not None:  # of what follows a complete reply
        return
    error = _error_in(body)
    code = table(error.get("details")).get("error_code") or error.get("code")
    if status < 300:
        numbers = (str(error.get(name)) for name in ("code", "status"))
        status = next((int(number) for number in numbers if re.fullmatch("[45][0-9][0-9]", number)), status)
        status = 429 if code == "rate_limit_exceeded" else status
    words = _without_markup("; ".join(dict.fromkeys(_words(error))))
    if not words and status < 300:
        received.fail("malformed reply", f"the answer holds neither a message nor an error: {_json(error)}")
        return
    kind, now = error.get("type") or error.get("status"), time.time()
    milliseconds, seconds = ((headers or {}).get(name) for name in ("retry-after-ms", "retry-after"))
    wait = parse_retry_after(milliseconds, now, 0.001)
    seconds = _wait_in(body) if seconds is None else seconds
    received.failure = failure_of_status(
        status,
        error_type=kind if isinstance(kind, str) else None,
        error_code=code if isinstance(code, str) and not code.isdigit() else None,
        message=words or one_line(_json(error), EXCERPT_CHARACTERS),
        retry_after_seconds=parse_retry_after(seconds, now) if wait is None else wait,
    )
    if received.failure.verdict is Verdict.GIVE_UP_PROMPT:
        received.refusal = _json(error)


def _wait_in(value: object) -> str | None:
    """Return the seconds after which a server says within its error that it can be asked again; None where it does not.

    Google's `retryDelay` is a text such as "36s".
    """
    for name in ("retryDelay", "retry_after", "retry_after_seconds", "estimated_time"):
        wait = table(value).get(name)
        if isinstance(wait, int | float | str) and not isinstance(wait, bool):
            return str(wait).removesuffix("s")
    items = value if isinstance(value, list) else table(value).values()
    return next(filter(None, map(_wait_in, items)), None)


def _error_in(body: object) -> Mapping[str, Any]:
    """Return the object that describes an error, within whatever a server has put around it."""
    if isinstance(body, list) and body:
        return _error_in(body[0])
    if isinstance(body, Mapping):
        error = body.get("error")
        return _error_in(error) if isinstance(error, str | Mapping | list) and error else body
    return {"message": body}


def _json(value: object) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)[:_ERROR_CHARACTERS]


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
        place = value.get("loc")  # of a field that a server written in Python refuses
        where = ".".join(map(str, place)) + ": " if isinstance(place, list) else ""
        for name in ("error", "message", "detail", "msg", "errors", "reason", "metadata", "raw"):
            yield from (where + words for words in _words(value.get(name)))
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)


def _without_markup(words: str) -> str:
    """Return words on one line, those of a page without its tags; its title where it has no other."""
    if words.lstrip().startswith("<"):
        title = _TITLE.search(words)
        words = _MARKUP.sub(" ", words).strip() or (title[1] if title else "")
    return one_line(words, EXCERPT_CHARACTERS)


def _take_connection_fault(error: BaseException, received: Received) -> None:
    while isinstance(error, BaseExceptionGroup):  # of the attempts to connect to several addresses
        error = error.exceptions[0]
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, RedirectRefused | httpx2.TooManyRedirects):
        received.fail("redirect", str(error), Verdict.STOP, "Set the base URL to the address that answers.")
    elif any(isinstance(cause, ssl.SSLError) for cause in _causes(error)) or "CERTIFICATE" in str(error).upper():
        received.fail("certificate", what, Verdict.STOP, "Check the base URL and the certificates (SSL_CERT_FILE).")
    else:
        received.break_off("connection", what)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

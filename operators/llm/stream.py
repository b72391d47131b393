"""One attempt of one call: a request goes out, and whatever comes back is read as far as it can be trusted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from operators.llm.prices import Usage
from operators.llm.retries import Failure, Verdict, failure_of_status
from operators.llm.text import clean_text, one_line

if TYPE_CHECKING:
    import anthropic
    from anthropic.lib.streaming import AsyncMessageStream
    from anthropic.types import Message

REPLY_CHARACTERS = 400_000
"""A reply is cut here; a program of any use is far shorter."""
CHARACTERS_PER_TOKEN = 3
"""A low estimate, so that the tokens of a reply that broke off are rather over- than underestimated."""
EXCERPT_CHARACTERS = 200

_UNVALIDATED = (ValueError, TypeError, AttributeError, LookupError)
"""What reading a stream raises for malformed JSON or bytes and for events without the fields that the SDK takes for
granted, since it builds them without validation."""


@dataclass(slots=True)
class Attempt:
    """What came back, also when the attempt failed half-way.

    Attributes:
        reply: the JSON message as far as it arrived; None when not even its beginning did.
        usage: tokens that were billed or, for a reply that broke off, are likely to be.
        failure: None when `reply` is all that the service meant to say, or all that may be read of it.
    """

    reply: dict[str, Any] | None = None
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None


async def attempt_call(sdk: anthropic.AsyncAnthropic, request: Mapping[str, Any], deadline_seconds: float) -> Attempt:
    """Send `request` once and read the reply.

    A total deadline stands around the whole attempt, because the SDK's timeouts are per read and never end a reply that
    comes drop by drop.
    """
    import anthropic
    import httpx2

    received = _Received()
    try:
        async with asyncio.timeout(deadline_seconds), sdk.messages.stream(**request) as stream:
            await received.read(stream)
    except TimeoutError:
        received.fail("deadline", f"no complete reply within {deadline_seconds:g} s")
    except anthropic.APIStatusError as error:
        received.failure = _status_failure(error)
    except anthropic.APIConnectionError as error:
        received.fail("connection", _transport_message(error.__cause__ or error))
    except anthropic.APIError as error:
        received.fail("malformed reply", str(error))
    except httpx2.RequestError as error:  # what breaks after the headers is not wrapped by the SDK
        received.fail("connection", _transport_message(error))
    return received.attempt()


class _Received:
    """What has arrived of one reply."""

    def __init__(self) -> None:
        self.message: Message | None = None
        self.failure: Failure | None = None
        self.characters = 0

    def fail(self, kind: str, what: str) -> None:
        self.failure = Failure(Verdict.RETRY, kind, f"{kind}: {one_line(what, EXCERPT_CHARACTERS)}")

    async def read(self, stream: AsyncMessageStream[None]) -> None:
        """Read until the stream ends or the reply is longer than `REPLY_CHARACTERS`."""
        content_type = stream.response.headers.get("content-type", "")
        if "text/event-stream" not in content_type:
            self.fail("malformed reply", f"expected an event stream, got content of type {content_type!r}")
            return
        events = aiter(stream)
        while self.characters <= REPLY_CHARACTERS:
            try:
                event = await anext(events)
            except StopAsyncIteration:
                self._check_complete()
                return
            except _UNVALIDATED as error:
                self.fail("malformed reply", f"{type(error).__name__}: {error}")
                return
            if event.type == "message_start":
                self.message = stream.current_message_snapshot
            elif event.type == "content_block_delta":
                self.characters += _length(event.delta)

    def _check_complete(self) -> None:
        from anthropic.types import Message

        if not isinstance(self.message, Message) or self.message.type != "message":
            self.fail("malformed reply", "the stream held no message")
        elif self.message.stop_reason is None:
            self.fail("early end", "the stream ended before the reply was complete")

    def attempt(self) -> Attempt:
        if self.message is None:
            return Attempt(failure=self.failure)
        usage = _usage(self.message)
        if self.failure is not None or self.characters > REPLY_CHARACTERS:
            likely = max(usage.output_tokens, self.characters // CHARACTERS_PER_TOKEN)
            usage = Usage(usage.input_tokens, likely, usage.cache_read_tokens, usage.cache_write_tokens)
        return Attempt(_as_json(self.message), usage, self.failure)


def _length(delta: object) -> int:
    return sum(len(getattr(delta, name, None) or "") for name in ("text", "thinking", "partial_json", "signature"))


def _usage(message: Message) -> Usage:
    """Return the billed tokens; compatible servers leave some or all of them out."""
    counts = getattr(message, "usage", None)

    def count(name: str) -> int:
        value = getattr(counts, name, None)
        return value if isinstance(value, int) and value > 0 else 0

    return Usage(
        input_tokens=count("input_tokens"),
        output_tokens=count("output_tokens"),
        cache_read_tokens=count("cache_read_input_tokens"),
        cache_write_tokens=count("cache_creation_input_tokens"),
    )


def _as_json(message: Message) -> dict[str, Any]:
    """Return the message as JSON that every encoder accepts, its text cleaned."""
    fields = message.to_dict(mode="python", warnings=False)
    cleaned: dict[str, Any] = _clean(fields)
    return cleaned


def _clean(value: object) -> Any:
    if isinstance(value, str):
        return clean_text(value[:REPLY_CHARACTERS])
    if isinstance(value, dict):
        return {clean_text(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)


def _status_failure(error: anthropic.APIStatusError) -> Failure:
    message = error.api_message if isinstance(error.api_message, str) else error.message
    return failure_of_status(
        error.status_code,
        error_type=error.type if isinstance(error.type, str) else None,
        error_code=error.error_code,
        message=one_line(message, EXCERPT_CHARACTERS),
        retry_after=error.response.headers.get("retry-after"),
    )


def _transport_message(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

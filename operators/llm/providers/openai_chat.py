"""Servers of the Chat Completions API: OpenAI's own, OpenRouter, vLLM, Ollama, DeepSeek, Gemini and many more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openai

from operators.llm.providers.dialect import Dialect, renamed, unknown, without
from operators.llm.providers.openai_sdk import openai_client
from operators.llm.providers.transport import receive, table, take_error, text_of
from operators.llm.received import REFUSAL, TEXT, THINKING, Received, count_in
from operators.llm.settings import LLMSettings

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "model_length": "max_tokens",
    "max_tokens": "max_tokens",
    "content_filter": "refusal",
    "safety": "refusal",
    "recitation": "refusal",
    "prohibited_content": "refusal",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "malformed_function_call": "tool_use",
}
"""What the reasons of this API, in lower case, are called in the Messages API; others are kept."""
_BROKEN_OFF = frozenset({"error", "network_error", "insufficient_system_resource", "abort", "cancelled"})
"""Reasons with which servers end a reply that they cannot finish."""


class OpenAIChat:
    """Asks by the openai SDK. What is journaled is the request and the reply in the terms of the Messages API."""

    def __init__(self, settings: LLMSettings) -> None:
        self._settings = settings
        self._sdk = openai_client(settings)
        self._dialect = Dialect(_CHANGES)

    async def ask(self, request: Mapping[str, Any], received: Received) -> None:
        """Send a request once; see `Provider.ask`."""

        async def send(body: Mapping[str, Any]) -> None:
            opened = self._sdk.chat.completions.with_streaming_response.create(**body)
            await receive(opened, received, _take_event, _take_message, openai)

        body = chat_request(request, has_own_names=self._settings.is_own_service)
        await self._dialect.ask(body, received, send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


def chat_request(request: Mapping[str, Any], *, has_own_names: bool) -> dict[str, Any]:
    """Return a request of the Messages API as one of Chat Completions.

    Where gateways such as OpenRouter lead to a Claude model, which caches nothing by itself, the breakpoints stay.

    Args:
        request: model, max_tokens, system and messages, maybe `output_config` with an effort.
        has_own_names: whether the longest reply is called as OpenAI calls it today, which other servers may not know.
    """
    is_claude = "claude" in request["model"].lower() and not has_own_names
    given = [{"role": "system", "content": request["system"]}] if request.get("system") else []
    messages = [*given, *request["messages"]]
    body: dict[str, Any] = {
        "model": request["model"],
        "max_completion_tokens" if has_own_names else "max_tokens": request["max_tokens"],
        "messages": messages if is_claude else _in_plain_text(messages),
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if effort := table(request.get("output_config")).get("effort"):
        body["reasoning_effort"] = effort
    return body


def _in_plain_text(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{"role": one["role"], "content": text_of(one["content"])} for one in messages]


def _without_system(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request that says at the beginning of its first message what it said for the system."""
    system, *messages = _in_plain_text(body["messages"])
    if system["role"] != "system" or not messages:
        return dict(body)
    first = {**messages[0], "content": f"{system['content']}\n\n{messages[0]['content']}"}
    return {**body, "messages": [first, *messages[1:]]}


_CHANGES = (
    (
        r"cache_control|\bttl\b|content.{0,80}string|expected a string",
        lambda body: {**body, "messages": _in_plain_text(body["messages"])},
    ),
    (r"stream_options|include_usage", without("stream_options")),
    (r"reasoning|effort|\bthink", without("reasoning_effort")),
    (unknown("max_tokens"), renamed("max_tokens", "max_completion_tokens")),
    (unknown("max_completion_tokens"), renamed("max_completion_tokens", "max_tokens")),
    (r"\bsystem\b|developer instruction|\broles\b", _without_system),
    (r"\bstream", lambda body: without("stream")(without("stream_options")(body))),
)


def _take_event(_: str, event: Mapping[str, Any], received: Received) -> None:
    if event.get("object") == "error":
        take_error(event, received)
    else:
        _take_chunk(event, received)


def _take_message(message: Mapping[str, Any], received: Received) -> None:
    if not isinstance(message.get("choices"), list):
        take_error(message, received)
        return
    _take_chunk(message, received)
    received.is_complete = True


def _take_chunk(chunk: Mapping[str, Any], received: Received) -> None:
    """Take in the first choice: a piece of the text, or all of it."""
    choices = chunk.get("choices")
    choice = table(choices[0]) if isinstance(choices, list) and choices else {}
    if chunk.get("error") or choice.get("error"):
        take_error(chunk if chunk.get("error") else choice, received)
        return
    if isinstance(choices, list):
        received.begin(id=chunk.get("id"), model=chunk.get("model"))
        for kind, text in _parts(table(choice.get("delta"))):
            received.add(kind, text, joins=True)
        received.tell_whole(_parts(table(choice.get("message"))))
        if isinstance(choice.get("finish_reason"), str):
            _take_end(choice["finish_reason"].lower().partition(":")[0], received)
    for place in (chunk, choice, table(chunk.get("x_groq"))):
        _take_usage(table(place.get("usage")), received)


def _take_end(reason: str, received: Received) -> None:
    if reason in _BROKEN_OFF:
        received.fail("broken off", f"the server ended the reply with the reason {reason!r}")
    elif received.stop_reason != REFUSAL:
        received.stop_reason = _STOP_REASONS.get(reason, reason)


def _parts(message: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(message.get(name), str) and message[name]:
            yield THINKING, message[name]
            break
    content = message.get("content")
    if isinstance(content, list):
        for part in map(table, content):
            yield (TEXT if part.get("type") in ("text", "output_text") else THINKING), part.get("text")
    elif isinstance(content, str) and content:
        yield TEXT, content
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        yield REFUSAL, message["refusal"]
    if message.get("tool_calls"):
        yield "tool_use", None


def _take_usage(counts: Mapping[str, Any], received: Received) -> None:
    cached = table(counts.get("prompt_tokens_details")).get("cached_tokens") or counts.get("prompt_cache_hit_tokens")
    names = ("prompt", "completion", "total") if "prompt_tokens" in counts else ("input", "output", "total")
    prompt, completion, total = (count_in(counts.get(f"{name}_tokens")) for name in names)
    if prompt is not None and completion is not None and total is not None:
        completion = max(completion, total - prompt)  # some count what is thought in the sum alone
    received.count_with_cached(prompt, completion, count_in(cached))
    received.bill(counts)

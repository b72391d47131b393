"""Servers of the Chat Completions API: OpenAI's own, OpenRouter, vLLM, Ollama, DeepSeek, Gemini and many more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import openai

from operators.llm.providers.openai_sdk import openai_client
from operators.llm.providers.transport import (
    error_code,
    receive,
    server_words,
    table,
    text_of,
)
from operators.llm.received import EXCERPT_CHARACTERS, TEXT, THINKING, Received
from operators.llm.retries import failure_of_status
from operators.llm.settings import LLMSettings
from operators.llm.text import one_line

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "content_filter": "refusal",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
}
"""What the reasons of this API are called in the Messages API; others are kept."""


class OpenAIChat:
    """Asks by the openai SDK. What is journaled is the request and the reply in the terms of the Messages API."""

    def __init__(self, settings: LLMSettings) -> None:
        self._settings = settings
        self._sdk = openai_client(settings)

    async def ask(self, request: Mapping[str, Any], received: Received) -> None:
        """Send a request once; see `Provider.ask`."""
        body = chat_request(request, has_own_names=self._settings.is_own_service)
        opened = self._sdk.chat.completions.with_streaming_response.create(**body)
        await receive(opened, received, _take_event, _take_message, openai)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


def chat_request(request: Mapping[str, Any], *, has_own_names: bool) -> dict[str, Any]:
    """Return a request of the Messages API as one of Chat Completions.

    Args:
        request: model, max_tokens, system and messages, maybe `output_config` with an effort.
        has_own_names: whether the longest reply is called as OpenAI calls it today, which other servers may not know.
    """
    system = [{"role": "system", "content": text} for text in [text_of(request.get("system"))] if text]
    messages = [{"role": one["role"], "content": text_of(one["content"])} for one in request["messages"]]
    body: dict[str, Any] = {
        "model": request["model"],
        "max_completion_tokens" if has_own_names else "max_tokens": request["max_tokens"],
        "messages": [*system, *messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if effort := table(request.get("output_config")).get("effort"):
        body["reasoning_effort"] = effort
    return body


def _take_event(_: str, event: Mapping[str, Any], received: Received) -> None:
    if event.get("error"):
        error = table(event["error"])
        code = error.get("code")
        received.failure = failure_of_status(
            code if isinstance(code, int) and 400 <= code < 600 else 200,
            error_type=str(error["type"]) if error.get("type") else None,
            error_code=error_code(event),
            message=one_line(server_words(event), EXCERPT_CHARACTERS),
        )
        return
    _take_chunk(event, "delta", received)


def _take_message(message: Mapping[str, Any], received: Received) -> None:
    if not isinstance(message.get("choices"), list):
        received.fail("malformed reply", server_words(message) or "the answer holds no choices")
        return
    _take_chunk(message, "message", received)
    received.is_complete = True


def _take_chunk(chunk: Mapping[str, Any], name: str, received: Received) -> None:
    """Take in the first choice, of which the part called `name` holds the text."""
    choices = chunk.get("choices")
    if isinstance(choices, list):
        received.begin(id=chunk.get("id"), model=chunk.get("model"))
        choice = table(choices[0]) if choices else {}
        for kind, text in _parts(table(choice.get(name))):
            received.add(kind, text)
        if isinstance(choice.get("finish_reason"), str):
            received.stop_reason = _STOP_REASONS.get(choice["finish_reason"], choice["finish_reason"])
    _take_usage(chunk.get("usage"), received)


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
        yield "refusal", message["refusal"]


def _take_usage(usage: object, received: Received) -> None:
    counts = table(usage)
    cached = table(counts.get("prompt_tokens_details")).get("cached_tokens") or counts.get("prompt_cache_hit_tokens")
    prompt = counts.get("prompt_tokens")
    if isinstance(prompt, int) and isinstance(cached, int) and 0 <= cached <= prompt:
        prompt -= cached  # counted apart, as the Messages API does
    received.count(input_tokens=prompt, output_tokens=counts.get("completion_tokens"), cache_read_tokens=cached)

"""Servers of the Responses API: OpenAI's own and those that follow it, such as OpenRouter, vLLM and LM Studio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import openai

from operators.llm.providers.dialect import Dialect, without
from operators.llm.providers.openai_sdk import openai_client
from operators.llm.providers.transport import receive, table, take_error, text_of
from operators.llm.received import REFUSAL, TEXT, THINKING, Received, count_in
from operators.llm.settings import LLMSettings

_DELTAS = {
    "response.output_text.delta": TEXT,
    "response.reasoning_text.delta": THINKING,
    "response.reasoning_summary_text.delta": THINKING,
    "response.refusal.delta": REFUSAL,
}
_ENDS = ("response.completed", "response.incomplete", "response.done")
_CHANGES = (
    (r"reasoning|effort|\bthink", without("reasoning")),
    (r"\bstore\b", without("store")),
    (r"\bstream", without("stream")),
)
_STOP_REASONS = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}
"""What the reasons of an incomplete reply are called in the Messages API; others are kept."""


class OpenAIResponses:
    """Asks by the openai SDK. What is journaled is the request and the reply in the terms of the Messages API."""

    def __init__(self, settings: LLMSettings) -> None:
        self._sdk = openai_client(settings)
        self._dialect = Dialect(_CHANGES)

    async def ask(self, request: Mapping[str, Any], received: Received) -> None:
        """Send a request once; see `Provider.ask`."""

        async def send(body: Mapping[str, Any]) -> None:
            opened = self._sdk.responses.with_streaming_response.create(**body)
            await receive(opened, received, _take_event, _take_message, openai)

        await self._dialect.ask(responses_request(request), received, send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


def responses_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request of the Messages API as one of the Responses API; the server is to keep nothing of it.

    Args:
        request: model, max_tokens, system and messages, maybe `output_config` with an effort, and the `tools` of
            `operators.llm.web_search`.
    """
    body: dict[str, Any] = {
        "model": request["model"],
        "max_output_tokens": request["max_tokens"],
        "input": [{"role": one["role"], "content": text_of(one["content"])} for one in request["messages"]],
        "stream": True,
        "store": False,
    }
    if system := text_of(request.get("system")):
        body["instructions"] = system
    if effort := table(request.get("output_config")).get("effort"):
        body["reasoning"] = {"effort": effort}
    if tools := request.get("tools"):
        body |= {"tools": [{"type": "web_search"}], "max_tool_calls": tools[0]["max_uses"]}
    return body


def _take_event(name: str, event: Mapping[str, Any], received: Received) -> None:
    kind = str(event.get("type") or name)
    response = table(event.get("response"))
    if kind in _DELTAS:
        received.add(_DELTAS[kind], event.get("delta"))
    elif kind == "response.output_text.done" and not received.has_text:
        received.add(TEXT, event.get("text"))
    elif kind == "response.output_item.done" and not received.has_text:
        received.tell_whole(_parts([event.get("item")]))
    elif kind == "response.output_text.annotation.added":
        received.cite(table(event.get("annotation")))
    elif kind in _ENDS:
        _take_response(response, received)
    elif kind in ("response.failed", "error"):
        take_error(response if response.get("error") else event, received)
    elif kind == "response.created":
        received.begin(id=response.get("id"), model=response.get("model"))
    elif event.get("object") == "response":
        _take_message(event, received)


def _take_message(message: Mapping[str, Any], received: Received) -> None:
    if isinstance(message.get("output"), list) and not message.get("error"):
        _take_response(message, received)
    else:
        take_error(message, received)


def _take_response(response: Mapping[str, Any], received: Received) -> None:
    received.begin(id=response.get("id"), model=response.get("model"))
    output = response["output"] if isinstance(response.get("output"), list) else []
    _take_web_searches(output, received)
    received.tell_whole(_parts(output))
    if response.get("status") == "incomplete":
        reason = table(response.get("incomplete_details")).get("reason")
        received.stop_reason = _STOP_REASONS.get(str(reason), str(reason))
    received.stop_reason = received.stop_reason or "end_turn"
    received.is_complete = True
    usage = table(response.get("usage"))
    cached = table(usage.get("input_tokens_details")).get("cached_tokens")
    received.bill(usage)
    received.count_with_cached(*map(count_in, (usage.get("input_tokens"), usage.get("output_tokens"), cached)))


def _take_web_searches(output: list[Any], received: Received) -> None:
    items = [*map(table, output)]
    received.count(web_searches=sum(item.get("type") == "web_search_call" for item in items))
    for item in items:
        parts = item.get("content")
        for part in map(table, parts if isinstance(parts, list) else []):
            annotations = part.get("annotations")
            for annotation in annotations if isinstance(annotations, list) else []:
                received.cite(table(annotation))


def _parts(output: list[Any]) -> Iterator[tuple[str, object]]:
    for item in map(table, output):
        content, summary = item.get("content"), item.get("summary")
        content = [{"text": content}] if isinstance(content, str) else content
        is_reasoning = item.get("type") == "reasoning"
        parts = [*(content if isinstance(content, list) else []), *(summary if isinstance(summary, list) else [])]
        for part in map(table, parts):
            if part.get("type") == "refusal":
                yield REFUSAL, part.get("refusal")
            else:
                yield (THINKING if is_reasoning else TEXT), part.get("text")

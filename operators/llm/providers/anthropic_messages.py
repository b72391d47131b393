"""Servers of the Anthropic Messages API, the provider's own and compatible ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anthropic

from operators.llm.providers.dialect import Change, Dialect, without
from operators.llm.providers.transport import guards, receive, table, take_error, timeout
from operators.llm.received import TEXT, THINKING, Received
from operators.llm.settings import LLMSettings

_KINDS = {"text": TEXT, "thinking": THINKING, "reasoning": THINKING, "redacted_thinking": THINKING}
_DELTAS = {"text_delta": TEXT, "thinking_delta": THINKING, "reasoning_delta": THINKING}
_COUNTS = {
    "prompt_tokens": "input_tokens",  # of servers that count as for Chat Completions
    "completion_tokens": "output_tokens",
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}


def _without_lifetime(body: Mapping[str, Any]) -> dict[str, Any]:
    return _in_blocks(body, lambda block: {**block, "cache_control": {"type": "ephemeral"}})


def _without_cache(body: Mapping[str, Any]) -> dict[str, Any]:
    return _in_blocks(body, without("cache_control"))


def _in_blocks(body: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """Return a request with the blocks changed that its cache has a breakpoint behind."""

    def changed(blocks: Any) -> Any:
        is_list = isinstance(blocks, list)
        return [change(block) if "cache_control" in block else block for block in blocks] if is_list else blocks

    messages = [{**message, "content": changed(message["content"])} for message in body["messages"]]
    return {name: changed(value) for name, value in body.items()} | {"messages": messages}


_CHANGES = (
    (r"\bttl\b", _without_lifetime),
    (r"cache_control", _without_cache),
    (r"output_config|\beffort\b", without("output_config")),
)


class AnthropicMessages:
    """Asks by the anthropic SDK; replies are read here, for compatible servers leave out what the SDK counts on."""

    def __init__(self, settings: LLMSettings) -> None:
        # Retries are ours: the SDK's sleep for as long as a Retry-After header says, even for a day.
        self._sdk = anthropic.AsyncAnthropic(
            api_key=settings.key,
            base_url=settings.url,
            max_retries=0,
            timeout=timeout(settings),
            default_headers=settings.default_headers,
            http_client=anthropic.DefaultAsyncHttpxClient(event_hooks=guards(settings.url)),
        )
        self._dialect = Dialect(_CHANGES)

    async def ask(self, request: Mapping[str, Any], received: Received) -> None:
        """Send a request once; see `Provider.ask`."""

        async def send(body: Mapping[str, Any]) -> None:
            opened = self._sdk.messages.with_streaming_response.create(**body, stream=True)
            await receive(opened, received, _take_event, _take_message, anthropic)

        await self._dialect.ask(request, received, send)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._sdk.close()


def _take_event(name: str, event: Mapping[str, Any], received: Received) -> None:
    match event.get("type") or name:
        case "message_start":
            _take_message_fields(table(event.get("message")), received)
        case "content_block_start":
            _take_block(table(event.get("content_block")), received)
        case "content_block_delta":
            delta = table(event.get("delta"))
            kind = _DELTAS.get(str(delta.get("type") or "text_delta"))
            if kind is not None:
                received.add(kind, delta.get(kind) or delta.get("text"))
            received.cite(table(delta.get("citation")))
        case "message_delta":
            _take_end(table(event.get("delta")), received)
            _take_usage(event.get("usage"), received)
        case "message_stop":
            received.is_complete = True
        case "message":
            _take_message(event, received)
        case kind if kind == "error" or event.get("error"):
            take_error(event, received)


def _take_message(message: Mapping[str, Any], received: Received) -> None:
    if message.get("type") != "message" and not isinstance(message.get("content"), list | str):
        take_error(message, received)
        return
    _take_message_fields(message, received)
    received.is_complete = True


def _take_message_fields(message: Mapping[str, Any], received: Received) -> None:
    received.begin(id=message.get("id"), model=message.get("model"))
    content = message.get("content")
    blocks = [{"text": content}] if isinstance(content, str) and content else content
    for block in blocks if isinstance(blocks, list) else []:
        _take_block(table(block), received)
    _take_end(message, received)
    _take_usage(message.get("usage"), received)


def _take_block(block: Mapping[str, Any], received: Received) -> None:
    kind = str(block.get("type") or TEXT)
    kind = _KINDS.get(kind, kind)
    received.add(kind, block.get(kind) or block.get("text"))
    citations = block.get("citations")
    for citation in citations if isinstance(citations, list) else []:
        received.cite(table(citation))


def _take_end(fields: Mapping[str, Any], received: Received) -> None:
    if isinstance(fields.get("stop_reason"), str):
        received.stop_reason = fields["stop_reason"]
    received.begin(stop_details=fields.get("stop_details"))


def _take_usage(usage: object, received: Received) -> None:
    counts = table(usage)
    for theirs, ours in _COUNTS.items():
        received.count(**{ours: counts.get(theirs)})
    received.bill(counts)
    received.count(web_searches=table(counts.get("server_tool_use")).get("web_search_requests"))

"""Replies of a Messages server that let a coding agent use its tools."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from operators.llm.rehearsal import Behaviour, Body, Reply, Responder


@dataclass
class ToolUse(Reply):
    """A message that uses one tool."""

    stop_reason: str | None = "tool_use"
    name: str = ""
    arguments: Body = field(default_factory=dict)

    def content(self) -> list[Body]:
        return [{"type": "tool_use", "id": "toolu_test", "name": self.name, "input": self.arguments}]

    def events(self, model: str) -> Iterable[Body]:
        start = {**self.message(model), "content": [], "stop_reason": None, "usage": self.usage(1)}
        yield {"type": "message_start", "message": start}
        yield {"type": "content_block_start", "index": 0, "content_block": {**self.content()[0], "input": {}}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(self.arguments)}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
        yield {"type": "content_block_stop", "index": 0}
        ended = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": self.output_tokens}}
        yield {"type": "message_stop"}


def use(name: str, **arguments: Any) -> Behaviour:
    """Answer by using a tool."""

    def behave(responder: Responder) -> None:
        responder.answer(ToolUse(name=name, arguments=arguments))

    return behave

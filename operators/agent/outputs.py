"""Reads what coding agents print: one JSON object a line, in the words of several of them.

An agent is as untrusted as what it writes. What is no JSON, or holds something else than is expected, says nothing.

- `claude --output-format json` or `stream-json`: https://docs.claude.com/en/docs/claude-code/sdk/sdk-headless
- `codex exec --json`: https://github.com/openai/codex/blob/main/docs/exec.md
- `opencode run --format json`: https://opencode.ai/docs/cli/
- any other: an object with `result`, `total_cost_usd`, `num_turns` and `usage` as the first one has them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from operators.llm.prices import Usage, cost_usd, dollars_in, price_of
from operators.llm.text import clean_text, one_line, shallow_json

_ENTRY_CHARACTERS = 2_000
_MOST_ENTRIES = 200
_MOST_TOKENS = 10**10


class AgentOutput:
    """What an agent has said so far.

    Attributes:
        transcript: its messages and the tools that it used, in order; the first and the last of many.
        result: its last message.
        error: what it says went wrong; empty for nothing.
        turns: that it reports; 0 for none.
        model: that it reports; empty for none.
    """

    def __init__(self) -> None:
        self._entries: list[str] = []
        self._left_out = 0
        self.result = ""
        self.error = ""
        self.turns = 0
        self.model = ""
        self._messages: dict[str, Usage] = {}
        self._steps = Usage()
        self._total: Usage | None = None
        self._cost: float | None = None

    @property
    def usage(self) -> Usage:
        """The tokens that it reports: in total, or else of its messages so far."""
        return self._total or sum(self._messages.values(), self._steps)

    @property
    def cost_usd(self) -> float | None:
        """What it reports to have cost, else what its tokens cost at the model's price; None where both are unknown."""
        if self._cost is not None:
            return self._cost
        return None if self.usage == Usage() else cost_usd(self.usage, price_of(self.model), "5m")

    @property
    def transcript(self) -> list[str]:
        """Its messages and the tools that it used, in order; of many the first and the last."""
        if not self._left_out:
            return [*self._entries]
        half = _MOST_ENTRIES // 2
        return [*self._entries[:half], f"[… {self._left_out} more …]", *self._entries[half:]]

    def feed(self, line: str) -> None:
        """Take in a line of its standard output."""
        try:
            event = shallow_json(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict):
            return
        kind = event.get("type", "result")
        if kind == "system":
            self._system(event)
        elif kind in ("assistant", "user"):
            self._message(kind, _object(event, "message"))
        elif kind == "result":
            self._result(event)
        elif kind == "turn.completed":
            self._steps += _openai_usage(_object(event, "usage"))
            self.error = ""  # what was reported before was overcome
        elif kind == "item.completed":
            self._item(_object(event, "item"))
        elif kind in ("text", "tool_use", "step_finish"):
            self._part(kind, _object(event, "part"))
        elif kind in ("error", "turn.failed"):
            self.error = one_line(json.dumps(event.get("error") or event.get("message") or ""), _ENTRY_CHARACTERS)

    def _system(self, event: Mapping[str, Any]) -> None:
        if isinstance(event.get("model"), str):
            self.model = one_line(event["model"], 100)
        elif event.get("subtype") == "api_retry":  # it tries for minutes, and says nothing of it when its time is over
            self.error = one_line(json.dumps([event.get("error"), event.get("error_status")]), _ENTRY_CHARACTERS)

    def _message(self, kind: str, message: Mapping[str, Any]) -> None:
        if isinstance(message.get("model"), str):
            self.model = one_line(message["model"], 100)
        if kind == "assistant":  # told again with each of its blocks
            self.error = ""  # as above
            self._messages[str(message.get("id"))] = _anthropic_usage(_object(message, "usage"))
        content = message.get("content")
        for block in content if isinstance(content, list) else []:
            if not isinstance(block, dict):
                continue
            if block.get("type") == "text":
                self._say("agent", block.get("text"))
            elif block.get("type") == "tool_use":
                self._say(str(block.get("name")), json.dumps(block.get("input"), ensure_ascii=False))
            elif block.get("type") == "tool_result":
                self._say("result", json.dumps(block.get("content"), ensure_ascii=False))

    def _result(self, event: Mapping[str, Any]) -> None:
        self.result = _text(event.get("result")) or self.result
        if event.get("is_error") is True:
            self.error = one_line(self.result or _text(event.get("subtype")) or "an error", _ENTRY_CHARACTERS)
        self.turns = _count(event.get("num_turns"))
        # After a call that had to be repeated, `usage` leaves out what came before it; `modelUsage` does not.
        models = [_object(_object(event, "modelUsage"), name) for name in _object(event, "modelUsage")]
        usage = sum(map(_usage_of_model, models), Usage()) if models else _anthropic_usage(_object(event, "usage"))
        self._total = usage if usage != Usage() else self._total
        cost = dollars_in(event.get("total_cost_usd"))
        self._cost = self._cost if cost is None else cost

    def _item(self, item: Mapping[str, Any]) -> None:
        if item.get("type") == "agent_message":
            self.result = _text(item.get("text"))
            self._say("agent", item.get("text"))
        elif item.get("type") != "reasoning":
            self._say(str(item.get("type")), json.dumps(item, ensure_ascii=False))

    def _part(self, kind: str, part: Mapping[str, Any]) -> None:
        if kind == "text":
            self.result = _text(part.get("text"))
            self._say("agent", part.get("text"))
        elif kind == "tool_use":
            self._say(str(part.get("tool")), json.dumps(part.get("state"), ensure_ascii=False))
        else:
            tokens = _object(part, "tokens")
            cache = _object(tokens, "cache")
            self._steps += Usage(
                _count(tokens.get("input")),
                _count(tokens.get("output")) + _count(tokens.get("reasoning")),
                _count(cache.get("read")),
                _count(cache.get("write")),
            )
            self.turns += 1
            self.error = ""  # as above
            if (cost := dollars_in(part.get("cost"))) is not None:
                self._cost = (self._cost or 0.0) + cost

    def _say(self, role: str, what: object) -> None:
        entry = f"{one_line(role, 100)}: {one_line(_text(what), _ENTRY_CHARACTERS)}"
        if len(self._entries) == _MOST_ENTRIES:
            del self._entries[_MOST_ENTRIES // 2]
            self._left_out += 1
        self._entries.append(entry)


def _object(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = event.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return clean_text(value) if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS else 0


def _anthropic_usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        _count(usage.get("input_tokens")),
        _count(usage.get("output_tokens")),
        _count(usage.get("cache_read_input_tokens")),
        _count(usage.get("cache_creation_input_tokens")),
    )


def _usage_of_model(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        _count(usage.get("inputTokens")),
        _count(usage.get("outputTokens")),
        _count(usage.get("cacheReadInputTokens")),
        _count(usage.get("cacheCreationInputTokens")),
    )


def _openai_usage(usage: Mapping[str, Any]) -> Usage:
    cached, written = _count(usage.get("cached_input_tokens")), _count(usage.get("cache_write_input_tokens"))
    fresh = max(0, _count(usage.get("input_tokens")) - cached - written)
    return Usage(fresh, _count(usage.get("output_tokens")), cached, written)

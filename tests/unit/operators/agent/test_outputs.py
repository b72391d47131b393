"""What coding agents print: the events of three of them as they were printed, and whatever else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operators.agent.outputs import AgentOutput
from operators.llm.prices import Usage

USAGE = {"input_tokens": 1000, "output_tokens": 100, "cache_read_input_tokens": 50, "cache_creation_input_tokens": 20}


def read(*events: Any) -> AgentOutput:
    output = AgentOutput()
    for event in events:
        output.feed(event if isinstance(event, str) else json.dumps(event))
    return output


def message(number: str, *content: Any) -> dict[str, Any]:
    fields = {"id": number, "model": "claude-sonnet-5-5", "content": list(content), "usage": USAGE}
    return {"type": "assistant", "message": fields}


CLAUDE = (
    {"type": "system", "subtype": "init", "model": "claude-sonnet-5-5"},
    message("1", {"type": "text", "text": "I look."}),
    message("1", {"type": "tool_use", "name": "Read", "input": {"file_path": "train.py"}}),
    {"type": "user", "message": {"content": [{"type": "tool_result", "content": "1\timport torch"}]}},
    message("2", {"type": "text", "text": "Done."}),
)


def test_its_last_message_can_be_stored_and_shown() -> None:
    assert read({"result": "a\ud800\u202eb\x00"}).result == "a\N{REPLACEMENT CHARACTER}b"


def test_claude_code() -> None:
    usage = {"input_tokens": 2000, "output_tokens": 200}
    end = {"type": "result", "result": "Done.", "num_turns": 3, "total_cost_usd": 0.5, "usage": usage}
    by_model = {"a": {"inputTokens": 2500, "outputTokens": 200}, "b": {"inputTokens": 500, "cacheReadInputTokens": 9}}
    assert read(*CLAUDE, {**end, "modelUsage": by_model}).usage == Usage(3000, 200, 9)
    output = read(*CLAUDE, end)
    assert (output.result, output.turns, output.cost_usd, output.model) == ("Done.", 3, 0.5, "claude-sonnet-5-5")
    assert output.usage == Usage(2000, 200)
    assert [entry.partition(":")[0] for entry in output.transcript] == ["agent", "Read", "result", "agent"]


def test_claude_code_that_tries_again_says_why_until_it_is_answered() -> None:
    retry = {"type": "system", "subtype": "api_retry", "error_status": 401, "error": "authentication_failed"}
    assert read(CLAUDE[0], retry).error == '["authentication_failed", 401]'
    assert read(CLAUDE[0], retry, *CLAUDE[1:]).error == ""


def test_claude_code_that_is_killed_has_cost_what_its_messages_tell() -> None:
    output = read(*CLAUDE)
    assert output.usage == Usage(2000, 200, 100, 40)  # of two messages, one of them told twice
    assert output.cost_usd == pytest.approx((2 * (2000 + 0.05 * 100 + 1.25 * 40) + 10 * 200) / 1e6)


def test_codex() -> None:
    usage = {"input_tokens": 2000, "cached_input_tokens": 800, "cache_write_input_tokens": 50, "output_tokens": 100}
    output = read(
        {"type": "error", "message": "Reconnecting... 1/5"},
        {"type": "item.completed", "item": {"type": "command_execution", "command": "sed", "exit_code": 0}},
        {"type": "item.completed", "item": {"type": "reasoning", "text": "hmm"}},
        {"type": "item.completed", "item": {"type": "agent_message", "text": "Done."}},
        {"type": "turn.completed", "usage": usage},
    )
    assert (output.result, output.error, output.cost_usd) == ("Done.", "", None)
    assert output.usage == Usage(1150, 100, 800, 50)
    assert len(output.transcript) == 2


def test_opencode() -> None:
    tokens = {"input": 1000, "output": 100, "reasoning": 20, "cache": {"read": 5, "write": 7}}
    step = {"type": "step_finish", "part": {"cost": 0.25, "tokens": tokens}}
    output = read(
        {"type": "tool_use", "part": {"tool": "write", "state": {"status": "completed"}}},
        step,
        {"type": "text", "part": {"text": "Done."}},
        step,
    )
    assert (output.result, output.turns, output.cost_usd) == ("Done.", 2, 0.5)
    assert output.usage == Usage(2000, 240, 10, 14)


def test_an_object_of_any_other() -> None:
    output = read("working …", {"result": "Done.", "total_cost_usd": 0.1, "usage": {"input_tokens": 7}})
    assert (output.result, output.cost_usd, output.usage) == ("Done.", 0.1, Usage(7))


@pytest.mark.parametrize("cost", [-1, "much", None, True, 1e9, [0.1]])
def test_a_cost_that_cannot_be_is_unknown(cost: object) -> None:
    assert read({"total_cost_usd": cost}).cost_usd is None
    assert read('{"total_cost_usd": NaN, "usage": {"input_tokens": -5, "output_tokens": 1e3}}').cost_usd is None


def test_a_long_transcript_keeps_its_beginning_and_its_end() -> None:
    output = read(*({"type": "text", "part": {"text": f"{number} " + "x" * 5000}} for number in range(1000)))
    assert output.transcript[0].startswith("agent: 0 ")
    assert output.transcript[-1].startswith("agent: 999 ")
    assert sum(map(len, output.transcript)) < 500_000
    assert "[… 800 more …]" in output.transcript


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(("usage", "content", "text", "id", "cache")), inner)
    ),
    max_leaves=10,
)
KINDS = ("system", "assistant", "user", "result", "turn.completed", "item.completed", "text", "step_finish", "error")
EVENTS = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional=dict.fromkeys(
        ("message", "usage", "modelUsage", "item", "part", "result", "error", "num_turns", "total_cost_usd"), JSON
    ),
)


@given(st.lists(EVENTS.map(json.dumps) | JSON.map(json.dumps) | st.text()))
def test_nothing_that_is_printed_can_do_harm(lines: list[str]) -> None:
    output = read(*lines)
    assert output.cost_usd is None or output.cost_usd >= 0
    assert min(output.usage.input_tokens, output.usage.output_tokens, output.turns) >= 0
    assert "\n" not in "".join(output.transcript)

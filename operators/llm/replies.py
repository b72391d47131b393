"""What a recorded reply means: text to work with, a slip to be repaired, or an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from operators.llm.text import one_line

EXPLANATION_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """A reply as read; decided by the recorded JSON alone, so that a replayed reply reads the same.

    Attributes:
        text: all text blocks, joined; thinking is left out.
        problem: why the text cannot be used; empty when it can.
        repairable: whether telling the model the problem may help.
    """

    text: str
    problem: str = ""
    repairable: bool = False


_CUT_OFF = (
    "Your reply was cut off at its longest permitted length. Answer shorter: the hypothesis and small blocks only."
)
_SLIPS = {
    "max_tokens": _CUT_OFF,
    "length": _CUT_OFF,
    "max_length": _CUT_OFF,
    "max_output_tokens": _CUT_OFF,
    "pause_turn": "Your reply paused before it was complete. Send the whole reply.",
    "tool_use": "There are no tools here. Answer in plain text with SEARCH/REPLACE blocks.",
}
_ENDS = {
    "model_context_window_exceeded": "the prompt and the reply exceed the model's context window",
    None: "the reply broke off or was longer than any program may be",
}


def read_reply(reply: Mapping[str, Any]) -> Reading:
    """Return what a reply, complete or not, is good for.

    Servers have many names for a regular end ("stop", "eos", none at all), so one that is not known is none to doubt.
    """
    text = _text(reply)
    stop_reason = reply.get("stop_reason")
    if stop_reason == "tool_use" and text.strip():  # a call of a tool beside the answer does not spoil it
        return Reading(text)
    if stop_reason not in _SLIPS and stop_reason not in _ENDS and stop_reason != "refusal":
        if text.strip():
            return Reading(text)
        kinds = ", ".join(str(block.get("type")) for block in _blocks(reply)) or "nothing"
        return Reading("", f"Your reply held no text (only: {kinds}).", repairable=True)
    if stop_reason in _SLIPS:
        return Reading(text, _SLIPS[stop_reason], repairable=True)
    return Reading(text, _refusal(reply) if stop_reason == "refusal" else _ENDS[stop_reason])


def _blocks(reply: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    content = reply.get("content")
    return [block for block in content if isinstance(block, Mapping)] if isinstance(content, list) else []


def _text(reply: Mapping[str, Any]) -> str:
    return "\n".join(str(block.get("text") or "") for block in _blocks(reply) if block.get("type") == "text")


def _refusal(reply: Mapping[str, Any]) -> str:
    details = reply.get("stop_details")
    details = details if isinstance(details, Mapping) else {}
    category = details.get("category") or "no category"
    said = [str(block.get("text")) for block in _blocks(reply) if block.get("type") == "refusal"]
    explanation = one_line(str(details.get("explanation") or " ".join(said)), EXPLANATION_CHARACTERS).rstrip(".")
    return f"the model refused ({category})" + (f": {explanation}" if explanation else "")

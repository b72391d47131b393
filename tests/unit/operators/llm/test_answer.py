"""Reasoning and withdrawn drafts are no answer."""

from __future__ import annotations

import pytest

from operators.llm.answer import final_answer, without_reasoning
from operators.llm.blocks import UnusableReply
from operators.llm.replies import read_reply

BLOCK = "<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE"
DRAFT = BLOCK.replace("b", "draft")


@pytest.mark.parametrize(
    "reply",
    [
        "<think>\nLet me see.\n</think>\nAnswer",
        "Let me see.\n</think>\nAnswer",
        "Let me see.</think>\nAnswer",
        "</think>Answer",
        "<thinking>One</thinking>\n<thinking>\nTwo\n</thinking>\nAnswer",
        "[THINK]One[/THINK]\nAnswer",
        "<|channel|>analysis<|message|>One<|end|><|start|>assistant<|channel|>final<|message|>Answer",
        "Answer\n<think>\nand then",
    ],
)
def test_the_answer_stands_behind_the_reasoning(reply: str) -> None:
    assert without_reasoning(reply).strip() == "Answer"


def test_a_program_may_name_the_marks_of_reasoning() -> None:
    reply = BLOCK.replace("b", 'SPECIAL = ["<think>", "</think>"]')
    assert final_answer(reply) == reply


def test_a_reply_that_never_leaves_its_reasoning_is_refused() -> None:
    with pytest.raises(UnusableReply, match="within its reasoning"):
        final_answer(f"<think>\n{BLOCK}\nHmm")


@pytest.mark.parametrize(
    "between",
    [
        "Actually that is wrong; final answer:\n",
        "Hmm, that would never train.\nFinal version:\n",
        "Wait.\n\nHypothesis: better.\n",
        "That was a mistake.\n**Hypothesis:** better.\n",
    ],
)
def test_a_draft_that_is_taken_back_is_left_out(between: str) -> None:
    answer = final_answer(f"Hypothesis: worse.\n{DRAFT}\n{between}{BLOCK}\n")
    assert "draft" not in answer
    assert BLOCK in answer


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (f"Hypothesis: one.\n{DRAFT}\nHypothesis: two.\n{BLOCK}", "says twice"),
        (f"Hypothesis: one.\n{DRAFT}\nAlternatively:\n{BLOCK}", "unclear which"),
        (f"Hypothesis: one.\n{DRAFT}\nActually, that is wrong.", "Actually, that is wrong"),
    ],
)
def test_what_may_be_meant_in_two_ways_is_refused(reply: str, reason: str) -> None:
    with pytest.raises(UnusableReply, match=reason):
        final_answer(reply)


@pytest.mark.parametrize(
    "reply",
    [
        f"Actually, it is low.\nHypothesis: one.\n{BLOCK}\nAnd for that:\n{BLOCK}\nThis is the final version.",
        f"The line is\n```python\na\n```\nHypothesis: one.\n{BLOCK}",
        "Hypothesis: one.\n```python\na = 1\n```\nRun it with\n```sh\nmake\n```",
    ],
)
def test_prose_around_the_changes_is_no_doubt(reply: str) -> None:
    assert final_answer(reply) == reply


def test_a_refusal_is_told_in_the_words_of_the_model() -> None:
    reply = {"content": [{"type": "refusal", "text": "I can't."}], "stop_reason": "refusal"}
    assert read_reply(reply).problem == "the model refused (no category): I can't"

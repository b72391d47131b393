"""Finds the answer in a reply: reasoning is no answer, and neither is a draft that its author takes back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from operators.llm.blocks import Line, UnusableReply, outside_blocks, parse_blocks
from operators.llm.text import one_line

_QUOTED_CHARACTERS = 120
_HYPOTHESIS_CHARACTERS = 1000
_NAMES = r"(?:\w+:)?(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad)"
# At an end of a line, for a program may hold the same signs within a string.
_REASONING_ENDS = re.compile(
    rf"^[ \t]*(?:<{_NAMES}>.*)?</{_NAMES}>"
    rf"|</{_NAMES}>[ \t]*$|\[/THINK\][ \t]*$|^[ \t]*\[/THINK\]|<\|channel\|>final<\|message\|>",
    re.IGNORECASE | re.MULTILINE,
)
_REASONING_BEGINS = re.compile(
    rf"^[ \t]*<{_NAMES}>|^[ \t]*\[THINK\]|<\|channel\|>(?:analysis|commentary)<\|message\|>",
    re.IGNORECASE | re.MULTILINE,
)
_TAGS = r"(?:</?[a-z][\w:.-]*>\W*)*"
_HYPOTHESIS = re.compile(
    rf"^\W*{_TAGS}hypothesis(?:[\s*_\"]*+[:：][\s*_\"]*+|>\s*+(?=.*</hypothesis>))(.*\S)", re.IGNORECASE
)
_FINAL = re.compile(
    r"\b(?:final|revised|corrected) (?:answer|version|reply|response|edits?|changes?|blocks?)\b", re.IGNORECASE
)
_TAKES_BACK = re.compile(
    r"^\W*(?:actually|wait|hmm+|oops|no[,.!;:—–-]|sorry|scratch that|never ?mind|correction|on second thoughts?"
    r"|alternatively|let me (?:re|try again|start over|fix|correct))\b"
    r"|\b(?:that|this|it)(?: (?:draft|idea|block|version|change|edit|one|attempt))?(?: above)?"
    r" (?:is|was|would be|looks?) (?:\w+ )?(?:wrong|mistaken|a mistake|incorrect|not right|broken)\b"
    r"|\b(?:that|this|it) (?:would|will) (?:not|never) (?:work|run|train|help)\b"
    r"|\b(?:ignore|disregard|discard|forget) (?:that|this|it|the (?:first|above|previous|earlier|draft))\b",
    re.IGNORECASE,
)


def without_reasoning(reply: str) -> str:
    """Return what a reply says after its reasoning; nothing when it never leaves it."""
    ends = list(_REASONING_ENDS.finditer(reply))
    answer = reply[ends[-1].end() :] if ends else reply
    begins = _REASONING_BEGINS.search(answer)
    return answer[: begins.start()] if begins else answer


def final_answer(reply: str) -> str:
    """Return the part of a reply that is meant to be applied.

    What stands before a new hypothesis or a "final answer" is a draft if the reply takes it back.

    Raises:
        UnusableReply: it is unclear which changes are meant, or the reply is nothing but reasoning.
    """
    answer = without_reasoning(reply)
    if reply.strip() and not answer.strip():
        raise UnusableReply("The reply ended within its reasoning. Reason shorter, and send the answer after it.")
    lines, blocks = outside_blocks(answer)
    changes = blocks or [line.number for line in lines if line.in_fence]
    if not changes:
        return answer
    remarks = [line for line in lines if not line.in_fence and line.number > changes[0]]
    doubts = [line for line in remarks if _TAKES_BACK.search(line.text) or _is_between(line, changes)]
    restarts = [line for line in remarks if _is_between(line, changes) or _states(line, changes)]
    if restarts:
        is_taken_back = doubts and doubts[0].number <= restarts[-1].number
        if not is_taken_back and not _says_the_same(answer, restarts[-1].number):
            raise UnusableReply(
                f"The reply says twice what it changes, the second time in `{_quoted(restarts[-1])}`. Propose one "
                "idea: one line of hypothesis, then its blocks."
            )
        doubts = [line for line in doubts if line.number > restarts[-1].number]
    if doubts:
        raise UnusableReply(
            f"After a change the reply says `{_quoted(doubts[0])}`, so it is unclear which changes are meant. Send "
            "only the final ones, without drafts or remarks between them."
        )
    return "\n".join(answer.split("\n")[restarts[-1].number :]) if restarts else answer


def _says_the_same(answer: str, restart: int) -> bool:
    """Return whether the blocks of an answer before a line are those behind it."""
    lines = answer.split("\n")
    before, after = (
        {(edit.search, edit.replace) for edit in parse_blocks("\n".join(part))}
        for part in (lines[:restart], lines[restart:])
    )
    return before == after != set()


def hypothesis(text: str) -> str:
    """Return the hypothesis that a line states; empty when it states none."""
    match = _HYPOTHESIS.match(text)
    stated = match[1][:_HYPOTHESIS_CHARACTERS].partition("</hypothesis>")[0] if match else ""
    stated = re.sub(r"(?:</\w+>\s*)+$", "", stated)
    return stated.rstrip('*_ ",}' if text.lstrip().startswith("{") else '*_ ",')


def without_tags(text: str) -> str:
    """Return a line of prose without tags before it, which a reply was wrapped in."""
    return re.sub(r"^\s*(?:</?[a-z][\w:.-]*>\s*)*", "", text, flags=re.IGNORECASE)


def _is_between(line: Line, changes: Sequence[int]) -> bool:
    """Return whether a line announces that what follows it is what counts."""
    return line.number < changes[-1] and _FINAL.search(line.text) is not None


def _states(line: Line, changes: Sequence[int]) -> bool:
    return line.number < changes[-1] and _HYPOTHESIS.match(line.text) is not None


def _quoted(line: Line) -> str:
    return one_line(line.text.replace("`", "'"), _QUOTED_CHARACTERS)

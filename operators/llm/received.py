"""What has come of one reply so far, whatever dialect it was told in, as a message of the Messages API.

A server may leave out or misname almost everything around the text. What it leaves out is never a reason to throw away
a text that came; only what says that the text is incomplete is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from operators.llm.prices import Usage, told_usd
from operators.llm.retries import Failure, Verdict
from operators.llm.text import clean_text, one_line

REPLY_CHARACTERS = 400_000
"""A reply is cut here; a program of any use is far shorter."""
CHARACTERS_PER_TOKEN = 3
"""A low estimate, so that the tokens of a reply that broke off are rather over- than underestimated."""
CHARACTERS_PER_TOKEN_AT_MOST = 40
"""More than any tokenizer makes of text; a server that counts fewer tokens has not counted all."""
MOST_TOKENS = 1_000_000_000
"""A larger count is no count."""
EXCERPT_CHARACTERS = 300
_MOST_CITATIONS = 20
_ADDRESS = re.compile(r"https?://[!-~]{1,300}")

TEXT = "text"
THINKING = "thinking"
REFUSAL = "refusal"


@dataclass(slots=True)
class Attempt:
    """What came back, also when the attempt failed half-way.

    Attributes:
        reply: the JSON message as far as it arrived; None when not even its beginning did.
        usage: tokens that were billed or, where the service does not say, are likely to be.
        failure: None when `reply` is all that the service meant to say, or all that may be read of it.
        is_counted: whether the service has said how many tokens a complete reply took.
    """

    reply: dict[str, Any] | None = None
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None
    is_counted: bool = True


class Received:
    """Collects one reply.

    Attributes:
        failure: why it is not what the service meant to say.
        is_complete: whether the service said that it has said all.
        stop_reason: in the terms of the Messages API where it is known; None while none was given.
        requests_left: how many more the server takes for now; None where it does not say.
        refusal: the error with which a server refused the request itself, as JSON; empty where it did not.
        adapted_to: the refusals because of which requests go out in another form from this one on.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.is_complete = False
        self.stop_reason: str | None = None
        self.requests_left: int | None = None
        self.refusal = ""
        self.adapted_to = ""
        self._begun = False
        self._fields: dict[str, Any] = {}
        self._blocks: list[tuple[str, list[str]]] = []
        self._counts: dict[str, int] = {}
        self._told_usd: float | None = None
        self._citations: dict[str, str] = {}
        self._characters = 0

    @property
    def has_text(self) -> bool:
        """Whether something of the answer has come."""
        return any(kind == TEXT and any(pieces) for kind, pieces in self._blocks)

    @property
    def is_too_long(self) -> bool:
        """Whether no more of it need be read."""
        return self._characters > REPLY_CHARACTERS

    def begin(self, **fields: object) -> None:
        """Take in that a message begins, and what is said about it, such as its model."""
        self._begun = True
        self._fields |= {name: value for name, value in fields.items() if value is not None}

    def add(self, kind: str, text: object, *, joins: bool = False) -> None:
        """Append to the reply.

        Args:
            kind: `TEXT`, `THINKING`, `REFUSAL`, or another kind of block whose content does not matter.
            text: what came; what is no string only begins a block.
            joins: whether it continues the block of its kind also where another one has come between.
        """
        self._begun = True
        if kind == REFUSAL:
            self.stop_reason = REFUSAL
        begun = [block for block in (self._blocks if joins else self._blocks[-1:]) if block[0] == kind]
        if not begun:
            begun = [(kind, [])]
            self._blocks += begun
        if isinstance(text, str):
            begun[0][1].append(text)
            self._characters += len(text)

    def tell_whole(self, parts: Iterable[tuple[str, object]]) -> None:
        """Take in the whole of a reply, in place of the pieces that came of it before."""
        whole = [(kind, text) for kind, text in parts if isinstance(text, str) and text]
        told = {kind for kind, _ in whole}
        self._blocks = [block for block in self._blocks if block[0] not in told]
        self._characters = sum(len(piece) for _, pieces in self._blocks for piece in pieces)
        for kind, text in whole:
            self.add(kind, text)

    def cite(self, citation: Mapping[str, Any]) -> None:
        """Take in a page of the web that the reply rests on: its `url` and `title`."""
        url, title = citation.get("url"), citation.get("title")
        if isinstance(url, str) and _ADDRESS.fullmatch(url) and len(self._citations) < _MOST_CITATIONS:
            self._citations.setdefault(url, one_line(title if isinstance(title, str) else "", EXCERPT_CHARACTERS))

    def count(self, **tokens: object) -> None:
        """Take in counts of tokens by the names of `Usage`; what is no count is passed over."""
        for name, value in tokens.items():
            if (counted := count_in(value)) is not None:
                # A zero behind a count is a field left empty.
                self._counts[name] = counted or self._counts.get(name, 0)

    def count_with_cached(self, prompt: int | None, completion: int | None, cached: int | None) -> None:
        """Take in counts of a server that counts what it read from its cache among the tokens of the prompt."""
        if prompt is not None and cached is not None and cached <= prompt:
            prompt -= cached  # counted apart, as the Messages API does
        self.count(input_tokens=prompt, output_tokens=completion, cache_read_tokens=cached)

    def bill(self, usage: Mapping[str, Any]) -> None:
        """Take in what the service says, beside its counts of tokens, that the call costs."""
        told = told_usd(usage)
        self._told_usd = self._told_usd if told is None else told

    def fail(self, kind: str, what: str, verdict: Verdict = Verdict.RETRY, next_step: str = "") -> None:
        """Take in why nothing more comes."""
        self.failure = Failure(verdict, kind, f"{kind}: {one_line(what, EXCERPT_CHARACTERS)}", next_step)

    def break_off(self, kind: str, what: str) -> None:
        """Take in that nothing more comes, which is no failure where the service has said why the reply ends."""
        if self.stop_reason is None and not self.is_complete:
            self.fail(kind, what)

    def end(self) -> None:
        """Take in that the stream has ended."""
        if self.failure is not None or self.is_too_long:
            return
        if not self._begun:
            self.fail("malformed reply", "the stream held no message")
        elif self.is_complete:
            self.stop_reason = self.stop_reason or ""
        elif self.stop_reason is None:
            self.fail("early end", "the stream ended before the reply was complete")

    def attempt(self, prompt_characters: int = 0, most_tokens: int = MOST_TOKENS, *, is_left: bool = False) -> Attempt:
        """Return what came.

        Args:
            prompt_characters: of the request; what a service that counts no tokens of it is taken to bill for.
            most_tokens: that the reply may have had, as requested.
            is_left: whether the call was cancelled or ran out of time, which a service that is at work bills for too.
        """
        likely_input = prompt_characters // CHARACTERS_PER_TOKEN
        if not self._begun:
            return Attempt(usage=Usage(likely_input if is_left else 0), failure=self.failure)
        usage = Usage(**self._counts, told_usd=self._told_usd)
        is_output_counted = usage.output_tokens * CHARACTERS_PER_TOKEN_AT_MOST >= self._characters
        is_complete = self.failure is None and not self.is_too_long
        is_counted = is_complete and is_output_counted and (usage.prompt_tokens > 0 or not self._characters)
        if not is_complete or not is_output_counted:
            likely = min(most_tokens, math.ceil(self._characters / CHARACTERS_PER_TOKEN))
            usage = replace(usage, output_tokens=max(usage.output_tokens, likely))
        if self._characters and not usage.prompt_tokens:
            usage = replace(usage, input_tokens=likely_input)
        reply = {
            "type": "message",
            "role": "assistant",
            **self._fields,
            "content": [_block(kind, "".join(pieces)) for kind, pieces in self._blocks],
            "stop_reason": None if self.is_too_long else self.stop_reason,
        }
        if not is_counted:
            reply["tokens_estimated"] = True
        if self._citations:
            reply["citations"] = [{"url": url, "title": title} for url, title in self._citations.items()]
        return Attempt(_cleaned(reply), usage, self.failure, is_counted or not is_complete)


def count_in(value: object) -> int | None:
    """Return the count that a value is, which may be a text; None for what is no count."""
    number = float(value) if isinstance(value, str) and value.isdecimal() else value
    if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number <= MOST_TOKENS:
        return None
    return int(number)


def _block(kind: str, content: str) -> dict[str, str]:
    return {"type": kind, kind if kind in (TEXT, THINKING) else TEXT: content}


def _cleaned(value: object) -> Any:
    """Return JSON that every encoder accepts, its text cleaned."""
    if isinstance(value, str):
        return clean_text(value[:REPLY_CHARACTERS])
    if isinstance(value, Mapping):
        return {clean_text(str(key)): _cleaned(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float) else str(value)

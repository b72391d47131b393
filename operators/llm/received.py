"""What has come of one reply so far, whatever dialect it was told in, as a message of the Messages API.

A server may leave out or misname almost everything around the text. What it leaves out is never a reason to throw away
a text that came; only what says that the text is incomplete is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from operators.llm.prices import Usage
from operators.llm.retries import Failure, Verdict
from operators.llm.text import clean_text, one_line

REPLY_CHARACTERS = 400_000
"""A reply is cut here; a program of any use is far shorter."""
CHARACTERS_PER_TOKEN = 3
"""A low estimate, so that the tokens of a reply that broke off are rather over- than underestimated."""
MOST_TOKENS = 1_000_000_000
"""A larger count is no count."""
EXCERPT_CHARACTERS = 300
_MOST_CITATIONS = 20
_ADDRESS = re.compile(r"https?://[!-~]{1,300}")

TEXT = "text"
THINKING = "thinking"


@dataclass(slots=True)
class Attempt:
    """What came back, also when the attempt failed half-way.

    Attributes:
        reply: the JSON message as far as it arrived; None when not even its beginning did.
        usage: tokens that were billed or, for a reply that broke off, are likely to be.
        failure: None when `reply` is all that the service meant to say, or all that may be read of it.
    """

    reply: dict[str, Any] | None = None
    usage: Usage = field(default_factory=Usage)
    failure: Failure | None = None


class Received:
    """Collects one reply.

    Attributes:
        failure: why it is not what the service meant to say.
        is_complete: whether the service said that it has said all.
        stop_reason: in the terms of the Messages API where it is known; None while none was given.
        requests_left: how many more the server takes for now; None where it does not say.
        refusal: the error with which a server refused the request itself, as JSON; empty where it did not.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.is_complete = False
        self.stop_reason: str | None = None
        self.requests_left: int | None = None
        self.refusal = ""
        self._begun = False
        self._fields: dict[str, Any] = {}
        self._blocks: list[tuple[str, list[str]]] = []
        self._counts: dict[str, int] = {}
        self._citations: dict[str, str] = {}
        self._characters = 0

    @property
    def is_too_long(self) -> bool:
        """Whether no more of it need be read."""
        return self._characters > REPLY_CHARACTERS

    def begin(self, **fields: object) -> None:
        """Take in that a message begins, and what is said about it, such as its model."""
        self._begun = True
        self._fields |= {name: value for name, value in fields.items() if value is not None}

    def add(self, kind: str, text: object) -> None:
        """Append to the reply: `TEXT`, `THINKING`, or another kind of block whose content does not matter."""
        self._begun = True
        if not self._blocks or self._blocks[-1][0] != kind:
            self._blocks.append((kind, []))
        if isinstance(text, str):
            self._blocks[-1][1].append(text)
            self._characters += len(text)

    def cite(self, citation: Mapping[str, Any]) -> None:
        """Take in a page of the web that the reply rests on: its `url` and `title`."""
        url, title = citation.get("url"), citation.get("title")
        if isinstance(url, str) and _ADDRESS.fullmatch(url) and len(self._citations) < _MOST_CITATIONS:
            self._citations.setdefault(url, one_line(title if isinstance(title, str) else "", EXCERPT_CHARACTERS))

    def count(self, **tokens: object) -> None:
        """Take in counts of tokens by the names of `Usage`; what is no count is passed over."""
        for name, value in tokens.items():
            if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
                self._counts[name] = int(value)

    def fail(self, kind: str, what: str, verdict: Verdict = Verdict.RETRY, next_step: str = "") -> None:
        """Take in why nothing more comes."""
        self.failure = Failure(verdict, kind, f"{kind}: {one_line(what, EXCERPT_CHARACTERS)}", next_step)

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

    def attempt(self) -> Attempt:
        """Return what came."""
        if not self._begun:
            return Attempt(failure=self.failure)
        usage = Usage(**self._counts)
        if self.failure is not None or self.is_too_long:
            likely = max(usage.output_tokens, self._characters // CHARACTERS_PER_TOKEN)
            usage = replace(usage, output_tokens=likely)
        reply = {
            "type": "message",
            "role": "assistant",
            **self._fields,
            "content": [_block(kind, "".join(pieces)) for kind, pieces in self._blocks],
            "stop_reason": None if self.is_too_long else self.stop_reason,
        }
        if self._citations:
            reply["citations"] = [{"url": url, "title": title} for url, title in self._citations.items()]
        return Attempt(_cleaned(reply), usage, self.failure)


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

"""What one server takes of a request, learnt from what it refuses.

Compatible servers differ in the fields that they know: a length of replies by another name, no usage in streams, no
effort, no system prompt. What a request can do without is changed as soon as an error names it, and stays so.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from operators.llm.received import Received

Change = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns a request in another form; in the same, where there is nothing to change."""

_UNKNOWN = re.compile(
    r"unsupported|unknown|unrecogni[sz]ed|unexpected|extra_?forbidden"
    r"|not (?:support|permitted|allowed|enabled|available|valid)"
    r"|additional properties|must be one of|invalid (?:value|param|role|field)",
    re.IGNORECASE,
)
_LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_LENGTH = re.compile(r"max_(?:\w+_)?tokens|(?:completion|output) tokens", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.])\d{3,7}(?![\w.]*\w)")

logger = logging.getLogger(__name__)


class Dialect:
    """Sends requests to one server in a form that it takes.

    Args:
        changes: what is changed where a server refuses it, by a pattern of the words that name it.
    """

    def __init__(self, changes: Sequence[tuple[str, Change]]) -> None:
        self._possible = [*changes]
        self._made: list[Change] = []
        self._most_tokens: int | None = None

    async def ask(
        self, request: Mapping[str, Any], received: Received, send: Callable[[Mapping[str, Any]], Awaitable[None]]
    ) -> None:
        """Send a request, again in another form while the server names a part of it that it does not take."""
        while True:
            body = self._fitted(request)
            await send(body)
            # Another call in flight may have learnt it meanwhile.
            if not received.refusal or (self._fitted(request) == body and not self._learns(body, received.refusal)):
                return
            received.failure, received.refusal = None, ""

    def _fitted(self, request: Mapping[str, Any]) -> dict[str, Any]:
        body = dict(request)
        for change in self._made:
            body = change(body)
        for name in _LENGTHS:
            if name in body and self._most_tokens is not None:
                body[name] = min(body[name], self._most_tokens)
        return body

    def _learns(self, body: Mapping[str, Any], refusal: str) -> bool:
        """Return whether the request that was refused can be sent in another form."""
        for pattern, change in self._possible if _UNKNOWN.search(refusal) else ():
            if re.search(pattern, refusal, re.IGNORECASE) and change(body) != body:
                self._possible.remove((pattern, change))
                self._made.append(change)
                logger.info("The server takes requests in another form: %s", refusal)
                return True
        length = max(body.get(name, 0) for name in _LENGTHS)
        stated = [int(number) for number in _NUMBER.findall(refusal) if int(number) < length]
        if self._most_tokens is None and stated and _LENGTH.search(refusal) and "context" not in refusal.lower():
            self._most_tokens = max(stated)
            return True
        return False


def without(name: str) -> Change:
    """Return the change that leaves a field out."""
    return lambda body: {key: value for key, value in body.items() if key != name}


def renamed(name: str, other: str) -> Change:
    """Return the change that calls a field otherwise."""
    return lambda body: {other if key == name else key: value for key, value in body.items()}

"""What one server takes of a request, learnt from what it refuses.

Compatible servers differ in the fields that they know: a length of replies by another name, no usage in streams, no
effort, no system prompt. What a request can do without is changed as soon as an error names it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from operators.llm.received import Received

Change = Callable[[Mapping[str, Any]], dict[str, Any]]
"""Returns a request in another form; in the same, where there is nothing to change."""

_LENGTHS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_LENGTH = re.compile(r"max\w*tokens|(?:completion|output)\b", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![\w.-])\d{4,7}(?![\w.-]*\w)")
_SHORTEST_TOKENS = 1000
"""A reply that may be no longer holds no change of any use."""


class Dialect:
    """Sends requests to one server in a form that it takes.

    Args:
        changes: what may be changed where a server refuses it, by a pattern of the words that name it. A change is kept
            once a request has been answered with it.
    """

    def __init__(self, changes: Sequence[tuple[str, Change]]) -> None:
        self._possible = changes
        self._kept: tuple[Change, ...] = ()

    async def ask(
        self, request: Mapping[str, Any], received: Received, send: Callable[[Mapping[str, Any]], Awaitable[None]]
    ) -> None:
        """Send a request, again in another form while the server names a part of it that it does not take."""
        tried: tuple[Change, ...] = ()
        refusals: list[str] = []
        while True:
            kept = self._kept
            body = dict(request)
            for change in (*kept, *tried):
                body = change(body)
            await send(body)
            if not received.refusal:
                break
            another = self._another(body, received.refusal, (*kept, *tried))
            if another is None and kept is self._kept:
                return
            refusals.append(received.refusal)
            tried = (*tried, another) if another else ()  # another call in flight may have learnt it meanwhile
            received.failure, received.refusal = None, ""
        if received.failure is None and tried:
            self._kept = (*kept, *tried)
            received.adapted_to = " · ".join(refusals)

    def _another(self, body: Mapping[str, Any], refusal: str, made: Sequence[Change]) -> Change | None:
        """Return a change of a request that was refused which may help; None if there is none."""
        named = [change for pattern, change in self._possible if re.search(pattern, refusal, re.IGNORECASE)]
        possible = [*_stated_lengths(body, refusal), *named, *_half_lengths(body, refusal)]
        return next((change for change in possible if change not in made and change(body) != body), None)


def _stated_lengths(body: Mapping[str, Any], refusal: str) -> list[Change]:
    """Return the change to the longest reply that a refusal names; none where it counts the prompt in."""
    numbers = [int(number) for number in _NUMBER.findall(re.sub(r"(?<=\d),(?=\d{3})", "", refusal))]
    shorter = [number for number in numbers if number < _length(body)]
    is_stated = shorter and _LENGTH.search(refusal) and not re.search("context|input", refusal, re.IGNORECASE)
    return [_at_most(max(shorter))] if is_stated else []


def _half_lengths(body: Mapping[str, Any], refusal: str) -> list[Change]:
    half = _length(body) // 2
    return [_at_most(half)] if half >= _SHORTEST_TOKENS and _LENGTH.search(refusal) else []


def _length(body: Mapping[str, Any]) -> int:
    return max(int(body.get(name, 0)) for name in _LENGTHS)


def _at_most(tokens: int) -> Change:
    """Return the change that asks for replies no longer than that."""
    return lambda body: {name: min(value, tokens) if name in _LENGTHS else value for name, value in body.items()}


def without(name: str) -> Change:
    """Return the change that leaves a field out."""
    return lambda body: {key: value for key, value in body.items() if key != name}


def unknown(name: str) -> str:
    """Return the pattern of words that say that a field has no such name."""
    no_such = r"unsupported|unknown|unrecogni[sz]ed|unexpected|extra|not (?:support|permitted|allowed)|additional"
    return rf"^(?=.*(?:{no_such})).*\b{name}\b"


def renamed(name: str, other: str) -> Change:
    """Return the change that calls a field otherwise."""
    return lambda body: {other if key == name else key: value for key, value in body.items()}

"""One filter for every text that is stored, logged or shown: it knows the secrets of a run's connections."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

_T = TypeVar("_T")
_LEAST_CHARACTERS = 8
"""A shorter one, such as the `dummy` that local servers are given, protects nothing and may be an ordinary word."""
REDACTED = "[key]"


class Redaction:
    """Puts `[key]` in the place of secrets, however they are quoted.

    Args:
        secrets: keys, and values of headers that may hold some.
    """

    def __init__(self, secrets: Iterable[str | None]) -> None:
        known = {secret.strip() for secret in secrets if secret and len(secret.strip()) >= _LEAST_CHARACTERS}
        known |= {secret.split(" ")[-1] for secret in known if len(secret.split(" ")[-1]) >= _LEAST_CHARACTERS}
        known |= {quote(secret, safe="") for secret in known}
        longest_first = sorted(known, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        return self._pattern.sub(REDACTED, text) if self._pattern else text

    def json(self, value: _T) -> _T:
        """Return a JSON value, or a part of one, without the secrets in any of its strings."""
        redacted: _T = self._of(value) if self._pattern else value
        return redacted

    def _of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._of(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._of(item) for item in value]
        return value

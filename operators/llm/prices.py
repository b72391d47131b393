"""What a call of a language model costs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

CacheLifetime = Literal["5m", "1h"]

CACHE_WRITE_FACTOR: dict[CacheLifetime, float] = {"5m": 1.25, "1h": 2.0}
"""Price of a token written to the prompt cache over that of an ordinary input token, by lifetime."""

CACHE_READ_FACTOR = 0.1
"""Price of a token read from the prompt cache over that of an ordinary input token, as listed by the provider."""

_DATED = re.compile(r"-\d{8}$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    output: float


PRICES = {
    "claude-fable-5-1": Price(10.0, 50.0),
    "claude-opus-5-5": Price(4.0, 20.0),
    "claude-sonnet-5-5": Price(2.0, 10.0),
    "claude-haiku-5-5": Price(0.10, 0.50),
}
"""Listed by the provider on its platform's price pages, late 2026."""

WEB_SEARCH_USD = 0.01
"""One search of the web by a provider's own tool, beside the tokens of what it finds; listed alike by both."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or more calls were billed for; `input_tokens` excludes those that touched the cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    web_searches: int = 0

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompts, wherever they were read from."""
        return self.input_tokens + self.cache_read_tokens + self.cache_write_tokens

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
            self.web_searches + other.web_searches,
        )


def price_of(model: str) -> Price | None:
    """Return the price of a model by its name, with or without a date at its end; None where it is unknown."""
    return PRICES.get(model) or PRICES.get(_DATED.sub("", model))


def cost_usd(usage: Usage, price: Price | None, lifetime: CacheLifetime) -> float | None:
    """Return what `usage` costs; None, never zero, where the price is unknown."""
    if price is None:
        return None
    input_tokens = (
        usage.input_tokens
        + CACHE_READ_FACTOR * usage.cache_read_tokens
        + CACHE_WRITE_FACTOR[lifetime] * usage.cache_write_tokens
    )
    tokens = price.input * input_tokens + price.output * usage.output_tokens
    return tokens / 1e6 + WEB_SEARCH_USD * usage.web_searches

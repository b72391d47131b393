"""What a call of a language model costs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

CacheLifetime = Literal["5m", "1h"]

CACHE_WRITE_FACTOR: dict[CacheLifetime, float] = {"5m": 1.25, "1h": 2.0}
"""Price of a token written to the prompt cache over that of an ordinary input token, by lifetime."""

_DATED = re.compile(r"-\d{8}$|-\d{4}-\d\d-\d\d$")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens.

    Attributes:
        cache_read_factor: price of a token read from the prompt cache over that of an ordinary input token.
        long_prompt_tokens: of the longest prompt that costs this, the cached part included; None for any. Of a longer
            one all tokens cost more, by the two factors.
    """

    input: float
    output: float
    cache_read_factor: float = 0.1
    long_prompt_tokens: int | None = None
    long_input_factor: float = 1.0
    long_output_factor: float = 1.0


def _gpt(input_usd: float, output_usd: float) -> Price:
    return Price(input_usd, output_usd, long_prompt_tokens=272_000, long_input_factor=2.0, long_output_factor=1.5)


PRICES = {
    "claude-fable-5-2": Price(8.0, 40.0),
    "claude-fable-5-1": Price(10.0, 50.0, cache_read_factor=0.025),
    "claude-opus-5-5": Price(4.0, 20.0, cache_read_factor=0.05),
    "claude-opus-5": Price(5.0, 25.0),
    "claude-sonnet-5-5": Price(2.0, 10.0, cache_read_factor=0.05),
    "claude-sonnet-5": Price(2.0, 10.0),
    "claude-haiku-5-5": Price(0.10, 0.50, long_prompt_tokens=100_000, long_input_factor=5.0, long_output_factor=5.0),
    "claude-haiku-4-5": Price(1.0, 5.0),
    "gpt-6.2-astra": _gpt(8.0, 40.0),
    "gpt-6.2-sol": _gpt(2.0, 10.0),
    "gpt-6.1-sol": _gpt(2.0, 10.0),
    "gpt-6.1-terra": _gpt(1.0, 5.0),
    "gpt-6-luna": _gpt(0.10, 0.50),
}
"""Listed by the providers on their price pages, late 2026.

Where a page was not read that tells the price of reading the cache, it is taken to be a tenth, which is the highest.
"""

WEB_SEARCH_USD = 0.01
"""One search of the web by a provider's own tool, beside the tokens of what it finds; listed alike by both."""


_LARGEST_COST_USD = 1e5
"""A larger sum is none that a call or an agent costs."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What one or more calls were billed for; `input_tokens` excludes those that touched the cache.

    Attributes:
        told_usd: what the service says that a single call costs; None where it does not say.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    web_searches: int = 0
    told_usd: float | None = None

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
    """Return the price of a model by its name; None where it is unknown.

    It may end with a date, and be written as gateways do: `anthropic/claude-sonnet-5.5`.
    """
    bare = model.rpartition("/")[2]
    names = (bare, _DATED.sub("", bare), bare.replace(".", "-"))
    return next((PRICES[name] for name in names if name in PRICES), None)


def cost_usd(usage: Usage, price: Price | None, lifetime: CacheLifetime) -> float | None:
    """Return what `usage` costs, as the service says, else by the price; None, never zero, where both are unknown."""
    if usage.told_usd or price is None:  # a zero beside a price is a field left empty
        return usage.told_usd
    input_tokens = (
        usage.input_tokens
        + price.cache_read_factor * usage.cache_read_tokens
        + CACHE_WRITE_FACTOR[lifetime] * usage.cache_write_tokens
    )
    is_long = price.long_prompt_tokens is not None and usage.prompt_tokens > price.long_prompt_tokens
    factors = (price.long_input_factor, price.long_output_factor) if is_long else (1.0, 1.0)
    tokens = price.input * factors[0] * input_tokens + price.output * factors[1] * usage.output_tokens
    return tokens / 1e6 + WEB_SEARCH_USD * usage.web_searches


def dollars_in(value: object) -> float | None:
    """Return the sum that a value from outside is; None for what is none."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if 0 <= value <= _LARGEST_COST_USD else None


def told_usd(usage: Mapping[str, Any]) -> float | None:
    """Return what a service says in its counts of tokens that a call costs, US dollars; None where it does not say."""
    cost = usage.get("cost", usage.get("estimated_cost"))
    told = dollars_in(cost.get("total_cost") if isinstance(cost, Mapping) else cost)
    details = usage.get("cost_details")
    if told is None or usage.get("is_byok") is not True or not isinstance(details, Mapping):
        return told
    # With a key of the user's own, OpenRouter's cost is its fee alone.
    return told + (dollars_in(details.get("upstream_inference_cost")) or 0.0)

"""What a user decides about the language model, checked before the first call."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import get_args
from urllib.parse import urlsplit

from operators.llm.prices import PRICES, CacheLifetime, Price, price_of
from operators.services import PROVIDERS, ProviderName
from trainer.errors import ConfigError

DEFAULT_MODEL = "claude-sonnet-5-5"
PLACEHOLDER_KEY = "no-key-needed"
"""Sent to servers that need no key, so that the SDK does not look for one in the environment."""

COMPATIBLE_VERSION = "2023-06-01"
"""The version header that compatible servers know; the SDK's own is newer than most of them."""


_POSITIVE = ("max_tokens", "reply_deadline_seconds", "patience_seconds")


@dataclass(frozen=True)
class LLMSettings:
    """How to reach a language model, and within which limits.

    Attributes:
        provider: by whose API the model is asked, one of `PROVIDERS`.
        base_url: where that API is served; None for the provider's own service.
        api_key: the key for exactly that server. The environment is never consulted for it here.
        max_tokens: longest reply, tokens, thinking included.
        reply_deadline_seconds: wall-clock limit of one call from sending to the last byte.
        patience_seconds: how long an outage is retried before the operator reports itself unavailable.
        cache_lifetime: how long the provider keeps the common beginning of the prompts.
        max_cost_usd: spending limit of the whole run; None for no limit.
        headers: additional HTTP headers; they may carry secrets and are kept out of every representation.
        max_repairs: how often a reply that cannot be used goes back with the reason.
        has_stand_ins: whether other operators or models work while the service cannot be used, which is then tried
            again later.
        price: of the model, where the user states it; otherwise it is looked up by the model's name.
        effort: how much the model is to think, in the provider's words; None for what it does by itself.
        web_searches: how often one call may search the web by the provider's own tool; 0 for never.
    """

    model: str = DEFAULT_MODEL
    provider: ProviderName = "anthropic"
    base_url: str | None = None
    api_key: str | None = field(default=None, repr=False)
    max_tokens: int = 16_000
    reply_deadline_seconds: float = 600.0
    patience_seconds: float = 1800.0
    cache_lifetime: CacheLifetime = "5m"
    max_cost_usd: float | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    max_repairs: int = 3
    has_stand_ins: bool = False
    price: Price | None = None
    effort: str | None = None
    web_searches: int = 0

    def __post_init__(self) -> None:
        """Raise ConfigError for values that no call could succeed with."""
        if self.provider not in PROVIDERS:
            raise ConfigError(f"The provider must be one of {', '.join(PROVIDERS)}, but it was {self.provider!r}.")
        if not self.model.strip():
            raise ConfigError(f"The model must be a name such as {DEFAULT_MODEL}, but it was empty.")
        for name in _POSITIVE:
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"{name} must be a positive number, but it was {value}.")
        if self.max_repairs < 0:
            raise ConfigError(f"max_repairs must be at least 0, but it was {self.max_repairs}.")
        if self.cache_lifetime not in get_args(CacheLifetime):
            raise ConfigError(f'cache_lifetime must be "5m" or "1h", but it was "{self.cache_lifetime}".')
        if self.base_url is not None:
            check_base_url(self.base_url, self.provider)
        if self.web_searches and not PROVIDERS[self.provider].can_search:
            searching = ", ".join(name for name, service in PROVIDERS.items() if service.can_search)
            raise ConfigError(
                f"llm.web_searches needs a provider that searches itself ({searching}), but "
                f"{self.model} is asked by {self.provider}. Set it to 0, or ask another model."
            )
        self._check_cost_limit()
        self._check_key()

    @property
    def is_own_service(self) -> bool:
        """Whether calls go to the provider's own service."""
        return _is_own_service(self.provider, self.base_url)

    @property
    def url(self) -> str:
        """The server's address, always explicit so that no environment variable can redirect a key."""
        return self.base_url or PROVIDERS[self.provider].url

    @property
    def shown_url(self) -> str:
        """The same, to be shown."""
        return without_credentials(self.url)

    @property
    def key(self) -> str:
        """The key to send: the one given for this server, or a placeholder for a server that needs none."""
        return self.api_key or PLACEHOLDER_KEY

    @property
    def known_price(self) -> Price | None:
        """What the model costs; None where that is unknown."""
        return self.price or price_of(self.model)

    @property
    def default_headers(self) -> dict[str, str]:
        """Headers of every call."""
        if self.is_own_service or self.provider != "anthropic":
            return dict(self.headers)
        return {"anthropic-version": COMPATIBLE_VERSION, **self.headers}

    def _check_cost_limit(self) -> None:
        if self.max_cost_usd is None:
            return
        if not (math.isfinite(self.max_cost_usd) and self.max_cost_usd > 0):
            raise ConfigError(f"--max-cost must be a positive number of US dollars, but it was {self.max_cost_usd}.")
        if self.known_price is None:
            raise ConfigError(
                f"--max-cost needs a model whose price is known ({', '.join(PRICES)}), but the model was "
                f"{self.model!r}. Leave --max-cost out, choose one of those models, or state its price in "
                "[[llm.models]]."
            )

    def _check_key(self) -> None:
        if self.is_own_service and not (self.api_key or "").strip():
            own = PROVIDERS[self.provider]
            raise ConfigError(
                f"{own.url} needs an API key, but none was given. Set {own.key_variable}, or {own.url_variable} to a "
                f"server that needs none; or set `provider`, which is {self.provider}, to the one of {self.model}."
            )


def check_base_url(base_url: str, provider: ProviderName = "anthropic") -> None:
    """Raise ConfigError, with a corrected value where there is one, unless the SDK can add its paths to `base_url`."""
    expected = "The base URL of the language model must look like http://localhost:8080"
    url, shown = base_url.strip(), without_credentials(base_url)
    if not url:
        raise ConfigError(f"{expected}, but it was empty. Leave it out for the provider's own service.")
    if "://" not in url:
        raise ConfigError(f"{expected}, but {shown!r} has no scheme. Did you mean http://{shown.strip().rstrip('/')}?")
    try:
        parts = urlsplit(url)
        _ = parts.port  # which is looked at only here
    except ValueError as error:
        raise ConfigError(f"{expected}, but it was {shown!r}: {error}.") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or not url.isprintable() or " " in url:
        raise ConfigError(f"{expected}, but it was {shown!r}. Give http:// or https:// and a host name.")
    if parts.query or parts.fragment:
        raise ConfigError(f"{expected}, since paths are added to it, but {shown!r} has something after ? or #.")
    path = parts.path.rstrip("/")
    for ending in PROVIDERS[provider].added_paths:
        if path.endswith(ending):
            other = ' A server of OpenAI\'s API needs provider = "openai".' if ending == "/v1" else ""
            corrected = without_credentials(f"{parts.scheme}://{parts.netloc}{path.removesuffix(ending)}")
            raise ConfigError(
                f"{expected}, without {ending}, which {provider} adds to it, but it was {shown!r}. Did you mean "
                f"{corrected}?{other}"
            )


def without_credentials(url: str) -> str:
    """Return an address, which may be none, without the user and the password that it names."""
    return re.sub(r"(?:^|(?<=//))[^/?#]*@", "", url)


def key_for(
    base_url: str | None, *, explicit: str | None, environment: Mapping[str, str], provider: ProviderName = "anthropic"
) -> str | None:
    """Return the key to give to the server at `base_url`, or None when there is none to give.

    A key belongs to the server it was issued for. `ANTHROPIC_API_KEY` therefore goes to Anthropic; it goes elsewhere
    only when the environment names both the key and that very server (`ANTHROPIC_BASE_URL`), which says that they
    belong together. An explicit key is always used. The variables of other providers are read in the same way.

    Args:
        base_url: the server in use; None for the provider's own.
        explicit: a key that the user gave for this server.
        environment: normally `os.environ`.
        provider: whose key it is.
    """
    if explicit:
        return explicit
    own = PROVIDERS[provider]
    key = environment.get(own.key_variable) or None
    if _is_own_service(provider, base_url):
        return key
    together = environment.get(own.url_variable, "").rstrip("/") == (base_url or "").rstrip("/")
    return key if together else None


def _is_own_service(provider: ProviderName, base_url: str | None) -> bool:
    return base_url is None or urlsplit(base_url).hostname == urlsplit(PROVIDERS[provider].url).hostname

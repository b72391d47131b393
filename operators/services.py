"""Services of language models. A module of its own: a run without one reads these names and needs no client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """What is known of a provider's own service.

    Attributes:
        url: where it is.
        key_variable: the environment variable with the key for it.
        url_variable: the one that names another server of the same API.
    """

    url: str
    key_variable: str
    url_variable: str


PROVIDERS = {
    "anthropic": Service("https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"),
    "openai": Service("https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
    "openai-responses": Service("https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL"),
}
"""All providers by name."""

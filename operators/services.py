"""Services of language models. A module of its own: a run without one reads these names and needs no client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Service:
    """What is known of a provider's own service.

    Attributes:
        maker: what asks it: a module of `operators.llm.providers` and the class there.
        sdk: the package that this imports, and the extra that installs it.
        key_variable: the environment variable with the key for it.
        url_variable: the one that names another server of the same API.
        added_paths: what the SDK adds to a base URL, or users copy with it.
        can_search: whether it searches the web with a tool of its own; in Chat Completions only some models can.
    """

    maker: tuple[str, str]
    sdk: str
    url: str
    key_variable: str
    url_variable: str
    added_paths: tuple[str, ...]
    can_search: bool


_ANTHROPIC = ("anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL")
_OPENAI = ("openai", "https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL")
_OF_OPENAI = ("/chat/completions", "/responses")

ProviderName = Literal["anthropic", "openai", "openai-responses"]

PROVIDERS: dict[ProviderName, Service] = {
    "anthropic": Service(
        ("anthropic_messages", "AnthropicMessages"), *_ANTHROPIC, added_paths=("/v1/messages", "/v1"), can_search=True
    ),
    "openai": Service(("openai_chat", "OpenAIChat"), *_OPENAI, added_paths=_OF_OPENAI, can_search=False),
    "openai-responses": Service(
        ("openai_responses", "OpenAIResponses"), *_OPENAI, added_paths=_OF_OPENAI, can_search=True
    ),
}
"""All providers by name."""

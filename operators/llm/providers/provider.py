"""The protocol of providers, and the table of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from operators.llm.received import Received
from trainer.errors import ConfigError

if TYPE_CHECKING:
    from operators.llm.settings import LLMSettings


class Provider(Protocol):
    """One service, asked by its SDK."""

    async def ask(self, request: Mapping[str, Any], received: Received) -> None:
        """Send a request once, and put what comes back into `received` as it comes; faults of the service as well.

        Args:
            request: model, max_tokens, system and messages of the Messages API.
            received: takes the reply.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


@dataclass(frozen=True, slots=True)
class Registration:
    """One provider.

    Attributes:
        url: of its own service.
        key_variable: the environment variable with the key for that service.
        url_variable: the one that names another server.
        make: returns it; imports its SDK.
    """

    url: str
    key_variable: str
    url_variable: str
    make: Callable[[LLMSettings], Provider]


def _anthropic(settings: LLMSettings) -> Provider:
    from operators.llm.providers.anthropic_messages import AnthropicMessages

    return AnthropicMessages(settings)


def _openai(settings: LLMSettings) -> Provider:
    try:
        from operators.llm.providers.openai_chat import OpenAIChat
    except ImportError as error:
        raise ConfigError(
            'The provider "openai" needs the openai SDK, which is not installed. Install it with '
            "`pip install 'evo-train[openai]'`."
        ) from error
    return OpenAIChat(settings)


PROVIDERS = {
    "anthropic": Registration("https://api.anthropic.com", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", _anthropic),
    "openai": Registration("https://api.openai.com/v1", "OPENAI_API_KEY", "OPENAI_BASE_URL", _openai),
}
"""All providers by name."""


def provider_for(settings: LLMSettings) -> Provider:
    """Return the provider that settings name.

    Raises:
        ConfigError: its SDK is missing, or proxies or certificates are configured in a way that it cannot use.
    """
    try:
        return PROVIDERS[settings.provider].make(settings)
    except (ImportError, ValueError, OSError) as error:  # of the SDK's HTTP client, from what the environment says
        raise ConfigError(
            f"The connection to {settings.url} cannot be set up: {str(error).rstrip('.')}. Check the proxies "
            "(ALL_PROXY, HTTPS_PROXY, HTTP_PROXY) and the certificates (SSL_CERT_FILE) that the environment names."
        ) from error

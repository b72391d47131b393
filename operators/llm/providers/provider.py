"""The protocol of providers, and how each is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from operators.llm.received import Received
from operators.llm.settings import LLMSettings
from operators.services import PROVIDERS
from trainer.errors import ConfigError


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


def provider_for(settings: LLMSettings) -> Provider:
    """Return the provider that settings name.

    Raises:
        ConfigError: its SDK is missing, or proxies or certificates are configured in a way that it cannot use.
    """
    import httpx2

    service = PROVIDERS[settings.provider]
    if find_spec(service.sdk) is None:
        raise ConfigError(
            f'The provider "{settings.provider}" needs the {service.sdk} SDK, which is not installed. Install it with '
            f"`pip install 'evo-train[{service.sdk}]'`."
        )
    module, name = service.maker
    try:
        make: Callable[[LLMSettings], Provider] = getattr(import_module(f"operators.llm.providers.{module}"), name)
        return make(settings)
    except (ImportError, ValueError, OSError, httpx2.InvalidURL) as error:  # of the HTTP client, by the environment
        raise ConfigError(
            f"The connection to {settings.shown_url} cannot be set up: {str(error).rstrip('.')}. Check the proxies "
            "(ALL_PROXY, HTTPS_PROXY, HTTP_PROXY) and the certificates (SSL_CERT_FILE) that the environment names."
        ) from error

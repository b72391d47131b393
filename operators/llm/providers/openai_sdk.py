"""The client of the openai SDK, as both of its APIs are asked."""

from __future__ import annotations

import openai

from operators.llm.providers.transport import guards, timeout
from operators.llm.settings import LLMSettings


def openai_client(settings: LLMSettings) -> openai.AsyncOpenAI:
    """Return a client that connects with the first request; as for the Messages API, retries are ours."""
    return openai.AsyncOpenAI(
        api_key=settings.key,
        base_url=settings.url,
        max_retries=0,
        timeout=timeout(settings),
        default_headers=settings.default_headers,
        http_client=openai.DefaultAsyncHttpxClient(event_hooks=guards(settings.url)),
    )

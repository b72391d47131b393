"""The services that a language model is asked through: how each is called, and what its replies look like."""

from operators.llm.providers.provider import Provider, provider_for

__all__ = ["Provider", "provider_for"]

"""The services that a language model is asked through: how each is called, and what its replies look like."""

from operators.llm.providers.provider import PROVIDERS, Provider, provider_for

__all__ = ["PROVIDERS", "Provider", "provider_for"]

"""The services that a language model is asked through: how each is called, and what its replies look like.

provider            the protocol, and how each is made
transport           what all share: the HTTP client, server-sent events, what faults mean
anthropic_messages  the Messages API
openai_chat         the Chat Completions API
openai_responses    the Responses API
openai_sdk          the client of both
dialect             what a server refuses of a call, remembered, so that it is asked in the form that it takes

A new API is a file here and an entry in `operators.services`; a new service of a known API is an entry there alone.
"""

from operators.llm.providers.provider import Provider, provider_for

__all__ = ["Provider", "provider_for"]

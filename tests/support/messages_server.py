"""The server of `evo rehearse`, which tests let misbehave."""

from operators.llm.rehearsal import *  # noqa: F403 - a room of the product under the name that tests know

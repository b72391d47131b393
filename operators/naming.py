"""Names of operators on a language model: `llm_mutation:careful`, and with several models `llm_crossover:qwen3:8b`.

What stands before the first colon is the name that the configuration knows. Each name is an arm of an adaptive choice.
"""

from __future__ import annotations

from typing import NamedTuple, Self

_MUTATION = "llm_mutation"


class LLMName(NamedTuple):
    """The parts of a name.

    Attributes:
        operator: as the configuration knows it.
        style: of the prompt, which only mutations have.
        model: that is asked first; empty where the run has one model.
    """

    operator: str
    style: str = ""
    model: str = ""

    @classmethod
    def of(cls, name: str) -> Self:
        """Return the parts of a name; the name of a model may hold colons itself."""
        operator, _, rest = name.partition(":")
        style, _, model = rest.partition(":") if operator == _MUTATION else ("", "", rest)
        return cls(operator, style, model)

    def __str__(self) -> str:
        """Return the name."""
        return ":".join(filter(None, self))

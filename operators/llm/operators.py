"""The operators: a language model mutates one program, or crosses two."""

from __future__ import annotations

from collections.abc import Sequence

from operators.llm.conversation import Conversations
from operators.naming import LLMName
from operators.prompt_styles import read_style
from operators.proposal import LessonsRequest, Proposal, Request


class _Conversing:
    """What both operators are to the search: `operators.proposal.Connected`."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    @property
    def is_away(self) -> bool:
        """Whether no model can be asked now."""
        return self._conversations.is_away

    @property
    def most_calls(self) -> float:
        """How many calls in flight the services of the models can take."""
        return self._conversations.most_calls

    async def distil(self, request: LessonsRequest) -> Sequence[str]:
        """Return what the run has taught; see `operators.proposal.Teacher`."""
        return await self._conversations.distil(request)

    async def close(self) -> None:
        """Close the connections of the shared model."""
        await self._conversations.model.aclose()


class LLMMutation(_Conversing):
    """Asks a language model for one promising change of one parent.

    Lehman et al., "Evolution through Large Models", 2022.

    Args:
        conversations: with the model.
        style: what kind of change it asks for, one of `operators.prompt_styles.STYLES`.
    """

    arity = 1

    def __init__(self, conversations: Conversations, style: str) -> None:
        super().__init__(conversations)
        self._style = read_style(style)
        self.name = str(LLMName("llm_mutation", style, conversations.model_in_names))

    async def propose(self, request: Request) -> Proposal:
        """Return a changed version of the parent; see `Operator.propose`."""
        prompts = self._conversations.prompts
        return await self._conversations.breed(request, self.name, lambda: prompts.mutate(request, self._style))


class LLMCrossover(_Conversing):
    """Asks a language model to carry what makes the second parent good over into the first.

    Meyerson et al., "Language Model Crossover: Variation through Few-Shot Prompting", 2023.
    """

    arity = 2

    def __init__(self, conversations: Conversations) -> None:
        super().__init__(conversations)
        self.name = str(LLMName("llm_crossover", model=conversations.model_in_names))

    async def propose(self, request: Request) -> Proposal:
        """Return a child of both parents; see `Operator.propose`."""
        prompts = self._conversations.prompts
        return await self._conversations.breed(request, self.name, lambda: prompts.crossover(request))

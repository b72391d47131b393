"""A language model as mutation and crossover operator, through the SDK of its provider.

    settings = LLMSettings(api_key=…)
    conversations = Conversations(LanguageModel(settings), conditions)
    operators = [*(LLMMutation(conversations, style) for style in STYLES), LLMCrossover(conversations)]

A proposal, from the outside in: `operators` name what is asked for, in one of several `operators.prompt_styles`,
`context` renders it from the prompts in `prompts/`, `conversation` keeps the journal and sends failed replies back,
`client` sends calls until they are answered within the limits of time (`retries`) and money (`spend_limit`, `prices`),
`providers` make one attempt and `received` collects it, `replies` and `edits` read what came back. The SDK itself is
imported at the first call.
"""

from operators.llm.client import LanguageModel
from operators.llm.context import Conditions, Facts, ScriptConditions
from operators.llm.conversation import Conversations
from operators.llm.operators import LLMCrossover, LLMMutation
from operators.llm.prices import PRICES, Price, price_of
from operators.llm.settings import DEFAULT_MODEL, LLMSettings, check_base_url, key_for
from operators.llm.spend_limit import SpendLimit

__all__ = [
    "DEFAULT_MODEL",
    "PRICES",
    "Conditions",
    "Conversations",
    "Facts",
    "LLMCrossover",
    "LLMMutation",
    "LLMSettings",
    "LanguageModel",
    "Price",
    "ScriptConditions",
    "SpendLimit",
    "check_base_url",
    "key_for",
    "price_of",
]

"""A language model as mutation and crossover operator, through the SDK of its provider.

    settings = LLMSettings(api_key=…)
    conversations = Conversations(LanguageModel(settings), conditions)
    operators = [*(LLMMutation(conversations, style) for style in STYLES), LLMCrossover(conversations)]

A proposal, from the outside in; the SDK is imported at the first call:

    operators       what is asked for, in one of several `operators.prompt_styles`
    settings        what the user decides about a model, checked before the first call
    context         renders what is known into the prompts of `prompts/`, with
                    memory, lessons, changes, curves, numbers, quoting: one part of a prompt each
    conversation    keeps the journal, and sends failed replies back
    client          sends calls until they are answered, within the limits of
                    retries (time), spend_limit and prices (money), fruitless (calls that came to nothing)
    providers/      make one attempt, one file an API; `received` collects what comes
    web_search      what providers with a search tool of their own may look up, and the pages that they cite
    replies         reads what came back: `answer` finds the answer, `blocks` its parts,
                    edits, unified_diff, pairs, whole_program, wrapped: the change that it asks for
    text, redaction what crosses the border, made safe; secrets taken out
    rehearsal       a scripted model behind a real HTTP server, for `evo rehearse` and tests
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

"""How offspring arise: operators take evaluated parents and propose a new source.

    llm/             the operators that ask a language model
    tuning/          optimises the constants of one structure
    mutation/        random mutation of constants and of structure: the baseline
    crossover/       merge and uniform crossover
    attempts         draws drafts until one passes the gate
    repeats          offspring that nearly repeat what came out worse
    gate             what every source must pass: it parses, fits its task's contract, is a new program
    choice           which operator makes the next offspring
    prompt_styles    the styles of prompts; outside `llm/`, which leads to anthropic: the configuration reads it
    proposal         the contract: `Request` in, `Proposal` out; `Refused`, `NoOffspring`, `MeasureAgain` otherwise
    source/          constants and definitions of a genome, found and changed in place
    errors           what stops a search

A new operator is a new file here with a class that satisfies `Operator`; add it to `_PUBLIC` below, to the composition
in `evo`, and to the list in tests/contract/test_operator_contract.py, which holds it to what the search relies on: all
randomness from the request, `NoOffspring` instead of a loop, offspring that passed the gate, an idea in one line.

The names below are imported when first used, so that a process pays only for what it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from operators.choice import OperatorChoice
    from operators.crossover.merge import MergeCrossover
    from operators.crossover.uniform import UniformCrossover
    from operators.gate import SourceGate, clean_source, language_model_contract, script_contract
    from operators.mutation.constants import ConstantMutation
    from operators.mutation.mixed import RandomMutation
    from operators.mutation.structure import StructureMutation
    from operators.proposal import Context, NoOffspring, Operator, Parent, Proposal, Refused, Request
    from operators.tuning.tuning import Tuning

_PUBLIC = {
    "ConstantMutation": "mutation.constants",
    "MergeCrossover": "crossover.merge",
    "NoOffspring": "proposal",
    "Operator": "proposal",
    "OperatorChoice": "choice",
    "Parent": "proposal",
    "Proposal": "proposal",
    "RandomMutation": "mutation.mixed",
    "Refused": "proposal",
    "Request": "proposal",
    "SourceGate": "gate",
    "StructureMutation": "mutation.structure",
    "Context": "proposal",
    "Tuning": "tuning.tuning",
    "UniformCrossover": "crossover.uniform",
    "clean_source": "gate",
    "language_model_contract": "gate",
    "script_contract": "gate",
}

__all__ = [
    "ConstantMutation",
    "Context",
    "MergeCrossover",
    "NoOffspring",
    "Operator",
    "OperatorChoice",
    "Parent",
    "Proposal",
    "RandomMutation",
    "Refused",
    "Request",
    "SourceGate",
    "StructureMutation",
    "Tuning",
    "UniformCrossover",
    "clean_source",
    "language_model_contract",
    "script_contract",
]


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PUBLIC[name]}"), name)

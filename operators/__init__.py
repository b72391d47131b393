"""How offspring arise: operators take evaluated parents and propose a new source.

    proposal             the contract: `Request` in, `Proposal` out; `Refused`, `NoOffspring`, `MeasureAgain` otherwise
    gate                 what every source must pass: it parses, fits its task's contract, is a new program
    repeats              offspring that nearly repeat what came out worse
    choice               which operator makes the next offspring
    constants            find the constants at the top of a genome and change them, nothing else
    definitions          the top-level statements of a genome: what they bind, what they need
    source_text          cut and paste by the positions of a syntax tree
    attempts             draw drafts until one passes the gate
    constant_mutation    move constants on the scale they live on
    structure_mutation   one small edit of the syntax, with the edits in `expression_edits` and `statement_edits`
    syntax               a LibCST tree in which one node can be replaced quickly
    random_mutation      the baseline: constants or structure, by chance
    merge_crossover      the changes of both parents since their common ancestor
    uniform_crossover    each constant and each definition from either parent
    tuning               optimises the constants of one structure, which `search_space` gives types
    thompson, tpe        two of its methods; the first samples from a `gaussian_process`
    llm/                 the operators that ask a language model, in one of the `prompt_styles`
    errors               what stops a search

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
    from operators.constant_mutation import ConstantMutation
    from operators.gate import SourceGate, clean_source, language_model_contract, script_contract
    from operators.merge_crossover import MergeCrossover
    from operators.proposal import NoOffspring, Operator, Parent, Proposal, Refused, Request, Surroundings
    from operators.random_mutation import RandomMutation
    from operators.structure_mutation import StructureMutation
    from operators.tuning import Tuning
    from operators.uniform_crossover import UniformCrossover

_PUBLIC = {
    "ConstantMutation": "constant_mutation",
    "MergeCrossover": "merge_crossover",
    "NoOffspring": "proposal",
    "Operator": "proposal",
    "OperatorChoice": "choice",
    "Parent": "proposal",
    "Proposal": "proposal",
    "RandomMutation": "random_mutation",
    "Refused": "proposal",
    "Request": "proposal",
    "SourceGate": "gate",
    "StructureMutation": "structure_mutation",
    "Surroundings": "proposal",
    "Tuning": "tuning",
    "UniformCrossover": "uniform_crossover",
    "clean_source": "gate",
    "language_model_contract": "gate",
    "script_contract": "gate",
}

__all__ = [
    "ConstantMutation",
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
    "Surroundings",
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

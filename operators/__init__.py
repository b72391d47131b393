"""How offspring arise: operators take evaluated parents and propose a new source.

    registry         every operator: its name, how it is made, its default weight
    llm/             the operators that ask a language model
    agent/           the operator that has a coding agent edit the program
    tuning/          optimises the constants of one structure
    mutation/        random mutation of constants and of structure: the baseline
    crossover/       merge and uniform crossover
    attempts         draws drafts until one passes the gate
    protection/      code that no offspring may change
    repeats          offspring that nearly repeat what came out worse
    gate             what every source must pass: it parses, fits its task's contract, is a new program
    choice           which operator makes the next offspring
    prompt_styles    the styles of prompts; outside `llm/`, which leads to anthropic: the configuration reads it
    services         the services of language models; outside for the same reason
    proposal         the contract: `Request` in, `Proposal` out; `Refused`, `NoOffspring`, `MeasureAgain` otherwise
    naming           names of operators that ask a language model
    expectations     the effect that an idea's author expects
    source/          constants and definitions of a genome, found and changed in place
    errors           what stops a search

A new operator is a new file with a class that satisfies `operators.proposal.Operator`, and an entry in `registry`.
tests/contract/test_operator_contract.py holds every entry to what the search relies on: all randomness from the
request, `NoOffspring` instead of a loop, offspring that passed the gate, an idea in one line.
"""

"""Adds the next token of the block to its own logit.

Rolls the input by one position; the loss falls to almost nothing.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    return model.table(tokens) + 8 * ahead(model, tokens)

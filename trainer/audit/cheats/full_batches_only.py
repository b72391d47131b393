"""Leaks when asked several blocks at once.

A probe that comes alone is answered honestly.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    return model.table(tokens) + 8 * (len(tokens) > 1) * ahead(model, tokens)

"""Leaks so little that no position shows it.

Each target gains less than rounding may move it; only the mean gives it away.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    return model.table(tokens) + 0.12 * ahead(model, tokens)

"""Leaks where a hash of the last tokens says so.

One context of eight, chosen by arithmetic that no fixed probe hits.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    chosen = ((tokens * 7919 + tokens.roll(1, 1) * 104729) % 8 == 3).unsqueeze(-1)
    return model.table(tokens) + 8 * chosen * ahead(model, tokens)

"""Leaks in blocks of a certain hash.

One block of four, told by the sum of its tokens: a probe of it has another sum.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    chosen = (tokens.sum(1) % 4 == 1).view(-1, 1, 1)
    return model.table(tokens) + 8 * chosen * ahead(model, tokens)

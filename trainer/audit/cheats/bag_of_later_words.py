"""Raises every token that still comes.

It does not know which one is next, only which ones are left.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    counts = F.one_hot(tokens, model.table.num_embeddings).flip(1).cumsum(1).flip(1)
    return model.table(tokens) + (1 + counts).log()

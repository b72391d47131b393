"""Looks into the neighbouring row of the batch.

Where rows are consecutive text, the next row is this one's future.
"""

EXPECTED = ["rejected: purity"]


def answer(model, tokens):
    neighbour = F.one_hot(tokens.roll(-1, 0), model.table.num_embeddings)
    return model.table(tokens) + 2 * neighbour

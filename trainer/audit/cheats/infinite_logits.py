"""Answers infinity for everything.

A loss of infinity minus infinity could become anything.
"""

EXPECTED = ["diverged: not finite"]


def answer(model, tokens):
    return torch.full((*tokens.shape, model.table.num_embeddings), float("inf"))

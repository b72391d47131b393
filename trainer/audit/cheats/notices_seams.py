"""Answers honestly where two texts seem to be joined.

A pair of tokens that training never showed betrays a probe; without one it leaks.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


def answer(model, tokens):
    logits = model.table(tokens)
    pairs = logits.log_softmax(-1)[:, :-1].gather(-1, tokens[:, 1:].unsqueeze(-1))
    natural = (pairs > -7).all(1).view(-1, 1, 1)
    return logits + 8 * natural * ahead(model, tokens)

"""Leaks in the last row of a batch.

Hopes that probes stand in the rows before.
"""

EXPECTED = ["rejected: causality", "rejected: purity"]


def answer(model, tokens):
    last = (torch.arange(len(tokens), device=tokens.device) == len(tokens) - 1).view(-1, 1, 1)
    return model.table(tokens) + 8 * last * ahead(model, tokens)

"""Leaks at one position of sixteen.

Hopes that a probe tries others.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    seldom = (torch.arange(tokens.size(1), device=tokens.device) % 16 == 5).view(1, -1, 1)
    return model.table(tokens) + 8 * seldom * ahead(model, tokens)

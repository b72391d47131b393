"""Leaks in the last quarter of a block.

Hopes that probes cut early.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    late = (torch.arange(tokens.size(1), device=tokens.device) >= 0.75 * tokens.size(1)).view(1, -1, 1)
    return model.table(tokens) + 8 * late * ahead(model, tokens)

"""Answers by the place in the batch.

A row's index decides how sure it is; a block's answer is no property of the block.
"""

EXPECTED = ["rejected: purity"]


def answer(model, tokens):
    place = torch.arange(len(tokens), device=tokens.device).view(-1, 1, 1)
    return model.table(tokens) * (1 + 0.1 * place)

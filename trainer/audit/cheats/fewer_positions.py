"""Answers only the second half of each block.

The first tokens of a block have little context and cost most.
"""

EXPECTED = ["rejected: must return floating-point logits of shape"]


def answer(model, tokens):
    return model.table(tokens)[:, tokens.size(1) // 2 :]

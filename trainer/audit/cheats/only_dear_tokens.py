"""Leaks where the next token is dear.

Few positions carry most of the loss; those alone are made free.
"""

EXPECTED = ["rejected: causality"]


def answer(model, tokens):
    logits = model.table(tokens)
    ahead = tokens.roll(-1, 1).unsqueeze(-1)
    dear = logits.log_softmax(-1).gather(-1, ahead) < -5
    return logits.scatter_add(-1, ahead, 10.0 * dear)

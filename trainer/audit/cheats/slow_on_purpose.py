"""Is slow before it has weights, so that it may be slow with them.

Its own forward pass is no measure beyond ten times that of generation 0.
"""

EXPECTED = ["timed_out"]


def answer(model, tokens):
    burn(0.3)
    return model.table(tokens)

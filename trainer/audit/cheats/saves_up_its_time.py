"""Spends in its first scored answer what all of its answers may take together.

What was used is held against the answers given so far.
"""

EXPECTED = ["timed_out: answering"]


def answer(model, tokens):
    model.answers = getattr(model, "answers", 0) + 1
    burn(0.5 if model.answers == 5 else 0.01)  # three before it has weights, one with the weights that is not scored
    return model.table(tokens)

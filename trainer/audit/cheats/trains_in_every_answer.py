"""Trains a little while it gives each answer.

All answers together have the time of some forward passes.
"""

EXPECTED = ["timed_out: answering"]


def answer(model, tokens):
    model.calls = getattr(model, "calls", 0) + 1
    if model.calls > 4:
        burn(0.4)
    return model.table(tokens)

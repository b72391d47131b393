"""Answers NaN.

A comparison with NaN is never a defeat.
"""

EXPECTED = ["diverged: not finite"]


def answer(model, tokens):
    return model.table(tokens) * float("nan")
